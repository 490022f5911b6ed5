/**
 * Brings a rotation's new ciphertext to the main branch. Ciphertext is never merged
 * as text: when main has moved on, the same bytes are written on its new tip, and
 * only where neither the file nor its rules have changed there.
 */
import { RotateError } from '../domain/failure.js';
import type { Clone } from './clone.js';
import { commitFiles, writeBlob } from './commit.js';
import { changedPaths, entriesAt, isAncestor } from './objects.js';
import { ownCommits } from './own-commits.js';
import { publish, type Effect } from './publish.js';
import { rulesChanged, type RulesCheck } from './rules-changed.js';
import { assertCommit } from './repo-path.js';

export interface MergeOptions extends Effect, RulesCheck {
  /** The main branch. */
  main: string;
  /** The commit that {@link files} were encrypted for: the rotation's base, or the tip that an earlier call told. */
  base: string;
  /** The new ciphertext by path. */
  files: Readonly<Record<string, Uint8Array>>;
  /** The commit that was deployed; main is moved to it when it changes just these files on main's tip. */
  branchCommit?: string;
  /** Of a commit that has to be made; see `rotationMessage`. */
  message: string;
}

export type MergeResult =
  /** Main holds the new ciphertext; `commit` is the one that brought it there. */
  | { result: 'merged' | 'already'; commit: string; tip: string }
  /** Nothing was done: encrypt again for `tip` and call again with `base: tip`. */
  | { result: 'files-changed' | 'rules-changed'; tip: string; paths: string[] };

/**
 * @throws RotateError BadConfig when there is no such branch; and see {@link publish}
 */
export async function merge(clone: Clone, options: MergeOptions): Promise<MergeResult> {
  const { rotationId, main, base, files, branchCommit } = options;
  assertCommit(base);
  const paths = Object.keys(files);
  return publish<MergeResult>(clone, options, async () => {
    const tip = await mainTip(clone, main);
    const [before, now] = [await entriesAt(clone.git, base, paths), await entriesAt(clone.git, tip, paths)];
    const mine = new Map<string, string>();
    for (const [path, bytes] of Object.entries(files)) mine.set(path, await writeBlob(clone, bytes));

    const own = (await ownCommits(clone, rotationId, base, tip)).find(({ sort }) => sort === 'rotation')?.sha;
    if (paths.every((path) => now.get(path)?.id === mine.get(path)))
      return { push: [], result: { result: 'already', commit: own ?? tip, tip } };
    if (own !== undefined) {
      // an earlier attempt merged other bytes of the same value
      const then = await entriesAt(clone.git, own, paths);
      if (paths.every((path) => now.get(path)?.id === then.get(path)?.id))
        return { push: [], result: { result: 'already', commit: own, tip } };
    }
    const changed = paths.filter((path) => now.get(path)?.id !== before.get(path)?.id);
    if (changed.length > 0) return { stop: { result: 'files-changed', tip, paths: changed } };
    if (await rulesChanged(clone, options, base, tip))
      return { stop: { result: 'rules-changed', tip, paths: [...options.rules] } };

    const deployed = await isJustThis(clone, branchCommit, tip, mine);
    const commit = deployed ?? (await commitFiles(clone, { ...options, base: tip }));
    return {
      push: [{ ref: `refs/heads/${main}`, to: commit }],
      result: { result: 'merged', commit, tip: commit },
    };
  });
}

/** @throws RotateError BadConfig when the remote has no such branch */
export async function mainTip(clone: Clone, main: string): Promise<string> {
  const tip = await clone.tip(main);
  if (tip !== undefined) return tip;
  throw new RotateError('BadConfig', `the remote has no branch ${main}`, {
    hint: 'push it, or correct `repo.branch` in rotate.yaml',
  });
}

/** `commit`, when it is on top of `tip` and changes exactly `blobs`. */
async function isJustThis(
  clone: Clone,
  commit: string | undefined,
  tip: string,
  blobs: ReadonlyMap<string, string>,
): Promise<string | undefined> {
  if (commit === undefined || !(await isAncestor(clone.git, tip, commit))) return undefined;
  const changed = await changedPaths(clone.git, tip, commit);
  const there = await entriesAt(clone.git, commit, changed);
  const same =
    changed.length === blobs.size && changed.every((path) => there.get(path)?.id === blobs.get(path));
  return same ? commit : undefined;
}
