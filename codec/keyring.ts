/**
 * Codec keys: what the payload codec seals with.
 *
 * The worker and its operators hold the same keyring. The newest key seals, the
 * others still open what older, open workflows hold. Whoever has no key can neither
 * read a request nor forge one.
 */
import { createHash, createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';

import { RotateError } from '../domain/failure.js';
import { systemReason } from '../domain/system-error.js';

const keyLength = 32;

export interface CodecKey {
  /** The first 8 hex digits of the key's SHA-256; stands in each payload that it sealed. */
  readonly id: string;
  /** AES-256; a KeyObject does not print its bytes. */
  readonly key: KeyObject;
}

export interface CodecKeyring {
  /** Seals. */
  readonly newest: CodecKey;
  /** The key with that id, if it is here. */
  find(id: string): CodecKey | undefined;
  /** Ids, newest first. */
  readonly ids: readonly string[];
}

/** A new key, as a line for a key file. */
export function generateCodecKey(): string {
  return randomBytes(keyLength).toString('base64');
}

/**
 * Reads the text of a key file: one key a line, 32 bytes in base64, newest first; empty lines and `#` comments
 * are skipped.
 * @param source how messages name the text, usually its path
 * @throws RotateError BadConfig, naming source and line and never the line's content
 */
export function parseCodecKeys(text: string, source: string): CodecKey[] {
  const keys: CodecKey[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const bytes = Buffer.from(line, 'base64');
    if (bytes.length !== keyLength || bytes.toString('base64') !== line)
      throw new RotateError('BadConfig', `${source}:${index + 1}: this line is no codec key`, {
        hint: 'a codec key is 32 random bytes in base64, one a line: `head -c 32 /dev/urandom | base64`',
      });
    keys.push(toKey(bytes));
    bytes.fill(0);
  }
  if (keys.length === 0)
    throw new RotateError('BadConfig', `${source}: holds no codec key`, {
      hint: `\`rotate dev\` makes one; elsewhere \`(umask 077; head -c 32 /dev/urandom | base64 > ${source})\``,
    });
  return keys;
}

function toKey(bytes: Uint8Array): CodecKey {
  return {
    id: createHash('sha256').update(bytes).digest('hex').slice(0, 8),
    key: createSecretKey(bytes),
  };
}

/** A keyring of `keys`, newest first; repeated keys count once. */
export function makeCodecKeyring(keys: readonly [CodecKey, ...CodecKey[]]): CodecKeyring {
  const byId = new Map<string, CodecKey>();
  for (const key of keys) {
    const other = byId.get(key.id);
    if (other !== undefined && !other.key.equals(key.key))
      throw new RotateError('BadConfig', `two codec keys have the same id ${key.id}`, {
        hint: 'make one of them again: `head -c 32 /dev/urandom | base64`',
      });
    if (other === undefined) byId.set(key.id, key);
  }
  return { newest: keys[0], find: (id) => byId.get(id), ids: [...byId.keys()] };
}

/**
 * Reads the key files in `paths`, newest first.
 * @throws RotateError BadConfig when a file cannot be read, can be read by everyone, or holds no key
 */
export async function loadCodecKeys(paths: readonly string[]): Promise<CodecKeyring> {
  const keys: CodecKey[] = [];
  for (const path of paths) keys.push(...parseCodecKeys(await readKeyFile(path, 'codec key'), path));
  const [first, ...rest] = keys;
  if (first === undefined)
    throw new RotateError('BadConfig', 'no codec key is configured', {
      hint: 'name one with --codec-key, ROTATE_CODEC_KEY_FILE or codecKeys in worker.yaml; `rotate dev` makes its own',
    });
  return makeCodecKeyring([first, ...rest]);
}

/**
 * The text of a file that only its owner (and group) may read.
 * @throws RotateError BadConfig
 */
export async function readKeyFile(path: string, what: string): Promise<string> {
  try {
    const found = await stat(path);
    if (found.isDirectory())
      throw new RotateError('BadConfig', `the ${what} file ${path} is a folder`, {
        hint: 'name the file in it',
      });
    if ((found.mode & 0o007) !== 0)
      throw new RotateError('BadConfig', `the ${what} file ${path} can be read by everyone`, {
        hint: `chmod 600 ${path}, and make a new ${what} if others had access`,
      });
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof RotateError) throw error;
    throw new RotateError('BadConfig', `cannot read the ${what} file ${path}: ${systemReason(error)}`, {
      hint: 'check the path and its permissions',
      cause: error,
    });
  }
}
