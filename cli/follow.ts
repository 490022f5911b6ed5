/** Shows a rotation until it ends or asks for a person; Ctrl-C only stops the showing. */
import type { RotationRef } from '../client/rotation-ref.js';
import { findRetries, type Retry } from '../client/retries.js';
import type { Session } from '../client/session.js';
import { watchRotation, type Watched } from '../client/watch-rotation.js';
import { RotateError } from '../domain/failure.js';
import type { RotationEvent, RotationStatus } from '../domain/status.js';
import { isEndState } from '../domain/steps.js';
import type { Invocation } from './command.js';
import { exitCodeOfState, type ExitCode } from './exit-codes.js';
import { startLive } from './live.js';
import { eventLine, retryLine, waitLine } from './render/event-line.js';
import { progressLines } from './render/progress.js';
import { wantsLines } from './render/style.js';
import { printable } from './render/text.js';
import { commands, outcome, withId } from './render/waiting-words.js';

export interface FollowOptions {
  /**
   * What stdout carries: the progress (redrawn on a terminal, else a line an event), each event as a line of
   * JSON, or, with the progress on stderr, one status object at the end.
   */
  output: 'progress' | 'events' | 'status';
  /** Number of the last event that was shown already. */
  after?: number;
  /** Gets the status at the end in place of stdout. */
  ended?: (status: RotationStatus) => void;
}

/** @throws RotateError Interrupted after Ctrl-C, with how to come back */
export async function follow(
  invocation: Invocation,
  session: Session,
  ref: RotationRef,
  options: FollowOptions,
): Promise<ExitCode> {
  const show = makeShow(invocation, ref, options.output);
  const retried = options.output === 'events' ? async () => [] : retriesOf(session, ref);
  let last: RotationStatus | undefined;
  try {
    const after = options.after === undefined ? {} : { after: options.after };
    for await (const seen of watchRotation(session, ref, after)) {
      show.notice(noticeOf(seen.from));
      if (seen.from === 'away') continue;
      last = seen.status;
      show.update(seen.status, seen.events, await retried(seen));
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
  tellEnd(invocation, last, options);
  return exitCodeOfState(last.state);
}

function stops(status: RotationStatus): boolean {
  return isEndState(status.state) || status.state === 'needs-attention';
}

function noticeOf(from: 'worker' | 'memo' | 'away'): string {
  if (from === 'away') return 'Temporal does not answer; still trying';
  return from === 'memo' ? 'no worker answers: this is the last that is known; still trying' : '';
}

/** Milliseconds between two looks at what is tried again. */
const lookEveryMs = 2_000;

function retriesOf(session: Session, ref: RotationRef): (seen: Watched) => Promise<readonly Retry[]> {
  let last: readonly Retry[] = [];
  let lookedAt = 0;
  return async (seen) => {
    if (seen.from === 'away' || stops(seen.status)) return [];
    if (Date.now() - lookedAt < lookEveryMs) return last;
    try {
      last = await findRetries(session, ref);
      lookedAt = Date.now();
    } catch (error) {
      // Only what the next look at the rotation itself will find and tell, too.
      if (!(error instanceof RotateError) || error.type !== 'TemporalUnreachable') throw error;
    }
    return last;
  };
}

interface Show {
  update(status: RotationStatus, events: readonly RotationEvent[], retries: readonly Retry[]): void;
  /** Something about the watching itself; empty: nothing any more. */
  notice(text: string): void;
  end(): void;
}

function makeShow(invocation: Invocation, ref: RotationRef, output: FollowOptions['output']): Show {
  const { context, options, screen } = invocation;
  const lines = wantsLines(context.stdout.isTTY, context.env, options.flag('plain'));
  if (output === 'progress' && !lines) return liveShow(invocation);
  if (output !== 'events')
    return lineShow(invocation, ref, (line) =>
      output === 'status' ? context.stderr.write(`${line}\n`) : screen.data(`${line}\n`),
    );
  return {
    update: (_, events) => {
      for (const event of events) screen.jsonLine(event);
    },
    notice: noticeTo(invocation),
    end: () => {},
  };
}

function lineShow(invocation: Invocation, { id }: RotationRef, write: (line: string) => void): Show {
  const told = new Set<string>();
  const once = (what: string, line: string): void => {
    if (!told.has(what)) write(line);
    told.add(what);
  };
  return {
    update: (status, events, retries) => {
      const now = Date.now();
      for (const event of events) write(eventLine(id, event));
      const { waitingFor } = status;
      const waits = waitLine(status, now);
      if (waits !== undefined) once(`${waitingFor?.what} ${waitingFor?.until}`, waits);
      for (const retry of retries) once(`${retry.key} ${retry.reason.message}`, retryLine(id, retry, now));
    },
    notice: noticeTo(invocation),
    end: () => {},
  };
}

function noticeTo({ screen }: Invocation): Show['notice'] {
  let told = '';
  return (text) => {
    if (text !== told && text !== '') screen.note(text);
    told = text;
  };
}

/** A terminal whose size nobody knows. */
const usual = { columns: 80, rows: 24 };

function liveShow({ context: { stdout }, screen }: Invocation): Show {
  let seen: { status: RotationStatus; retries: readonly Retry[] } | undefined;
  let notice = '';
  const draw = (): void => {
    if (seen === undefined) return live.draw(notice === '' ? [] : [notice]);
    const { status, retries } = seen;
    live.draw(
      progressLines(status, {
        // The last column stays free: some terminals wrap when it is written. The last line is for the cursor.
        columns: (stdout.columns ?? usual.columns) - 1,
        rows: (stdout.rows ?? usual.rows) - 1,
        now: Date.now(),
        paint: screen.paint,
        retries,
        notice,
        withoutEnd: true,
      }),
    );
  };
  const live = startLive(stdout, draw);
  return {
    update: (status, _, retries) => {
      seen = { status, retries };
      draw();
    },
    notice: (text) => {
      notice = text;
      draw();
    },
    end: () => live.end(),
  };
}

function tellEnd({ screen }: Invocation, status: RotationStatus, { output, ended }: FollowOptions): void {
  if (ended !== undefined) ended(status);
  else if (output === 'status') screen.object(status);
  if (output === 'progress' && status.state === 'done') screen.data(`${printable(outcome(status))}\n`);
  else screen.note(outcome(status));
  if (status.reason?.hint !== undefined) screen.hint(withId(status.reason.hint, status.id));
  for (const { command, does } of commands(status)) screen.hint(`\`${command}\` ${does}`);
}
