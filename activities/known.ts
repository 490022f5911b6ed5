/** What is known of a secret: from the log branch, and from who holds its claim. */
import type { SecretFacts } from '../domain/due-verdict.js';
import { claimId, ulidOf } from '../domain/ids.js';
import type { SecretSpec } from '../domain/spec.js';
import { isEndState } from '../domain/steps.js';
import type { RotationRecord } from '../repo/record.js';
import type { Services } from './ports.js';

/** Claims that are looked up at once. */
export const lookUps = 8;

export async function factsOf(
  services: Services,
  secret: SecretSpec,
  records: readonly RotationRecord[],
): Promise<SecretFacts> {
  const success = lastSuccess(records, secret);
  const end = records.find((r) => r.secrets.includes(secret.name) && r.endedAt !== undefined);
  const claim = await services.claims.lookUp(claimId(secret.environment, secret.name));
  const holder = claim?.running === true ? claim.holder : undefined;
  const id = holder === undefined ? undefined : (ulidOf(holder) ?? holder);
  const parked = holder !== undefined && (await services.claims.stateOf(holder)) === 'needs-attention';
  return {
    name: secret.name,
    ...(success === undefined ? {} : { lastSuccess: success }),
    ...(end?.endedAt === undefined || !isEndState(end.state)
      ? {}
      : { lastEnd: { state: end.state, endedAt: end.endedAt } }),
    ...(id === undefined ? {} : parked ? { parked: id } : { running: id }),
  };
}

/** @param records newest first */
export function lastSuccess(records: readonly RotationRecord[], secret: SecretSpec): string | undefined {
  return records.find((r) => r.state === 'done' && r.secrets.includes(secret.name))?.endedAt;
}
