/** `rotate schedule resume`: it looks again when it is its time. */
import type { CommandSpec } from '../command.js';
import { saySchedule } from '../schedule-say.js';

export const scheduleResumeCommand: CommandSpec = {
  name: 'schedule resume',
  summary: 'let a paused schedule go on',
  description: 'It looks again at its next time; what was due meanwhile is started then, in its window.',
  arguments: [{ name: 'schedule', description: 'its name, or environment/name', completes: 'schedule' }],
  options: [],
  examples: [{ command: 'rotate schedule resume quarterly', does: 'go on' }],
  run: (invocation) => saySchedule(invocation, 'resume'),
};
