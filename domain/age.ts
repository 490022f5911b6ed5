/** How old a secret's value may become (`maxAge`), and when that is told in advance (`warnBefore`). */
import { formatInstant } from './zoned-time.js';

const dayMs = 86_400_000;

/** Of a secret: see its spec. */
export interface AgeLimit {
  maxAgeMs?: number;
  warnBeforeMs?: number;
}

/** Times are RFC 3339 in UTC. */
export type Age =
  | { state: 'ok'; dueAt: string; daysLeft: number }
  /** `daysLeft`: whole days; 0 on the last one */
  | { state: 'due-soon'; dueAt: string; daysLeft: number }
  /** `daysOver`: whole days since it was to be rotated */
  | { state: 'overdue'; dueAt: string; daysOver: number }
  /** it has not been rotated yet, so that nobody knows how old it is */
  | { state: 'never' };

/**
 * The age of a secret at `now`; undefined when it has no limit.
 * @param lastSuccess when its last rotation that succeeded had ended, RFC 3339
 * @param now RFC 3339
 */
export function ageOf(limit: AgeLimit, lastSuccess: string | undefined, now: string): Age | undefined {
  const { maxAgeMs, warnBeforeMs = 0 } = limit;
  if (maxAgeMs === undefined) return undefined;
  if (lastSuccess === undefined) return { state: 'never' };
  const due = Date.parse(lastSuccess) + maxAgeMs;
  const left = due - Date.parse(now);
  const over = Date.parse(now) - due;
  const dueAt = formatInstant(due);
  if (over >= 0) return { state: 'overdue', dueAt, daysOver: Math.floor(over / dayMs) };
  return { state: left <= warnBeforeMs ? 'due-soon' : 'ok', dueAt, daysLeft: Math.floor(left / dayMs) };
}
