/**
 * The repo at single commits, as the activities see it: configuration, rules and
 * secrets. What a commit holds never changes, so all of it is cached but values.
 */
import { parseRotateYaml } from '../config/rotate-yaml.js';
import type { Snapshot } from '../activities/ports.js';
import { RotateError } from '../domain/failure.js';
import { formatSecretRef, type ConfigSpec, type SecretSpec } from '../domain/spec.js';
import type { Clone } from '../repo/clone.js';
import { agenixStore } from '../stores/agenix/agenix.js';
import { openWithKeyring } from '../stores/age/file.js';
import type { AgeIdentity } from '../stores/age/identity.js';
import type { Store } from '../stores/store.js';
import { cached } from './cached.js';

const fileName = 'rotate.yaml';
/** Commits whose configuration and rules are kept in memory. */
const keptCommits = 50;
/** Ciphertexts that are; each is a few kilobytes. */
const keptFiles = 2_000;

export class Snapshots {
  readonly #clone: Clone;
  readonly #keyring: readonly AgeIdentity[];
  readonly #configs = new Map<string, Promise<ConfigSpec>>();
  /** By commit and path. */
  readonly #files = new Map<string, Promise<Uint8Array | undefined>>();
  /** By the working tree and the rules in it, which are evaluated once. */
  readonly #stores = new Map<string, Promise<Store>>();

  /** @param keyring the worker's identities, newest first */
  constructor(clone: Clone, keyring: readonly AgeIdentity[]) {
    this.#clone = clone;
    this.#keyring = keyring;
  }

  /**
   * @throws RotateError BadConfig when the commit has no rotate.yaml, or a bad one; GitFailed with the commit as
   *   `missing` in its details when neither this clone nor the remote has it
   */
  async at(commit: string, signal: AbortSignal): Promise<Snapshot> {
    const config = await cached(this.#configs, keptCommits, commit, () => this.#readConfig(commit, signal));
    const ciphertext = async (secret: SecretSpec): Promise<Uint8Array> => {
      const bytes = await cached(this.#files, keptFiles, `${commit}:${secret.file}`, () =>
        this.#clone.readBlob(commit, secret.file),
      );
      if (bytes !== undefined) return bytes;
      throw new RotateError(
        'UnknownSecret',
        `${formatSecretRef(secret)}: there is no ${secret.file} at ${commit.slice(0, 12)}`,
        {
          hint: 'make it with `agenix -e`, commit and push it',
        },
      );
    };
    const inStore = <T>(secret: SecretSpec, work: (store: Store) => Promise<T>): Promise<T> =>
      this.#inStore(commit, config, secret, signal, work);
    return {
      commit,
      config,
      ciphertext,
      recipients: (secret) => inStore(secret, async (store) => [...(await store.recipientsOf(secret.file))]),
      read: async (secret) =>
        (await openWithKeyring(await ciphertext(secret), this.#keyring, secret.file)).value,
      encrypt: (secret, content) => inStore(secret, (store) => store.encrypt(secret.file, content)),
    };
  }

  async #readConfig(commit: string, signal: AbortSignal): Promise<ConfigSpec> {
    await this.#bring(commit, signal);
    const path = await this.#findConfig(commit);
    const bytes = await this.#clone.readBlob(commit, path);
    return parseRotateYaml(new TextDecoder().decode(bytes), `${path} (at ${commit.slice(0, 12)})`);
  }

  /** Another worker, on another disk, may have made the commit. */
  async #bring(commit: string, signal: AbortSignal): Promise<void> {
    if ((await this.#clone.resolve(commit)) !== undefined) return;
    await this.#clone.fetch(signal);
    if ((await this.#clone.resolve(commit)) !== undefined) return;
    throw new RotateError('GitFailed', `the repo has no commit ${commit.slice(0, 12)}`, {
      hint: 'see whether its branch was deleted or rewritten by force, and push the commit again',
      details: { missing: commit },
    });
  }

  /** At the root of the repo, or beside flake.nix. */
  async #findConfig(commit: string): Promise<string> {
    const paths = (await this.#clone.listTree(commit)).map((entry) => entry.path);
    if (paths.includes(fileName)) return fileName;
    const beside = paths.filter(
      (path) =>
        path.endsWith(`/${fileName}`) && paths.includes(`${path.slice(0, -fileName.length)}flake.nix`),
    );
    const [only, another] = beside;
    if (only !== undefined && another === undefined) return only;
    throw new RotateError(
      'BadConfig',
      only === undefined
        ? `the repo has no ${fileName} at ${commit.slice(0, 12)}`
        : `the repo has several ${fileName}: ${beside.join(', ')}`,
      { hint: 'put it at the root of the repo, commit and push it' },
    );
  }

  /** Runs `work` on the store of the secret's environment, in a working tree of the commit. */
  async #inStore<T>(
    commit: string,
    config: ConfigSpec,
    secret: SecretSpec,
    signal: AbortSignal,
    work: (store: Store) => Promise<T>,
  ): Promise<T> {
    const rules = config.environments.find((e) => e.name === secret.environment)?.rules;
    if (rules === undefined) {
      throw new RotateError('BadConfig', `environment \`${secret.environment}\` names no rules file`, {
        hint: 'give it `rules` in rotate.yaml: the path of its secrets.nix',
      });
    }
    const tree = await this.#clone.checkout(commit, signal);
    try {
      const store = await cached(this.#stores, keptCommits, `${tree.path}:${rules}`, async () =>
        agenixStore({ root: tree.path, rules }),
      );
      return await work(store);
    } finally {
      await tree.dispose();
    }
  }
}
