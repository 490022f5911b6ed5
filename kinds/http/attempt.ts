/**
 * One attempt of a rotation at the vendor. An HTTP vendor stores no fence, so an attempt that was given up (a worker
 * frozen and thawed) has to stop by itself: it begins no request once the next attempt may run.
 */
import { RotateError } from '../../domain/failure.js';

/** How long after its begin an attempt may send requests, ms: with one more of {@link requestMs} it ends in time. */
export const budgets = {
  /** The activity ends after 60 s. */
  generate: 40_000,
  inspect: 40_000,
  /** It ends after 30 s. */
  apply: 15_000,
} as const;

/** One request with its answer, ms. */
export const requestMs = 10_000;

export interface Attempt {
  readonly signal: AbortSignal;
  /** Called before each request. @throws the signal's reason; RotateError Timeout when it is too late */
  mayGoOn(): void;
}

/** @param withinMs from now, by whichever clock has gone further: one stands still while a machine sleeps */
export function beginAttempt(signal: AbortSignal, withinMs: number): Attempt {
  const [wall, steady] = [Date.now(), performance.now()];
  return {
    signal,
    mayGoOn() {
      signal.throwIfAborted();
      if (Math.max(Date.now() - wall, performance.now() - steady) > withinMs)
        throw new RotateError(
          'Timeout',
          `nothing more is sent ${withinMs / 1000} s after the attempt began`,
          {
            hint: 'the vendor is slow; the next attempt goes on from where it is',
          },
        );
    },
  };
}
