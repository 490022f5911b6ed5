/** What is known of a secret: from the log branch, and from who holds its claim. */
import type { SecretFacts } from '../domain/due-verdict.js';
import { claimId, ulidOf } from '../domain/ids.js';
import type { SecretSpec } from '../domain/spec.js';
import { factsFrom } from '../domain/facts.js';
import type { RotationRecord } from '../repo/record.js';
import type { Services } from './ports.js';

/** Claims that are looked up at once. */
export const lookUps = 8;

/** @param records of the environment, newest first */
export async function factsOf(
  services: Services,
  secret: SecretSpec,
  records: readonly RotationRecord[],
): Promise<SecretFacts> {
  const facts = factsFrom(records, secret.name);
  const claim = await services.claims.lookUp(claimId(secret.environment, secret.name));
  if (claim?.running !== true) return facts;
  const { holder } = claim;
  const id = ulidOf(holder) ?? holder;
  return (await services.claims.stateOf(holder)) === 'needs-attention'
    ? { ...facts, parked: id }
    : { ...facts, running: id };
}
