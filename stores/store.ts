/**
 * A store: where the ciphertext of a secret lives, and who may read it.
 *
 * It works on a checkout, the working tree of the repo at exactly one commit. It never commits: the caller does, so
 * that one commit holds a whole batch. Paths are relative to the root of the repo, with `/`.
 */
import type { SecretValue } from '../domain/secret-value.js';
import type { Opened } from './age/file.js';
import type { AgeIdentity } from './age/identity.js';

/** What the rules say about one file. */
export interface FileRule {
  /** Public keys as the rules write them, trimmed; in the order of the rules. */
  readonly recipients: readonly string[];
  /** Whether the file is to be text instead of binary. */
  readonly armor: boolean;
}

export interface Store {
  /**
   * The rules of every file that the store knows, by path. The files need not exist.
   * @throws RotateError `BadRules` when the rules cannot be evaluated.
   */
  recipients(): Promise<ReadonlyMap<string, FileRule>>;

  /**
   * The public keys that the file at `path` is encrypted to, as the rules write them.
   * @throws RotateError `BadRules`, `BadRecipient`; `UnknownSecret` when the rules do not know the file.
   */
  recipientsOf(path: string): Promise<readonly string[]>;

  /**
   * The file at `path` as it lies in the checkout.
   * @throws RotateError `UnknownSecret` when there is no such file.
   */
  ciphertext(path: string): Promise<Uint8Array>;

  /**
   * Opens the file at `path`.
   *
   * @param keyring the identities to try, newest first.
   * @returns the content of the file (see stores/format for what is in it), and the identity that opened it.
   * @throws RotateError `CannotOpen`; `UnknownSecret` when there is no such file.
   */
  read(path: string, keyring: readonly AgeIdentity[]): Promise<Opened>;

  /**
   * The ciphertext of `value` for every recipient that the rules name for `path`. Nothing is written. A second call
   * gives other bytes: encryption is randomized.
   *
   * @throws RotateError `BadRules`, `BadRecipient`; `UnknownSecret` when the rules do not know the file.
   */
  encrypt(path: string, value: SecretValue): Promise<Uint8Array>;

  /**
   * Like {@link Store.encrypt}, and puts the result at `path` in the working tree, in one move (temporary file and
   * rename). Not for a checkout that others read as a certain commit.
   *
   * @returns the new ciphertext.
   */
  write(path: string, value: SecretValue): Promise<Uint8Array>;
}
