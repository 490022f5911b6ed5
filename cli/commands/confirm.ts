/** `rotate confirm`: what a rotation asked a person to do is done. */
import type { CommandSpec } from '../command.js';
import { sayTo, watchOption } from '../say-to.js';

export const confirmCommand: CommandSpec = {
  name: 'confirm',
  summary: 'say that what a rotation asked you to do is done',
  description:
    'For a rotation that needs attention because only a person can do its next part, such as deleting a key at a vendor. Who said so is kept in its record.',
  arguments: [
    { name: 'id', description: 'its id, or the beginning or end of it', completes: 'open-rotation' },
  ],
  options: [watchOption],
  examples: [{ command: 'rotate confirm 01JD --watch', does: 'go on, and follow it' }],
  run: (invocation) => sayTo(invocation, { say: 'confirm' }),
};
