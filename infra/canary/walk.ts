/** Searches the files below a folder, with their names, the targets of links, SQLite databases and git repositories. */
import { existsSync, lstatSync, readFileSync, readdirSync, readlinkSync } from 'node:fs';
import type { Dirent, Stats } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { searchObjects } from './git-objects.js';
import type { Inspector } from './inspector.js';
import { copyDatabase, isDatabase, searchTables } from './sqlite.js';

export interface WalkOptions {
  /** Absolute paths that are left out, with all below them. */
  exclude?: readonly string[];
  /** Files whose inode did not change since then are left out: nothing that came up later can be in them. */
  since?: Date;
  /** What to call the root in a report; default its path. */
  label?: string;
}

const wholeFile = 4 * 1024 * 1024;
const chunkSize = 1024 * 1024;

/** The result of `call`, or undefined when the file is gone, because others work in these folders. */
function unlessGone<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

async function* chunks(path: string): AsyncGenerator<Uint8Array> {
  const file = await open(path);
  try {
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(chunkSize), 0, chunkSize);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

/** Searches one file; a missing one holds nothing. */
export async function searchFile(inspector: Inspector, path: string, label = path): Promise<void> {
  const stat = unlessGone(() => lstatSync(path));
  if (stat === undefined) return;
  if (stat.size <= wholeFile) {
    const data = unlessGone(() => readFileSync(path));
    if (data === undefined) return;
    await inspector.bytes(label, data);
    if (isDatabase(data)) await searchFoundDatabase(inspector, path, label);
    return;
  }
  try {
    await inspector.stream(label, chunks(path));
    const file = await open(path);
    const { buffer } = await file.read(Buffer.alloc(16), 0, 16);
    await file.close();
    if (isDatabase(buffer)) await searchFoundDatabase(inspector, path, label);
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}

/** Its owner may be writing to it: a copy whose parts do not fit is made again, at last under a lock. */
async function searchFoundDatabase(
  inspector: Inspector,
  path: string,
  label: string,
  tries = 3,
): Promise<void> {
  const copy = await copyDatabase(path, tries === 1);
  if (copy === undefined) return;
  try {
    await searchTables(inspector, copy.path, `${label}, table`);
  } catch (error) {
    const torn = error instanceof Error && 'code' in error && error.code === 'ERR_SQLITE_ERROR';
    if (!existsSync(path)) return;
    if (!torn || tries <= 1) throw new Error(`cannot read the tables of ${label}`, { cause: error });
    await searchFoundDatabase(inspector, path, label, tries - 1);
  } finally {
    await copy.remove();
  }
}

/** Searches all below `root` that is on its file system; sockets, pipes and devices hold nothing. */
export async function searchTree(
  inspector: Inspector,
  root: string,
  options: WalkOptions = {},
): Promise<void> {
  // A file's time is that of the kernel's last tick, which may be a moment ago.
  const since = (options.since?.getTime() ?? 1000) - 1000;
  const exclude = new Set(options.exclude);
  const top = unlessGone(() => lstatSync(root));
  if (top === undefined || exclude.has(root)) return;
  const label = options.label ?? root;
  if (!top.isDirectory()) {
    await searchFile(inspector, root, label);
    return;
  }
  const folders = [''];
  let seen = 0;
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const path = join(root, folder);
    const entries = unlessGone(() => readdirSync(path, { withFileTypes: true })) ?? [];
    for (const entry of entries) {
      const at = join(folder, entry.name);
      const full = join(root, at);
      if (exclude.has(full)) continue;
      const stat = unlessGone(() => lstatSync(full));
      if (stat === undefined) continue;
      seen += 1;
      if (seen % 64 === 0) await breathe();
      inspector.text(`the name of a file in ${join(label, folder)}`, entry.name);
      if (stat.isDirectory()) {
        if (stat.dev === top.dev) folders.push(at);
      } else if (Math.max(stat.ctimeMs, stat.mtimeMs) >= since) {
        await searchEntry(inspector, full, join(label, at), entry, stat);
      }
    }
    if (isRepository(entries) && hasPackSince(path, since))
      await searchRepository(inspector, path, join(label, folder));
  }
}

async function searchEntry(
  inspector: Inspector,
  path: string,
  label: string,
  entry: Dirent,
  stat: Stats,
): Promise<void> {
  if (entry.isSymbolicLink()) {
    const target = unlessGone(() => readlinkSync(path));
    if (target !== undefined) inspector.text(`${label} (link)`, target);
  } else if (stat.isFile()) {
    await searchFile(inspector, path, label);
  }
}

/** Whether a folder with these entries is a git repository. */
function isRepository(entries: readonly Dirent[]): boolean {
  const names = new Set(entries.map((entry) => entry.name));
  return names.has('HEAD') && names.has('objects') && names.has('refs');
}

/** Loose objects are searched as the files that they are; objects in packs are deltas of one another. */
function hasPackSince(gitDir: string, since: number): boolean {
  const folder = join(gitDir, 'objects/pack');
  const names = unlessGone(() => readdirSync(folder)) ?? [];
  return names.some((name) => {
    const stat = name.endsWith('.pack') ? unlessGone(() => lstatSync(join(folder, name))) : undefined;
    return stat !== undefined && stat.ctimeMs >= since;
  });
}

async function searchRepository(inspector: Inspector, gitDir: string, label: string): Promise<void> {
  try {
    await searchObjects(inspector, gitDir, label);
  } catch (error) {
    if (existsSync(join(gitDir, 'HEAD'))) throw error;
  }
}
