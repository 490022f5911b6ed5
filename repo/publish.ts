/**
 * Effects on the remote: each is pushed in one atomic push with the claims of its
 * secrets, so that a late attempt is refused by git itself, and each first looks
 * whether it has happened already.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { RotateError } from '../domain/failure.js';
import { rotationBranch } from '../domain/ids.js';
import { claimsInClone, nextClaims, standing, type Claim } from './claims.js';
import type { Clone } from './clone.js';
import type { Signature } from './commit.js';
import { pushRefs, type RefUpdate } from './push.js';
import { tellSecrets } from './ref-name.js';
import { assertCommit } from './repo-path.js';

const races = 6;

/** What every effect needs. */
export interface Effect {
  rotationId: string;
  /** One for each secret that the effect is about; at least one. */
  claims: readonly Claim[];
  /** Of the claims' commits: the same for every attempt. */
  author: Signature;
  signal?: AbortSignal;
}

/** What a look at the fetched remote says is to be done. */
export type Decision<T> =
  /** Push these and the claims. Nothing to push still raises the fence. */
  | { push: readonly RefUpdate[]; result: T }
  /** Leave the remote, and the fence, as they are. */
  | { stop: T };

/**
 * Fetches, lets `decide` look, pushes what it says together with the claims, and begins anew when someone
 * else was quicker.
 * @param decide handed whether an attempt with this very fence has acted before
 * @throws RotateError Superseded; GitConflict when others are quicker time and again; and those of
 *   {@link pushRefs}
 */
export async function publish<T>(
  clone: Clone,
  effect: Effect,
  decide: (acted: boolean) => Promise<Decision<T>>,
): Promise<T> {
  const { rotationId, claims, author, signal } = effect;
  if (claims.length === 0) throw new RotateError('Internal', `rotation ${rotationId} pushes without a claim`);
  let why = '';
  for (let race = 0; race < races; race += 1) {
    if (race > 0)
      await sleep(Math.random() * 100 * 2 ** race, undefined, signal === undefined ? {} : { signal });
    await clone.fetch(signal);
    const stored = await claimsInClone(
      clone,
      claims.map(({ secret }) => secret),
    );
    const { acted } = standing(rotationId, claims, stored);
    const decision = await decide(acted);
    if ('stop' in decision) return decision.stop;
    if (decision.push.length === 0 && acted) return decision.result;
    const next = await nextClaims(clone, rotationId, claims, stored, author);
    const updates = [...decision.push, ...next.map(({ ref, commit }) => ({ ref, to: commit }))];
    const outcome = await pushRefs(clone, updates, signal);
    if (outcome.result === 'pushed') return decision.result;
    why = outcome.why;
  }
  throw new RotateError('GitConflict', `others push to the repository all the time: ${why}`, {
    hint: `the effect on ${tellSecrets(claims.map(({ secret }) => secret))} is tried again; if it stays so, look for a lock file left at the remote`,
  });
}

/** Raises the fence in git, for an undo that finds nothing to do. @throws see {@link publish} */
export async function publishClaims(clone: Clone, effect: Effect): Promise<void> {
  await publish(clone, effect, async () => ({ push: [], result: undefined }));
}

export interface PushedBranch {
  /** `exists`: an earlier attempt of the same command pushed another commit, which is to be used instead. */
  result: 'pushed' | 'already' | 'exists';
  branch: string;
  commit: string;
}

/**
 * Puts the branch `rotate/<id>` at `commit`. A branch of an earlier command (a lower fence) is replaced.
 * @throws RotateError see {@link publish}
 */
export async function pushBranch(clone: Clone, effect: Effect & { commit: string }): Promise<PushedBranch> {
  const { commit } = effect;
  assertCommit(commit);
  const branch = rotationBranch(effect.rotationId);
  return publish<PushedBranch>(clone, effect, async (acted) => {
    const current = await clone.tip(branch);
    if (current === commit) return { push: [], result: { result: 'already', branch, commit } };
    if (current !== undefined && acted) return { stop: { result: 'exists', branch, commit: current } };
    if ((await clone.tip('rotate')) !== undefined)
      throw new RotateError(
        'GitRefused',
        'the remote has a branch `rotate`, so that there can be no `rotate/…`',
        {
          hint: 'rename or delete that branch',
        },
      );
    const update = { ref: `refs/heads/${branch}`, to: commit, lease: { at: current } };
    return { push: [update], result: { result: 'pushed', branch, commit } };
  });
}

/**
 * Deletes the branch `rotate/<id>`; one that is gone already is success, and the fence is raised all the same.
 * @throws RotateError see {@link publish}
 */
export async function deleteBranch(clone: Clone, effect: Effect): Promise<{ deleted: boolean }> {
  const branch = rotationBranch(effect.rotationId);
  return publish<{ deleted: boolean }>(clone, effect, async () => {
    const current = await clone.tip(branch);
    if (current === undefined) return { push: [], result: { deleted: false } };
    const update = { ref: `refs/heads/${branch}`, to: undefined, lease: { at: current } };
    return { push: [update], result: { deleted: true } };
  });
}
