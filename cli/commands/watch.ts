/** `rotate watch`: follows a rotation; ends with its exit code. */
import type { CommandSpec } from '../command.js';

export const watchCommand: CommandSpec = {
  name: 'watch',
  summary: 'follow a rotation to its end',
  description:
    'Follows a rotation until it ends or asks for a person, and exits as the rotation did. Ctrl-C only stops the watching.',
  arguments: [{ name: 'id', description: 'its id, or the beginning or end of it', completes: 'rotation' }],
  options: [],
  examples: [
    { command: 'rotate watch 01JD', does: 'on a terminal: hosts and steps, redrawn in place' },
    { command: 'rotate watch 01JD --plain', does: 'one line an event, for screen readers' },
    { command: 'rotate watch 01JD --json', does: 'one line of JSON an event' },
  ],
  run: async (invocation) => {
    const [{ withSession }, { findFor }, { follow }] = await Promise.all([
      import('../open-session.js'),
      import('../find-for.js'),
      import('../follow.js'),
    ]);
    return withSession(invocation, async (session) => {
      const ref = await findFor(invocation, session, invocation.args[0] ?? '');
      return follow(invocation, session, ref, { output: invocation.screen.json ? 'events' : 'progress' });
    });
  },
};
