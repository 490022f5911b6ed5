/** Whether anything asks for a secret to be rotated: its age limit or a schedule, whatever window or freeze there is. */
import { ageOf, type AgeLimit } from './age.js';
import type { SecretFacts } from './due-verdict.js';
import { dueNow } from './due.js';
import type { ConfigSpec, SecretRef } from './spec.js';

export interface Standing {
  /**
   * `due`: a schedule starts it as soon as it may. `overdue`: it is past its age limit, or has one and was never
   * rotated. `due-soon`: its age limit comes near.
   */
  state: 'ok' | 'due-soon' | 'due' | 'overdue';
  /** When it is due, or was, RFC 3339 in UTC; absent where nobody knows since when. */
  dueAt?: string;
}

/**
 * Nobody says here since when a schedule exists, which Temporal alone knows: it is taken as if it had always been. So a
 * new calendar asks for what was not rotated since its last time, while the schedule waits for its next one. A false
 * alarm that a rotation ends is better than none where nothing is rotated.
 *
 * @param facts with what runs or is parked left out, it is `due` all the same
 * @param now RFC 3339
 * @returns undefined when nothing ever asks for it
 */
export function standingOf(
  { schedules }: Pick<ConfigSpec, 'schedules'>,
  secret: SecretRef & AgeLimit,
  facts: SecretFacts,
  now: string,
): Standing | undefined {
  const age = ageOf(secret, facts.lastSuccess, now);
  const asked = schedules
    .filter((s) => s.environment === secret.environment && s.secrets.includes(secret.name))
    .flatMap((schedule) => dueNow({ schedule, freezes: [], secrets: [facts], now }).secrets);
  if (age === undefined && asked.length === 0) return undefined;
  const times = [
    ...(age !== undefined && 'dueAt' in age ? [age.dueAt] : []),
    ...asked.flatMap(({ dueAt }) => (dueAt === undefined ? [] : [dueAt])),
  ].toSorted();
  const [dueAt] = times;
  return { state: stateOf(), ...(dueAt === undefined ? {} : { dueAt }) };

  function stateOf(): Standing['state'] {
    if (age?.state === 'overdue' || age?.state === 'never') return 'overdue';
    if (asked.some(({ state }) => state !== 'not-due')) return 'due';
    return age?.state === 'due-soon' ? 'due-soon' : 'ok';
  }
}
