/** Encrypt: the new value into the repo, on the rotation's branch; later to main; and back. */
import type { Fence } from '../domain/fence.js';
import { RotateError } from '../domain/failure.js';
import type { NewContent, RotationActivities, RotationScope, SealedSecret } from './api.js';
import { baseOf, pulse, secretOf } from './common.js';
import { contentsWith, encryptContents } from './contents.js';
import type { EffectInRepo, Services, Snapshot } from './ports.js';
import { ulidTime } from './ulid-time.js';

export function repoActivities(
  services: Services,
): Pick<RotationActivities, 'reserve' | 'publish' | 'merge' | 'unpublish'> {
  return {
    async reserve({ scope, fence }) {
      await services.repo.reserve(effectOf(scope, fence));
    },

    async publish({ scope, secrets, digest, fence, content }) {
      const snapshot = await baseOf(services, scope);
      const files = await encryptAll(services, snapshot, scope, secrets, content);
      const commit = await services.repo.publish({
        ...effectOf(scope, fence),
        base: scope.base,
        files,
        planDigest: digest,
      });
      return { commit };
    },

    async merge({ scope, commit, secrets, digest, fence, content }) {
      const { signal } = pulse();
      const branch = await services.repo.at(commit, signal);
      let base = scope.base;
      let files = await blobs(branch, scope);
      const main = await services.repo.mainBranch();
      // Main may move again while the value is encrypted for its tip.
      for (let race = 0; race < maxRaces; race += 1) {
        const result = await services.repo.merge({
          ...effectOf(scope, fence),
          main,
          base,
          branchCommit: commit,
          files,
          planDigest: digest,
          sameRules: (tip) => sameRules(services, scope, base, tip),
        });
        if ('merged' in result) return { merged: result.merged };
        // Ciphertext is never merged as text: it is written again from the sealed value, on what main has now.
        const tip = await services.repo.at(result.changed, signal);
        files = await encryptAll(services, tip, scope, secrets, content);
        base = result.changed;
      }
      throw new RotateError('GitConflict', `\`${main}\` moves on faster than the new value can be merged`, {
        hint: `hold back pushes to \`${main}\` until it is merged`,
      });
    },

    async unpublish({ scope, commit, mayBeMerged, secrets, fence }) {
      const snapshot = await baseOf(services, scope);
      if (mayBeMerged) await writeBack(services, snapshot, scope, commit, secrets, fence);
      await services.repo.deleteBranch(effectOf(scope, fence));
    },
  };
}

const maxRaces = 5;

/** Puts the old value back on main, without overwriting what someone else wrote there meanwhile. */
async function writeBack(
  services: Services,
  snapshot: Snapshot,
  scope: RotationScope,
  commit: string | undefined,
  secrets: readonly Required<SealedSecret>[],
  fence: Fence,
): Promise<void> {
  const main = await services.repo.mainBranch();
  let base = scope.base;
  let files = await blobs(snapshot, scope);
  for (let race = 0; race < maxRaces; race += 1) {
    const reverted = await services.repo.revert({
      ...effectOf(scope, fence),
      main,
      since: scope.base,
      ...(base === scope.base ? {} : { base }),
      ...(commit === undefined ? {} : { branchCommit: commit }),
      files,
      sameRules: (tip) => sameRules(services, scope, base, tip),
    });
    if (!('tip' in reverted)) return;
    // Someone changed the file or its rules: the old value is encrypted again for what main has now.
    const tip = await services.repo.at(reverted.tip, pulse().signal);
    files = await encryptAll(services, tip, scope, secrets, 'old');
    base = reverted.tip;
  }
  throw new RotateError('GitConflict', `\`${main}\` moves on faster than the old value can be written back`, {
    hint: `hold back pushes to \`${main}\` until it is written`,
  });
}

/** Whether ciphertext made for one commit is for the right readers, and in the right form, at another. */
async function sameRules(
  services: Services,
  scope: RotationScope,
  base: string,
  tip: string,
): Promise<boolean> {
  const { signal } = pulse();
  const [before, after] = [await services.repo.at(base, signal), await services.repo.at(tip, signal)];
  for (const name of scope.secrets) {
    const [old, now] = [before, after].map((s) => secretOf(s.config, scope.environment, name));
    if (old === undefined || now === undefined || old.file !== now.file) return false;
    if (JSON.stringify(old.format) !== JSON.stringify(now.format)) return false;
    if (JSON.stringify(await before.recipients(old)) !== JSON.stringify(await after.recipients(now)))
      return false;
  }
  return true;
}

/** What every effect in git carries. */
export function effectOf(scope: RotationScope, fence: Fence): EffectInRepo {
  return {
    rotationId: scope.id,
    claims: scope.secrets.map((name) => ({ secret: { environment: scope.environment, name }, fence })),
    date: ulidTime(scope.id),
    signal: pulse().signal,
  };
}

/** The ciphertext of the secrets as it stands in a commit. */
async function blobs(snapshot: Snapshot, scope: RotationScope): Promise<Record<string, Uint8Array>> {
  const files: Record<string, Uint8Array> = {};
  for (const name of scope.secrets) {
    const secret = secretOf(snapshot.config, scope.environment, name);
    files[secret.file] = await snapshot.ciphertext(secret);
  }
  return files;
}

/** The secrets' files with the sealed values in them, the rest of each file as it is in `there`. */
async function encryptAll(
  services: Services,
  there: Snapshot,
  scope: RotationScope,
  secrets: readonly Required<SealedSecret>[],
  which: 'old' | NewContent,
): Promise<Record<string, Uint8Array>> {
  return encryptContents(there, await contentsWith(services, there, scope, secrets, which));
}
