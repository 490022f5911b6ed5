/** What retry, confirm, skip, rollback and abort have in common: say it, show the status after it, follow when asked. */
import type { RotationRef } from '../client/rotation-ref.js';
import type { Session } from '../client/session.js';
import { RotateError } from '../domain/failure.js';
import type { PersonRequest } from '../domain/say.js';
import { isEndState } from '../domain/steps.js';
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
    const status = await say(session, ref, request).catch(async (error: unknown) => {
      throw await suggestHost(error, said, session, ref);
    });
    if (options.flag('watch') && !isEndState(status.state)) {
      const { follow } = await import('./follow.js');
      return follow(invocation, session, ref, { output: screen.json ? 'status' : 'progress' });
    }
    if (screen.json) screen.object(status);
    else {
      const { statusText } = await import('./render/status-text.js');
      const { wantsPlain } = await import('./render/style.js');
      const { columns, rows, paint } = screen;
      const plain = wantsPlain(context.env, options.flag('plain'));
      screen.data(statusText(status, { columns, rows, now: Date.now(), paint, plain }));
    }
    if (!isEndState(status.state)) screen.hint(`follow it with \`rotate watch ${ref.id}\``);
    return exitCodes.done;
  });
}

/** `error` with the host that may be meant, where a host was not known. */
async function suggestHost(error: unknown, said: Said, session: Session, ref: RotationRef): Promise<unknown> {
  if (said.say !== 'skip' || !(error instanceof RotateError) || error.type !== 'UnknownHost') return error;
  const [{ nearest }, { readRotation }] = await Promise.all([
    import('../config/nearest.js'),
    import('../client/rotation-status.js'),
  ]);
  const { status } = await readRotation(session, ref);
  const hosts = status.steps.flatMap((step) => step.hosts.map(({ name }) => name));
  const near = nearest(said.host, hosts).map((name) => `\`${name}\``);
  if (near.length === 0) return error;
  return new RotateError(error.type, `${error.message}, did you mean ${near.join(' or ')}?`, {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    cause: error,
  });
}
