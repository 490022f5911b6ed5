/** What is known of a secret: from the log branch, and from who holds the claims that its rotation needs. */
import { setTimeout as sleep } from 'node:timers/promises';
import { betweenClaimTriesMs, claimsFor, claimTries } from '../domain/claims.js';
import type { SecretFacts } from '../domain/due-verdict.js';
import { ulidOf } from '../domain/ids.js';
import type { SecretSpec } from '../domain/spec.js';
import { factsFrom } from '../domain/facts.js';
import type { RotationRecord } from '../repo/record.js';
import { sharesFile } from './common.js';
import type { Services } from './ports.js';

/** Claims that are looked up at once. */
export const lookUps = 8;

type FiledSecret = Pick<SecretSpec, 'environment' | 'name' | 'file'>;

/** @param records of the environment, newest first */
export async function factsOf(
  services: Pick<Services, 'claims'>,
  config: { secrets: readonly FiledSecret[] },
  secret: FiledSecret,
  records: readonly RotationRecord[],
): Promise<SecretFacts> {
  const facts = factsFrom(records, secret.name);
  for (const claim of claimsFor({ ...secret, sharesFile: sharesFile(config, secret) })) {
    const holder = await holderOf(services, claim);
    if (holder !== undefined) return { ...facts, ...holder };
  }
  return facts;
}

/** Undefined when nobody holds the claim. Tells by the same rule as a rotation that takes it (take-claims.ts). */
async function holderOf(
  { claims }: Pick<Services, 'claims'>,
  claim: string,
): Promise<Pick<SecretFacts, 'running' | 'parked' | 'givenUp'> | undefined> {
  for (let tries = 1; ; tries += 1) {
    const held = await claims.lookUp(claim);
    if (held === undefined) return undefined;
    const id = ulidOf(held.holder) ?? held.holder;
    if (held.running)
      return (await claims.stateOf(held.holder)) === 'needs-attention' ? { parked: id } : { running: id };
    if (tries === claimTries) return { givenUp: id };
    await sleep(betweenClaimTriesMs);
  }
}
