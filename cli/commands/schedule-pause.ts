/** `rotate schedule pause`: it starts nothing until it is resumed. */
import type { CommandSpec } from '../command.js';
import { saySchedule } from '../schedule-say.js';

export const schedulePauseCommand: CommandSpec = {
  name: 'schedule pause',
  summary: 'let a schedule start nothing for now',
  description: 'It stays so, also when it is applied anew, until it is resumed. What it has started goes on.',
  arguments: [{ name: 'schedule', description: 'its name, or environment/name', completes: 'schedule' }],
  options: [{ flags: '--reason <text>', description: 'why; shown by `schedule list`' }],
  examples: [{ command: 'rotate schedule pause quarterly --reason migration', does: 'pause it' }],
  run: (invocation) => saySchedule(invocation, 'pause'),
};
