/**
 * Names of the user's in git's refs and in paths of the log: percent-encoded where
 * git forbids a character, so that any name is a legal component and no two names
 * share one. Rules: git-check-ref-format(1).
 */
import { createHash } from 'node:crypto';
import { RotateError } from '../domain/failure.js';
import { formatSecretRef, type SecretRef } from '../domain/spec.js';

/** A file system's longest name is 255 bytes, and git adds `.lock`. */
const longest = 200;

/**
 * `name` as one component of a ref (never with a slash in it).
 * @throws RotateError Usage for an empty name and one that is no Unicode text
 */
export function refComponent(name: string): string {
  if (name === '' || /\p{Surrogate}/u.test(name))
    throw new RotateError('Usage', `${JSON.stringify(name)} is no name`);
  const encoded = [...Buffer.from(name, 'utf8')]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return /[A-Za-z0-9_+=,.-]/.test(character) ? character : percent(byte);
    })
    .join('')
    .replace(/^-|^\.|\.(?=\.)|\.$|\.(?=lock$)/gi, (character) => percent(character.charCodeAt(0)));
  if (encoded.length <= longest) return encoded;
  // `%%` is in no encoded name, so that a shortened one is equal to none of them
  return `${encoded.slice(0, longest - 66)}%%${createHash('sha256').update(name).digest('hex')}`;
}

function percent(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}

/** `refs/rotate/claims/<env>/<secret>`: the chain of claims of a secret. */
export function claimRef(secret: SecretRef): string {
  return `refs/rotate/claims/${refComponent(secret.environment)}/${refComponent(secret.name)}`;
}

/** The branch that keeps what happened. */
export const logBranch = 'rotate-log';

/** For messages. */
export function tellSecrets(secrets: readonly SecretRef[]): string {
  return secrets.map(formatSecretRef).join(', ');
}
