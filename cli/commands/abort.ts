/** `rotate abort`: stops and leaves everything as it is. */
import type { CommandSpec } from '../command.js';
import { sayTo } from '../say-to.js';

export const abortCommand: CommandSpec = {
  name: 'abort',
  summary: 'stop a rotation and leave things as they are',
  description:
    'The last resort: nothing is undone. It ends as failed, says what remains, and the secret stays blocked until `rotate start … --take-over`. `rotate rollback` undoes instead.',
  arguments: [
    { name: 'id', description: 'its id, or the beginning or end of it', completes: 'open-rotation' },
  ],
  options: [],
  examples: [{ command: 'rotate abort 01JD', does: 'stop it; what remains is told' }],
  run: (invocation) => sayTo(invocation, { say: 'abort' }),
};
