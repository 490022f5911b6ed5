/** Encrypt: the new value into the repo, on the rotation's branch; later to main; and back. */
import type { Fence } from '../domain/fence.js';
import { RotateError } from '../domain/failure.js';
import type { RotationActivities, RotationScope, SealedSecret } from './api.js';
import { baseOf, pulse, secretOf } from './common.js';
import type { EffectInRepo, Services, Snapshot } from './ports.js';
import { openCredential } from './sealed.js';
import { ulidTime } from './ulid-time.js';

export function repoActivities(
  services: Services,
): Pick<RotationActivities, 'publish' | 'merge' | 'unpublish'> {
  return {
    async publish({ scope, secrets, digest, fence }) {
      const snapshot = await baseOf(services, scope);
      const files = await encryptAll(services, snapshot, scope, secrets, 'fresh');
      const commit = await services.repo.publish({
        ...effect(scope, fence),
        base: scope.base,
        files,
        planDigest: digest,
      });
      return { commit };
    },

    async merge({ scope, commit, secrets, fence }) {
      const { signal } = pulse();
      const branch = await services.repo.at(commit, signal);
      let base = scope.base;
      let files = await blobs(branch, scope);
      const main = await services.repo.mainBranch();
      // Main may move again while the value is encrypted for its tip.
      for (let race = 0; race < 5; race += 1) {
        const result = await services.repo.merge({
          ...effect(scope, fence),
          main,
          base,
          branchCommit: commit,
          files,
          planDigest: '',
          rules: await rulesOf(services, scope),
        });
        if ('merged' in result) return { merged: result.merged };
        // Ciphertext is never merged as text: it is written again from the sealed value, on what main has now.
        const tip = await services.repo.at(result.changed, signal);
        files = await encryptAll(services, tip, scope, secrets, 'fresh');
        base = result.changed;
      }
      throw new RotateError('GitConflict', 'main moves on faster than the new value can be merged');
    },

    async unpublish({ scope, commit, mayBeMerged, fence }) {
      const snapshot = await baseOf(services, scope);
      if (mayBeMerged) {
        const main = await services.repo.mainBranch();
        const reverted = await services.repo.revert({
          ...effect(scope, fence),
          main,
          since: scope.base,
          ...(commit === undefined ? {} : { branchCommit: commit }),
          files: await blobs(snapshot, scope),
          rules: await rulesOf(services, scope),
        });
        if (reverted.result === 'moved' || reverted.result === 'rules-changed') {
          throw new RotateError(
            'GitConflict',
            `\`${main}\` changed ${scope.secrets.join(', ')} or its rules since the rotation merged; it is not overwritten`,
            {
              hint: `look at ${reverted.tip.slice(0, 12)}, write the old value back by hand, then \`rotate retry ${scope.id}\``,
            },
          );
        }
      }
      await services.repo.deleteBranch(effect(scope, fence));
    },
  };
}

function effect(scope: RotationScope, fence: Fence): EffectInRepo {
  return {
    rotationId: scope.id,
    claims: scope.secrets.map((name) => ({ secret: { environment: scope.environment, name }, fence })),
    date: ulidTime(scope.id),
    signal: pulse().signal,
  };
}

async function rulesOf(services: Services, scope: RotationScope): Promise<string[]> {
  const { config } = await baseOf(services, scope);
  const environment = config.environments.find((e) => e.name === scope.environment);
  return environment?.rules === undefined ? [] : [environment.rules];
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

/** The secrets' files with the sealed value in them, the rest of each file as it is in `snapshot`. */
async function encryptAll(
  services: Services,
  snapshot: Snapshot,
  scope: RotationScope,
  secrets: readonly Required<SealedSecret>[],
  which: 'old' | 'fresh',
): Promise<Record<string, Uint8Array>> {
  const files: Record<string, Uint8Array> = {};
  for (const sealed of secrets) {
    const secret = secretOf(snapshot.config, scope.environment, sealed.name);
    const credential = await openCredential(services, sealed[which]);
    const content = services.formats.render(
      secret.format,
      {
        password: credential.value,
        ...(credential.account === undefined ? {} : { role: credential.account }),
      },
      await snapshot.read(secret),
    );
    files[secret.file] = await snapshot.encrypt(secret, content);
  }
  return files;
}
