/** What records of rotations tell of a secret, as schedules and age limits ask for it. */
import type { SecretFacts } from './due-verdict.js';
import type { RotationStatus } from './status.js';
import { isEndState } from './steps.js';

/** A rotation as the log branch has it, or more of it. */
type Rotated = Pick<RotationStatus, 'secrets' | 'state' | 'endedAt'>;

/** @param records of the secret's environment or of the secret alone, newest first */
export function factsFrom(records: readonly Rotated[], name: string): SecretFacts {
  const own = records.filter(({ secrets }) => secrets.includes(name));
  const success = lastSuccess(own, name);
  const [lastEnd] = own.flatMap(({ state, endedAt }) =>
    isEndState(state) && state !== 'refused' && endedAt !== undefined ? [{ state, endedAt }] : [],
  );
  return {
    name,
    ...(success === undefined ? {} : { lastSuccess: success }),
    ...(lastEnd === undefined ? {} : { lastEnd }),
  };
}

/** When its last rotation that succeeded had ended. @param records newest first */
export function lastSuccess(records: readonly Rotated[], name: string): string | undefined {
  return records.find((r) => r.state === 'done' && r.secrets.includes(name))?.endedAt;
}
