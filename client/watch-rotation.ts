/** Follows a rotation until it ends: through lost connections, restarts of its worker and continued runs. */
import { setTimeout as sleep } from 'node:timers/promises';

import { RotateError } from '../domain/failure.js';
import type { RotationStatus } from '../domain/status.js';
import { isEndState } from '../domain/steps.js';
import type { RotationRef } from './rotation-ref.js';
import { readRotation, type Reading } from './rotation-status.js';
import { interrupted, type Session } from './session.js';

export interface WatchOptions {
  /** Number of the last event seen; default 0: from the first that is kept. */
  after?: number;
  /** Milliseconds between two looks. Default 250. */
  pollMs?: number;
  /** Milliseconds that Temporal may be away before the watch is given up. Default 10 minutes. */
  patienceMs?: number;
}

/** Milliseconds between two looks at what is about to end, which scripts wait for, and how many of them. */
const closePollMs = 60;
const closeLooks = 50;

/** `away`: Temporal does not answer now; the rotation goes on when it is back. */
export type Watched = Reading | { from: 'away'; error: RotateError };

/**
 * Yields at once, then whenever something may have changed; the last has an end state. A parked rotation
 * (`needs-attention`) goes on to be watched, unless the caller stops.
 * @throws RotateError as {@link readRotation}; Interrupted
 */
export async function* watchRotation(
  session: Session,
  ref: RotationRef,
  options: WatchOptions = {},
): AsyncGenerator<Watched, void, undefined> {
  const { pollMs = 250, patienceMs = 600_000 } = options;
  let after = options.after ?? 0;
  let awaySince: number | undefined;
  let looksLeft = closeLooks;
  for (;;) {
    let ms = pollMs;
    try {
      const reading = await readRotation(session, ref, { after });
      awaySince = undefined;
      after = reading.events.at(-1)?.n ?? after;
      yield reading;
      if (isEndState(reading.status.state)) return;
      if (looksLeft > 0 && isNearItsEnd(reading.status)) {
        looksLeft -= 1;
        ms = Math.min(closePollMs, pollMs);
      }
    } catch (error) {
      if (!(error instanceof RotateError) || error.type !== 'TemporalUnreachable') throw error;
      awaySince ??= Date.now();
      if (Date.now() - awaySince > patienceMs) throw error;
      yield { from: 'away', error };
    }
    await pause(ms, session.signal);
  }
}

/** At its last step or through with it, and not waiting there. */
function isNearItsEnd({ state, steps }: RotationStatus): boolean {
  const last = steps.at(-1)?.state;
  return state === 'running' && (last === 'running' || last === 'done');
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    throw interrupted(error);
  }
}
