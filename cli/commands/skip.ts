/** `rotate skip`: a parked rotation goes on without a host. */
import type { CommandSpec } from '../command.js';
import { sayTo, watchOption } from '../say-to.js';

export const skipCommand: CommandSpec = {
  name: 'skip',
  summary: 'go on without a host',
  description:
    'For a rotation that needs attention because of a host. The host stays unproven: a value that it may hold is not withdrawn, unless its loss is accepted.',
  arguments: [
    {
      name: 'id',
      description: 'the id of the rotation, or the beginning or end of it',
      completes: 'open-rotation',
    },
    { name: 'host', description: 'the host to leave out', completes: 'host' },
  ],
  options: [
    { flags: '--accept-loss', description: 'withdraw values although the host may be left with a dead one' },
    watchOption,
  ],
  examples: [
    { command: 'rotate skip 01JD web-7', does: 'go on; revoke waits for web-7' },
    { command: 'rotate skip 01JD web-7 --accept-loss', does: 'web-7 is gone for good' },
  ],
  run: (invocation) =>
    sayTo(invocation, {
      say: 'skip',
      host: invocation.args[1] ?? '',
      acceptLoss: invocation.options.flag('accept-loss'),
    }),
};
