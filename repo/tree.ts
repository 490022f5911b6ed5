/**
 * Plain working trees of single commits, for evaluating the rules and reading the
 * configuration. Only what the repo holds (ciphertext) is in them. A tree is made
 * beside its place and moved there whole, so two that want the same do not meet.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, realpath, rename, rm, stat, utimes } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { Git } from './git.js';
import { bootId } from './lock.js';
import { listTree } from './objects.js';
import { assertCommit, assertRepoPath } from './repo-path.js';

/** Trees that nobody has asked for within an hour are removed, but for the newest few. */
const keepMs = 3_600_000;
const keepCount = 8;

export interface Tree {
  /** Absolute; read only, shared with others who want the same commit. */
  path: string;
  /** Says that it is no longer needed. Safe to call twice. */
  dispose(): Promise<void>;
}

const inUse = new Map<string, number>();
const beingMade = new Map<string, Promise<void>>();

/**
 * The tree of `commit` under `<stateDir>/trees`. Links that lead out of the tree, or nowhere, are left out;
 * submodules are empty folders.
 */
export async function openTree(
  git: Git,
  stateDir: string,
  commit: string,
  signal?: AbortSignal,
): Promise<Tree> {
  assertCommit(commit);
  const path = join(stateDir, 'trees', `${await bootTag()}-${commit}`);
  inUse.set(path, (inUse.get(path) ?? 0) + 1);
  let held = true;
  const dispose = async () => {
    if (!held) return;
    held = false;
    const left = (inUse.get(path) ?? 1) - 1;
    if (left > 0) inUse.set(path, left);
    else inUse.delete(path);
    await pruneTrees(stateDir);
  };
  try {
    const now = new Date();
    if (!(await exists(path))) await makeOnce(git, stateDir, path, commit, signal);
    await utimes(path, now, now);
  } catch (error) {
    await dispose();
    throw error;
  }
  return { path, dispose };
}

/** Removes trees of earlier boots (they may be half on disk after a power cut) and old ones. */
export async function pruneTrees(stateDir: string): Promise<void> {
  const folder = join(stateDir, 'trees');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const tag = await bootTag();
  const found: { path: string; age: number; current: boolean }[] = [];
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const age = await stat(path).then(({ mtimeMs }) => Date.now() - mtimeMs, gone);
    if (age !== undefined) found.push({ path, age, current: name.startsWith(`${tag}-`) });
  }
  found.sort((a, b) => a.age - b.age);
  const spare = found.filter(({ path, age, current }, i) => {
    if (inUse.has(path)) return false;
    return age > keepMs && (!current || i >= keepCount);
  });
  for (const { path } of spare) await rm(path, { recursive: true, force: true });
}

/** One making at a time in this process; its caller's signal stops only its own waiting for git. */
async function makeOnce(
  git: Git,
  stateDir: string,
  path: string,
  commit: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const other = beingMade.get(path);
  if (other !== undefined) {
    // when the other gave up, this one makes it
    await other.catch(() => undefined);
    if (await exists(path)) return;
    return makeOnce(git, stateDir, path, commit, signal);
  }
  const making = make(git, stateDir, path, commit, signal);
  beingMade.set(path, making);
  try {
    await making;
  } finally {
    beingMade.delete(path);
  }
}

async function make(
  git: Git,
  stateDir: string,
  path: string,
  commit: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const entries = await listTree(git, commit);
  for (const entry of entries) assertRepoPath(entry.path);
  const draft = join(stateDir, 'trees', `new-${randomUUID()}`);
  const index = join(stateDir, 'tmp', `index-${randomUUID()}`);
  await mkdir(draft, { recursive: true, mode: 0o700 });
  const common = { variables: { GIT_INDEX_FILE: index }, ...(signal === undefined ? {} : { signal }) };
  try {
    await git({ args: ['read-tree', commit], ...common });
    const write = ['checkout-index', '--all', '--quiet'];
    await git({ args: [`--work-tree=${draft}`, ...write], timeoutMs: 300_000, ...common });
    await removeLinksOut(
      draft,
      entries.filter(({ mode }) => mode === '120000').map((entry) => entry.path),
    );
    await rename(draft, path).catch(alreadyThere);
  } finally {
    await rm(draft, { recursive: true, force: true });
    await rm(index, { force: true });
  }
}

/** Until none is left: removing one link may leave another dangling. */
async function removeLinksOut(root: string, links: readonly string[]): Promise<void> {
  const top = await realpath(root);
  let left = links;
  for (let removed = true; removed;) {
    removed = false;
    const staying: string[] = [];
    for (const link of left) {
      const target = await realpath(join(root, link)).catch(nowhere);
      if (target === top || target?.startsWith(top + sep) === true) staying.push(link);
      else {
        await rm(join(root, link), { force: true });
        removed = true;
      }
    }
    left = staying;
  }
}

let tag: Promise<string> | undefined;

async function bootTag(): Promise<string> {
  tag ??= bootId().then((id) => (id ?? 'boot').slice(0, 8));
  return tag;
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(gone)) !== undefined;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function gone(error: unknown): undefined {
  if (codeOf(error) === 'ENOENT') return undefined;
  throw error;
}

function nowhere(error: unknown): undefined {
  if (['ENOENT', 'ELOOP', 'ENOTDIR'].includes(String(codeOf(error)))) return undefined;
  throw error;
}

function alreadyThere(error: unknown): void {
  if (!['ENOTEMPTY', 'EEXIST'].includes(String(codeOf(error)))) throw error;
}
