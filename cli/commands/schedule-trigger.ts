/** `rotate schedule trigger`: it looks now. */
import type { CommandSpec } from '../command.js';
import { saySchedule } from '../schedule-say.js';

export const scheduleTriggerCommand: CommandSpec = {
  name: 'schedule trigger',
  summary: 'let a schedule look now',
  description:
    'As at its own times: what is due is started when the window is open and nothing is frozen. To rotate in any case, use `rotate start`.',
  arguments: [{ name: 'schedule', description: 'its name, or environment/name', completes: 'schedule' }],
  options: [],
  examples: [{ command: 'rotate schedule trigger quarterly', does: 'look now' }],
  run: (invocation) => saySchedule(invocation, 'trigger'),
};
