/** Encrypt: the new value into the repo, on the rotation's branch; later to main; and back. */
import type { Credential } from '../domain/credential.js';
import type { Fence } from '../domain/fence.js';
import { RotateError } from '../domain/failure.js';
import type { SecretValue } from '../domain/secret-value.js';
import type { SecretSpec } from '../domain/spec.js';
import type { NewContent, RotationActivities, RotationScope, SealedSecret } from './api.js';
import { baseOf, credentialAt, inFile, pulse, secretOf } from './common.js';
import type { EffectInRepo, SecretFields, Services, Snapshot } from './ports.js';
import { openCredential } from './sealed.js';
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
    // Someone rekeyed the file or changed its rules: the old value is encrypted again for what main has now.
    const tip = await services.repo.at(reverted.tip, pulse().signal);
    await refuseForeignValues(services, tip, scope, secrets);
    files = await encryptAll(services, tip, scope, secrets, 'old');
    base = reverted.tip;
  }
  throw new RotateError('GitConflict', `\`${main}\` moves on faster than the old value can be written back`, {
    hint: `hold back pushes to \`${main}\` until it is written`,
  });
}

/** A value on main that is neither the old nor the new one is someone's own work. @throws RotateError RepoChanged */
async function refuseForeignValues(
  services: Services,
  tip: Snapshot,
  scope: RotationScope,
  secrets: readonly Required<SealedSecret>[],
): Promise<void> {
  for (const sealed of secrets) {
    const secret = secretOf(tip.config, scope.environment, sealed.name);
    const there = await credentialAt(services, tip, secret);
    const old = await openCredential(services, sealed.old);
    const fresh = await openCredential(services, sealed.fresh);
    if (there.value.equals(old.value) || there.value.equals(fresh.value)) continue;
    throw new RotateError(
      'RepoChanged',
      `someone wrote a third value of ${scope.environment}/${sealed.name} to the main branch (${tip.commit.slice(0, 12)}); it is not overwritten`,
      { hint: `put the old value back by hand, then \`rotate retry ${scope.id}\`` },
    );
  }
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

/** The secrets' files with the sealed values in them, the rest of each file as it is in `snapshot`. */
async function encryptAll(
  services: Services,
  snapshot: Snapshot,
  scope: RotationScope,
  secrets: readonly Required<SealedSecret>[],
  which: 'old' | NewContent,
): Promise<Record<string, Uint8Array>> {
  // Several secrets may be parts of one file: each goes into what the one before has made.
  const contents = new Map<string, { secret: SecretSpec; content: SecretValue }>();
  for (const sealed of secrets) {
    const secret = secretOf(snapshot.config, scope.environment, sealed.name);
    const old = await openCredential(services, sealed.old);
    const fresh = await openCredential(services, sealed.fresh);
    const before = contents.get(secret.file)?.content ?? (await snapshot.read(secret));
    const content = inFile(secret, () =>
      services.formats.render(secret.format, fieldsOf(secret, { old, fresh }, which), before),
    );
    contents.set(secret.file, { secret, content });
  }
  const files: Record<string, Uint8Array> = {};
  for (const [file, { secret, content }] of contents) files[file] = await snapshot.encrypt(secret, content);
  return files;
}

/** A list keeps the old value behind the new one as long as it is to be accepted. */
function fieldsOf(
  { format }: SecretSpec,
  { old, fresh }: { old: Credential; fresh: Credential },
  which: 'old' | NewContent,
): SecretFields {
  const { account, value, previous = [] } = which === 'old' ? old : fresh;
  const listed = which === 'old' ? previous : which === 'both' ? [old.value] : [];
  return {
    password: value,
    ...(account === undefined ? {} : { role: account }),
    ...(format.list === undefined ? {} : { previous: listed }),
  };
}
