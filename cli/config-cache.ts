/**
 * What rotate.yaml was found to mean the last time, so that the next command has it without the parser and the
 * schemas. Only in the program as it is built: its files cannot change under the cache, as sources do.
 */
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { baseFolder } from '../client/base-folder.js';
import { isObject } from '../domain/is-object.js';
import type { ConfigSpec } from '../domain/spec.js';

/** Replaced by the build with what identifies it. */
declare const ROTATE_BUILD: string | undefined;

export interface ConfigCache {
  /** Undefined when `text` is not what was kept. */
  read(text: string): ConfigSpec | undefined;
  /** A cache that cannot be written (a full disk, a home that is read-only) is none. */
  write(text: string, config: ConfigSpec): void;
}

/**
 * @param file absolute path of the rotate.yaml; there is one entry for each
 * @param build what identifies the program; undefined: nothing is kept
 */
export function configCache(
  file: string,
  env: NodeJS.ProcessEnv,
  build: string | undefined = typeof ROTATE_BUILD === 'string' ? ROTATE_BUILD : undefined,
): ConfigCache {
  if (build === undefined) return { read: () => undefined, write: () => {} };
  const folder = join(baseFolder(env, 'XDG_CACHE_HOME', '.cache'), 'rotate', 'config');
  const entry = join(folder, entryName(file));
  return {
    read(text) {
      try {
        const kept: unknown = JSON.parse(readOwn(entry));
        if (!isEntry(kept) || kept.build !== build || kept.file !== file || kept.text !== text)
          return undefined;
        return kept.config;
      } catch {
        return undefined;
      }
    },
    write(text, config) {
      try {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        const temporary = `${entry}.${process.pid}`;
        writeFileSync(temporary, JSON.stringify({ build, file, text, config } satisfies Entry), {
          mode: 0o600,
        });
        renameSync(temporary, entry);
      } catch {
        // The next command reads the file itself.
      }
    },
  };
}

/** @throws Error when it is not there, or not ours alone to write: root believes nobody's cache but its own */
function readOwn(path: string): string {
  const handle = openSync(path, 'r');
  try {
    const { uid, mode } = fstatSync(handle);
    if (uid !== process.getuid?.() || (mode & 0o022) !== 0) throw new Error(`others may write ${path}`);
    return readFileSync(handle, 'utf8');
  } finally {
    closeSync(handle);
  }
}

/** The text itself is compared: to load what makes hashes takes longer than all the rest. */
interface Entry {
  build: string;
  file: string;
  text: string;
  config: ConfigSpec;
}

/** What this build has written is as it wrote it. */
function isEntry(value: unknown): value is Entry {
  return isObject(value) && 'config' in value;
}

/** FNV-1a of the path, in 32 bits: two files with one name would only write over one another's entry. */
function entryName(file: string): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(file)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return `${hash.toString(16).padStart(8, '0')}.json`;
}
