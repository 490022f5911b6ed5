/** The locks of a rotation. */
import { claimId, fileClaimId } from './ids.js';
import type { Journal } from './journal.js';

/** Ids of the claims that a rotation takes, sorted, so that two rotations meet at the same one first. */
export function claimsOf(journal: Journal): string[] {
  const ids = journal.plan.secrets.flatMap((s) => [
    claimId(s.environment, s.name),
    ...(s.sharesFile ? [fileClaimId(s.environment, s.file)] : []),
  ]);
  return [...new Set(ids)].sort();
}
