/** `rotate rollback`: the rotation is undone. */
import type { CommandSpec } from '../command.js';
import { sayTo, watchOption } from '../say-to.js';

export const rollbackCommand: CommandSpec = {
  name: 'rollback',
  summary: 'undo a rotation that has not ended',
  description:
    'Makes the old value valid and deployed again, and withdraws the new one. Not possible any more once the old value is destroyed.',
  arguments: [
    { name: 'id', description: 'its id, or the beginning or end of it', completes: 'open-rotation' },
  ],
  options: [watchOption],
  examples: [{ command: 'rotate rollback 01JD --watch', does: 'undo it, and follow that' }],
  run: (invocation) => sayTo(invocation, { say: 'rollback' }),
};
