/** How long commands may take. An attempt of an effect has 30 s: it looks by the check, and then runs the command. */
import { parseDuration } from '../../domain/duration.js';

/** What the check and the command have together, in milliseconds; the rest is for reaching the host. */
export const attemptMs = 25_000;

export const defaultTimeouts = { check: '10s', effect: '15s' } as const;

/** Milliseconds; 0 for what is no duration. */
export function millisecondsOf(text: string): number {
  return parseDuration(text) ?? 0;
}
