/** The locks of a rotation. */
import { claimId, fileClaimId } from './ids.js';
import type { Journal } from './journal.js';

/** Ids of the claims that a rotation takes, sorted, so that two rotations meet at the same one first. */
export function claimsOf(journal: Journal): string[] {
  return [...new Set(journal.plan.secrets.flatMap(claimsFor))].sort();
}

/** Ids of the claims that a rotation of the secret needs: that of its file, too, where other secrets live in it. */
export function claimsFor(secret: {
  environment: string;
  name: string;
  file: string;
  sharesFile: boolean;
}): string[] {
  const { environment, name, file, sharesFile } = secret;
  return [claimId(environment, name), ...(sharesFile ? [fileClaimId(environment, file)] : [])];
}

/** How often a claim is looked at whose holder has ended, as it may just be letting go; after that it was given up. */
export const claimTries = 5;
export const betweenClaimTriesMs = 300;
