/** Shows a rotation until it ends or asks for a person; Ctrl-C only stops the showing. */
import type { RotationRef } from '../client/find-rotation.js';
import type { Session } from '../client/session.js';
import { watchRotation } from '../client/watch-rotation.js';
import { RotateError } from '../domain/failure.js';
import type { RotationEvent, RotationStatus } from '../domain/status.js';
import { isEndState } from '../domain/steps.js';
import type { Invocation } from './command.js';
import { exitCodeOfState, type ExitCode } from './exit-codes.js';
import { startLive, type Live } from './live.js';
import { eventLine } from './render/event-line.js';
import { outcome, progressLines } from './render/progress.js';
import { withId } from './render/status-text.js';

export interface FollowOptions {
  /**
   * What stdout carries: the progress (redrawn on a terminal, else a line an event), each event as a line of
   * JSON, or, with the progress on stderr, one status object at the end.
   */
  output: 'progress' | 'events' | 'status';
  /** Number of the last event that was shown already. */
  after?: number;
}

/** @throws RotateError Interrupted after Ctrl-C, with how to come back */
export async function follow(
  invocation: Invocation,
  session: Session,
  ref: RotationRef,
  options: FollowOptions,
): Promise<ExitCode> {
  const show = makeShow(invocation, options.output);
  let last: RotationStatus | undefined;
  try {
    const after = options.after === undefined ? {} : { after: options.after };
    for await (const seen of watchRotation(session, ref, after)) {
      show.notice(noticeOf(seen.from));
      if (seen.from === 'away') continue;
      last = seen.status;
      show.update(seen.status, seen.events);
      if (stops(seen.status)) break;
    }
  } catch (error) {
    show.end();
    if (!invocation.context.signal.aborted) throw error;
    throw new RotateError('Interrupted', `rotation ${ref.id} goes on without being watched`, {
      hint: `come back with \`rotate watch ${ref.id}\`; to undo it: \`rotate rollback ${ref.id}\``,
      cause: error,
    });
  }
  show.end();
  if (last === undefined) throw new RotateError('Internal', `rotation ${ref.id} was not told`);
  tellEnd(invocation, last, options.output);
  return exitCodeOfState(last.state);
}

function stops(status: RotationStatus): boolean {
  return isEndState(status.state) || status.state === 'needs-attention';
}

function noticeOf(from: 'worker' | 'memo' | 'away'): string {
  if (from === 'away') return 'Temporal does not answer; still trying';
  return from === 'memo' ? 'no worker answers: this is the last that is known; still trying' : '';
}

interface Show {
  update(status: RotationStatus, events: readonly RotationEvent[]): void;
  /** Something about the watching itself; empty: nothing any more. */
  notice(text: string): void;
  end(): void;
}

function makeShow({ context, screen }: Invocation, output: FollowOptions['output']): Show {
  if (output === 'progress' && context.stdout.isTTY && context.env['TERM'] !== 'dumb')
    return liveShow(startLive(context.stdout), { context, screen });
  let told = '';
  return {
    update: (_, events) => {
      for (const event of events) {
        if (output === 'events') screen.jsonLine(event);
        else if (output === 'status') context.stderr.write(`${eventLine(event)}\n`);
        else screen.data(`${eventLine(event)}\n`);
      }
    },
    notice: (text) => {
      if (text !== told && text !== '') screen.note(text);
      told = text;
    },
    end: () => {},
  };
}

function liveShow(live: Live, { context, screen }: Pick<Invocation, 'context' | 'screen'>): Show {
  let lines: string[] = [];
  let text = '';
  const draw = (): void =>
    live.draw(
      text === '' ? lines : [...lines, screen.paint('yellow', text.slice(0, (screen.columns ?? 80) - 1))],
    );
  return {
    update: (status) => {
      const rows = context.stdout.rows;
      lines = progressLines(status, {
        // The last column stays free: some terminals wrap when it is written.
        columns: (context.stdout.columns ?? 80) - 1,
        ...(rows === undefined ? {} : { rows: rows - 1 }),
        now: Date.now(),
        paint: screen.paint,
      });
      draw();
    },
    notice: (now) => {
      text = now;
      draw();
    },
    end: () => live.end(),
  };
}

function tellEnd({ screen }: Invocation, status: RotationStatus, output: FollowOptions['output']): void {
  if (output === 'status') screen.object(status);
  if (output === 'progress' && status.state === 'done') screen.data(`${outcome(status)}\n`);
  else screen.note(outcome(status));
  if (status.reason?.hint !== undefined) screen.hint(withId(status.reason.hint, status.id));
  if (status.state === 'needs-attention')
    screen.hint(
      `then \`rotate retry ${status.id}\`; or \`rotate rollback\`, \`rotate skip … HOST\`, \`rotate abort\``,
    );
}
