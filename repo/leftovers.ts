/**
 * What killed gits and workers left behind. Git holds a lock file for moments only,
 * so an old one belongs to nobody; a young one may be that of a git whose worker
 * died.
 */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

const youngMs = 30_000;
const abandonedMs = 3_600_000;

/** Removes old lock files of a bare repo. The caller holds the clone's lock. */
export async function clearLeftoverLocks(gitDir: string): Promise<void> {
  const names = await readdir(gitDir, { withFileTypes: true });
  const files = names.filter((entry) => entry.isFile()).map(({ name }) => name);
  const refs = await readdir(join(gitDir, 'refs'), { recursive: true });
  const all = [...files, ...refs.map((name) => join('refs', name))];
  for (const name of all.filter((each) => each.endsWith('.lock') || each === 'gc.pid')) {
    const path = join(gitDir, name);
    const age = await stat(path).then(({ mtimeMs }) => Date.now() - mtimeMs, gone);
    if (age !== undefined && age > youngMs) await rm(path, { force: true });
  }
}

/** Removes what killed workers left in the state folder: drafts of locks and of indexes. */
export async function clearDrafts(stateDir: string): Promise<void> {
  const names = (await readdir(stateDir)).filter((name) => name.startsWith('clone.lock.'));
  const drafts = (await readdir(join(stateDir, 'tmp'))).map((name) => join('tmp', name));
  for (const name of [...names, ...drafts]) {
    const path = join(stateDir, name);
    const age = await stat(path).then(({ mtimeMs }) => Date.now() - mtimeMs, gone);
    if (age !== undefined && age > abandonedMs) await rm(path, { force: true });
  }
}

function gone(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
  throw error;
}
