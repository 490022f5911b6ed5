/** What the secrets' files hold, with other values in them: the rest of each file stays as it is in a commit. */
import { createHash } from 'node:crypto';
import type { Credential } from '../domain/credential.js';
import { RotateError } from '../domain/failure.js';
import type { SecretValue } from '../domain/secret-value.js';
import { formatSecretRef, type SecretSpec } from '../domain/spec.js';
import type { NewContent, RotationScope, SealedSecret } from './api.js';
import { credentialIn, inFile, secretOf } from './common.js';
import type { SecretFields, Services, Snapshot } from './ports.js';
import { openCredential } from './sealed.js';

/** By file. */
export type Contents = ReadonlyMap<string, { secret: SecretSpec; content: SecretValue }>;

/**
 * The files of the secrets at a commit with the sealed values in them.
 * @param which where it is the old value, `fresh` may be unknown
 * @throws RotateError RepoChanged when the value there is not the rotation's: it is someone's own work; and when a file
 *   cannot be opened or is not in its form
 */
export async function contentsWith(
  services: Pick<Services, 'formats' | 'sealer'>,
  there: Snapshot,
  scope: RotationScope,
  secrets: readonly SealedSecret[],
  which: 'old' | NewContent,
): Promise<Contents> {
  // Several secrets may be parts of one file: each goes into what the one before has made.
  const contents = new Map<string, { secret: SecretSpec; content: SecretValue }>();
  for (const sealed of secrets) {
    const secret = secretOf(there.config, scope.environment, sealed.name);
    const before = contents.get(secret.file)?.content ?? (await there.read(secret));
    const old = await openCredential(services, sealed.old);
    const fresh = sealed.fresh === undefined ? old : await openCredential(services, sealed.fresh);
    // The second deploy begins from the new value, and nothing of ours takes that back.
    const ours = which === 'new' ? [fresh] : [old, fresh];
    const { value } = credentialIn(services, secret, before);
    if (!ours.some((credential) => credential.value.equals(value)))
      throw new RotateError(
        'RepoChanged',
        `someone wrote another value of ${formatSecretRef(secret)} to the main branch (${there.commit.slice(0, 12)}); it is not overwritten`,
        { hint: whatNext(scope, which) },
      );
    const fields = fieldsOf(secret, { old, fresh }, which);
    const content = inFile(secret, () => services.formats.render(secret.format, fields, before));
    contents.set(secret.file, { secret, content });
  }
  return contents;
}

/** Where it is said in the first deploy, all is undone by itself; else a person is asked for. */
function whatNext({ id }: RotationScope, which: 'old' | NewContent): string {
  if (which === 'old') return `put the old value back by hand, then \`rotate retry ${id}\``;
  if (which === 'both')
    return 'see who wrote it, and that it is deployed where it is used; then rotate once more';
  return `where it is the right one, \`rotate abort ${id}\` leaves it as it is; else put the new value of the rotation back by hand, then \`rotate retry ${id}\``;
}

/** Their ciphertext, for the readers that the rules at `there` name. */
export async function encryptContents(
  there: Snapshot,
  contents: Contents,
): Promise<Record<string, Uint8Array>> {
  const files: Record<string, Uint8Array> = {};
  for (const [file, { secret, content }] of contents) files[file] = await there.encrypt(secret, content);
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

/** SHA-256 in hex, as hosts tell it of an installed file. */
export function digestOf(content: SecretValue): string {
  const bytes = content.bytes();
  const digest = createHash('sha256').update(bytes).digest('hex');
  bytes.fill(0);
  return digest;
}
