/** `rotate schedule delete`: it is removed from the server. */
import type { CommandSpec } from '../command.js';
import { saySchedule } from '../schedule-say.js';

export const scheduleDeleteCommand: CommandSpec = {
  name: 'schedule delete',
  summary: 'remove a schedule from the server',
  description: 'While rotate.yaml declares it, the next `rotate schedule apply` makes it again.',
  arguments: [{ name: 'schedule', description: 'its name, or environment/name', completes: 'schedule' }],
  options: [],
  examples: [{ command: 'rotate schedule delete quarterly', does: 'remove it' }],
  run: (invocation) => saySchedule(invocation, 'delete'),
};
