/** What retry, confirm, skip, rollback and abort have in common: say it, show the status after it, follow when asked. */
import { isEndState } from '../domain/steps.js';
import type { PersonRequest } from '../domain/record.js';
import type { Invocation, OptionSpec } from './command.js';
import { exitCodes, type ExitCode } from './exit-codes.js';

export const watchOption: OptionSpec = { flags: '--watch', description: 'then follow it to its end' };

/** Without `by`, which is the same for all. */
export type Said =
  | { say: 'retry' }
  | { say: 'confirm' }
  | { say: 'skip'; host: string; acceptLoss: boolean }
  | { say: 'rollback' }
  | { say: 'abort' };

export async function sayTo(invocation: Invocation, said: Said): Promise<ExitCode> {
  const { context, options, screen, args } = invocation;
  const [{ withSession }, { findFor }, { say }, { who }] = await Promise.all([
    import('./open-session.js'),
    import('./find-for.js'),
    import('../client/say.js'),
    import('./who.js'),
  ]);
  return withSession(invocation, async (session) => {
    const ref = await findFor(invocation, session, args[0] ?? '');
    const request: PersonRequest = { ...said, by: who(context.env) };
    const status = await say(session, ref, request);
    if (options.flag('watch') && !isEndState(status.state)) {
      const { follow } = await import('./follow.js');
      return follow(invocation, session, ref, { output: screen.json ? 'status' : 'progress' });
    }
    if (screen.json) screen.object(status);
    else {
      const { statusText } = await import('./render/status-text.js');
      screen.data(statusText(status, { columns: screen.columns, now: Date.now(), paint: screen.paint }));
    }
    if (!isEndState(status.state)) screen.hint(`follow it with \`rotate watch ${ref.id}\``);
    return exitCodes.done;
  });
}
