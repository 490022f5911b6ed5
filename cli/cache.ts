/**
 * What was found out for the last command, kept so that the next one has it without the work: what rotate.yaml means,
 * without the parser and the schemas; the records of the log, without git. Only in the program as it is built: its
 * files cannot change under the cache, as sources do.
 */
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { baseFolder } from '../client/base-folder.js';
import { isObject } from '../domain/is-object.js';

/** Replaced by the build with what identifies it. */
declare const ROTATE_BUILD: string | undefined;

export interface Cache<T> {
  /** Undefined when it was not kept for this `key`. */
  read(key: string): T | undefined;
  /** A cache that cannot be written (a full disk, a home that is read-only) is none. */
  write(key: string, value: T): void;
}

/**
 * @param kind what is kept: a folder of its own
 * @param path absolute, what it is about; there is one entry for each
 * @param build what identifies the program; undefined: nothing is kept
 */
export function openCache<T>(
  kind: 'config' | 'log',
  path: string,
  env: NodeJS.ProcessEnv,
  build: string | undefined = typeof ROTATE_BUILD === 'string' ? ROTATE_BUILD : undefined,
): Cache<T> {
  if (build === undefined) return { read: () => undefined, write: () => {} };
  const folder = join(baseFolder(env, 'XDG_CACHE_HOME', '.cache'), 'rotate', kind);
  const file = join(folder, entryName(path));
  return {
    read(key) {
      try {
        const kept: unknown = JSON.parse(readOwn(file));
        if (!isEntry<T>(kept) || kept.build !== build || kept.path !== path || kept.key !== key)
          return undefined;
        return kept.value;
      } catch {
        return undefined;
      }
    },
    write(key, value) {
      try {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        const temporary = `${file}.${process.pid}`;
        writeFileSync(temporary, JSON.stringify({ build, path, key, value } satisfies Entry<T>), {
          mode: 0o600,
        });
        renameSync(temporary, file);
      } catch {
        // The next command does the work itself.
      }
    },
  };
}

/** @throws Error when it is not there, or not ours alone to write: root believes nobody's cache but its own */
function readOwn(file: string): string {
  const handle = openSync(file, 'r');
  try {
    const { uid, mode } = fstatSync(handle);
    if (uid !== process.getuid?.() || (mode & 0o022) !== 0) throw new Error(`others may write ${file}`);
    return readFileSync(handle, 'utf8');
  } finally {
    closeSync(handle);
  }
}

/** The key itself is compared, be it a whole text: to load what makes hashes takes longer than all the rest. */
interface Entry<T> {
  build: string;
  path: string;
  key: string;
  value: T;
}

/** What this build has written is as it wrote it. */
function isEntry<T>(value: unknown): value is Entry<T> {
  return isObject(value) && 'value' in value;
}

/** FNV-1a of the path, in 32 bits: two with one name would only write over one another's entry. */
function entryName(path: string): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(path)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return `${hash.toString(16).padStart(8, '0')}.json`;
}
