/** `rotate retry`: what it is parked on is tried again. */
import type { CommandSpec } from '../command.js';
import { sayTo, watchOption } from '../say-to.js';

export const retryCommand: CommandSpec = {
  name: 'retry',
  summary: 'try again what a parked rotation failed at',
  description:
    'For a rotation that needs attention, once its cause is gone. Hosts that were skipped get another chance.',
  arguments: [
    { name: 'id', description: 'its id, or the beginning or end of it', completes: 'open-rotation' },
  ],
  options: [watchOption],
  examples: [{ command: 'rotate retry 01JD --watch', does: 'try again, and follow it' }],
  run: (invocation) => sayTo(invocation, { say: 'retry' }),
};
