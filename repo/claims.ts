/**
 * The git side of the fence: `refs/rotate/claims/<env>/<secret>` is a chain of empty
 * commits, each with the rotation and the fence of one effect, pushed together with
 * that effect and never by force. Its newest commit is the highest fence that git
 * has stored.
 */
import { RotateError } from '../domain/failure.js';
import { compareFences, formatFence, parseFence, type Fence } from '../domain/fence.js';
import { formatSecretRef, type SecretRef } from '../domain/spec.js';
import type { Clone } from './clone.js';
import { commitTree, oneLine, trailers, type Signature } from './commit.js';
import { gitText } from './git.js';
import { claimRef } from './ref-name.js';

/** With which fence an effect on a secret is to be done. */
export interface Claim {
  secret: SecretRef;
  fence: Fence;
}

/** What the remote has stored for a secret. */
export interface StoredClaim extends Claim {
  rotationId: string;
  /** The claim's own commit. */
  commit: string;
}

/**
 * The highest claims at the remote, for those of `secrets` that have one. Fetches first.
 * @throws RotateError GitUnreachable, GitAuthFailed; GitFailed for a claim that cannot be read
 */
export async function readClaims(
  clone: Clone,
  secrets: readonly SecretRef[],
  signal?: AbortSignal,
): Promise<StoredClaim[]> {
  await clone.fetch(signal);
  return claimsInClone(clone, secrets);
}

/** {@link readClaims} as of the last fetch. */
export async function claimsInClone(clone: Clone, secrets: readonly SecretRef[]): Promise<StoredClaim[]> {
  const claims: StoredClaim[] = [];
  for (const secret of secrets) {
    const ref = claimRef(secret);
    const commit = await clone.resolve(ref);
    if (commit === undefined) continue;
    const body = await gitText(clone.git, { args: ['log', '-1', '--format=%B', commit, '--'] });
    const rotationId = trailer(body, trailers.id);
    const fence = parseFence(trailer(body, trailers.fence) ?? '');
    if (rotationId === undefined || fence === undefined)
      throw new RotateError('GitFailed', `${ref} at ${clone.remote} is no claim of rotate`, {
        hint: 'someone else wrote to it: find out who, then delete the ref at the remote',
      });
    claims.push({ secret, fence, rotationId, commit });
  }
  return claims;
}

function trailer(body: string, key: string): string | undefined {
  return body
    .split('\n')
    .find((line) => line.startsWith(`${key}: `))
    ?.slice(key.length + 2)
    .trim();
}

/** Where an effect stands that wants to be done with `claims`. */
export interface Standing {
  /** Every claim is stored with just this fence, by this rotation: an attempt has acted before. */
  acted: boolean;
  stored: readonly StoredClaim[];
}

/**
 * Compares what is stored with what an attempt holds.
 * @throws RotateError Superseded when a higher fence is stored, or the same by another rotation
 */
export function standing(
  rotationId: string,
  claims: readonly Claim[],
  stored: readonly StoredClaim[],
): Standing {
  let acted = true;
  for (const { secret, fence } of claims) {
    const other = stored.find((each) => sameSecret(each.secret, secret));
    const order = other === undefined ? 1 : compareFences(fence, other.fence);
    // An epoch belongs to one rotation: another that computed the same one (on another Temporal server) lost the race.
    const foreign =
      other !== undefined && other.rotationId !== rotationId && other.fence.epoch >= fence.epoch;
    if (other !== undefined && (order < 0 || foreign))
      throw new RotateError(
        'Superseded',
        `${formatSecretRef(secret)} belongs to rotation ${other.rotationId} by now: its fence in git is ${formatFence(other.fence)}, that of this attempt of ${rotationId} ${formatFence(fence)}`,
        {
          hint: `nothing was changed; see \`rotate status ${other.rotationId}\``,
          details: {
            secret: formatSecretRef(secret),
            fence: formatFence(other.fence),
            rotationId: other.rotationId,
          },
        },
      );
    if (order !== 0) acted = false;
  }
  return { acted, stored };
}

/** Makes the next commit of each claim's chain. The same for every attempt on the same state. */
export async function nextClaims(
  clone: Clone,
  rotationId: string,
  claims: readonly Claim[],
  stored: readonly StoredClaim[],
  author: Signature,
): Promise<{ ref: string; commit: string }[]> {
  const tree = await gitText(clone.git, { args: ['mktree'], input: '' });
  const next = [];
  for (const { secret, fence } of claims) {
    const parent = stored.find((each) => sameSecret(each.secret, secret))?.commit;
    const subject = `claim ${oneLine(formatSecretRef(secret))} ${formatFence(fence)}`;
    const message = `${subject}\n\n${trailers.id}: ${rotationId}\n${trailers.fence}: ${formatFence(fence)}\n`;
    next.push({
      ref: claimRef(secret),
      commit: await commitTree(clone, tree, parent, message, author, { sign: false }),
    });
  }
  return next;
}

function sameSecret(a: SecretRef, b: SecretRef): boolean {
  return a.environment === b.environment && a.name === b.name;
}
