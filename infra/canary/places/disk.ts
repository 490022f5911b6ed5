/** Files and folders of this machine: the worker's log, its state, cache and XDG folders, /tmp. */
import { appendFile, rm, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { Inspector } from '../inspector.js';
import type { Place } from '../place.js';
import { searchFile, searchTree } from '../walk.js';
import type { WalkOptions } from '../walk.js';

/** Log files, to each of which the decoy is appended as a line; each must be there. */
export function filesPlace(name: string, files: readonly string[]): Place {
  return {
    name,
    async search(needles, signal) {
      const inspector = new Inspector(needles, signal);
      for (const file of files) await searchFile(inspector, file);
      return inspector.hits;
    },
    async plant(decoy) {
      for (const file of files)
        await appendFile(file, `{"level":"info","message":"canary decoy ${decoy}"}\n`, { flag: 'a' });
      return files;
    },
  };
}

/**
 * Folders with all that is in them on the same file system. The decoy is put into each as a file in clear, one
 * that is compressed, and one that is encoded and compressed.
 */
export function diskPlace(
  name: string,
  roots: readonly string[],
  options: Omit<WalkOptions, 'label'> = {},
): Place {
  const planted: string[] = [];
  return {
    name,
    async search(needles, signal) {
      const inspector = new Inspector(needles, signal);
      for (const root of roots) await searchTree(inspector, root, options);
      return inspector.hits;
    },
    async plant(decoy) {
      const before = planted.length;
      for (const root of roots) {
        const path = join(root, `rotate-canary-${randomBytes(6).toString('hex')}`);
        const files: [string, string | Buffer][] = [
          ['', `value=${decoy}\n`],
          ['.zst', zstdCompressSync(`value=${decoy}\n`)],
          ['.gz', gzipSync(Buffer.from(`value=${decoy}\n`).toString('base64'))],
        ];
        for (const [suffix, content] of files) {
          planted.push(path + suffix);
          await writeFile(path + suffix, content, { mode: 0o600, flag: 'wx' });
        }
      }
      return planted.slice(before);
    },
    async clean() {
      for (const path of planted.splice(0)) await rm(path, { force: true });
    },
  };
}
