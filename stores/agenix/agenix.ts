/** The agenix store: `.age` files, and a rules file that names who may read each. */
import { RotateError } from '../../domain/failure.js';
import type { SecretValue } from '../../domain/secret-value.js';
import { encrypt, openWithKeyring } from '../age/file.js';
import { isArmored } from '../age/header.js';
import { parseRecipients } from '../age/recipient.js';
import { readIfExists, replaceFile, resolveInside } from '../checkout.js';
import type { FileRule, Store } from '../store.js';
import { evaluateRules, type EvaluateOptions } from './evaluate.js';
import { ruleOf, rulesByPath } from './rules.js';

/**
 * The store of one checkout. The rules are evaluated once, at first use: a checkout is at one commit.
 *
 * @param options where the checkout and its rules are; see {@link EvaluateOptions}.
 */
export function agenixStore(options: EvaluateOptions): Store {
  const { root, rules } = options;
  let known: Promise<ReadonlyMap<string, FileRule>> | undefined;
  const places = new Map<string, Promise<string>>();
  /** Of files that were read. */
  const armored = new Map<string, boolean>();

  /** @throws RotateError as {@link resolveInside} */
  function placeOf(path: string): Promise<string> {
    const place = places.get(path) ?? resolveInside(root, path);
    places.set(path, place);
    place.catch(() => places.delete(path));
    return place;
  }

  async function load(): Promise<ReadonlyMap<string, FileRule>> {
    const file = await resolveInside(root, rules).catch(noRules);
    if ((await readIfExists(file)) === undefined) noRules();
    return rulesByPath(await evaluateRules(options), root, rules);
  }

  function noRules(cause?: unknown): never {
    throw new RotateError('BadRules', `there is no rules file ${rules} in the repo`, {
      hint: 'set `rules` of the environment in rotate.yaml to the path of secrets.nix',
      cause,
    });
  }

  function recipients(): Promise<ReadonlyMap<string, FileRule>> {
    // a failure is not kept: it may have been the machine's (no memory, no process)
    known ??= load().catch((error: unknown) => {
      known = undefined;
      throw error;
    });
    return known;
  }

  async function ciphertext(path: string): Promise<Uint8Array> {
    const file = await readIfExists(await placeOf(path));
    if (file === undefined)
      throw new RotateError('UnknownSecret', `there is no ${path} in the repo`, {
        hint: 'make it with `agenix -e`, commit and push it',
      });
    armored.set(path, isArmored(file));
    return file;
  }

  async function recipientsOf(path: string): Promise<readonly string[]> {
    const rule = ruleOf(await recipients(), path, rules);
    try {
      parseRecipients(rule.recipients);
    } catch (error) {
      throw ofFile(error, path, rules);
    }
    return rule.recipients;
  }

  async function encryptFor(path: string, value: SecretValue): Promise<Uint8Array> {
    const rule = ruleOf(await recipients(), path, rules);
    // a file that someone armored by hand stays armored: the diff should show a new value, not a new format
    const armor = rule.armor || (armored.get(path) ?? (await isArmoredThere(path)));
    const plaintext = value.bytes();
    try {
      return await encrypt(plaintext, rule.recipients, { armor });
    } catch (error) {
      throw ofFile(error, path, rules);
    } finally {
      plaintext.fill(0);
    }
  }

  async function isArmoredThere(path: string): Promise<boolean> {
    const old = await readIfExists(await placeOf(path));
    return old !== undefined && isArmored(old);
  }

  return {
    recipients,
    recipientsOf,
    ciphertext,
    encrypt: encryptFor,

    async read(path, keyring) {
      return openWithKeyring(await ciphertext(path), keyring, path);
    },

    async write(path, value) {
      const bytes = await encryptFor(path, value);
      await replaceFile(await placeOf(path), bytes);
      return bytes;
    },
  };
}

/** Says for which file a recipient is bad: the recipient's own line does not. */
function ofFile(error: unknown, path: string, rules: string): unknown {
  if (!(error instanceof RotateError)) return error;
  return new RotateError(error.type, `${rules}, keys of ${path}: ${error.message}`, {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...(error.details === undefined ? {} : { details: error.details }),
    cause: error.cause,
  });
}
