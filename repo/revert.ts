/**
 * Takes a rotation back on the main branch: a new commit that writes the old
 * ciphertext, but only over what this rotation itself wrote. What someone changed
 * meanwhile, before or after its merge, is never overwritten by a revert.
 */
import type { Clone } from './clone.js';
import { commitFiles, writeBlob } from './commit.js';
import { mainTip } from './merge.js';
import { entriesAt, resolveCommit, type TreeEntry } from './objects.js';
import { blobsSince, ownCommits } from './own-commits.js';
import { publish, type Effect } from './publish.js';
import { assertCommit } from './repo-path.js';
import { rulesChanged, type RulesCheck } from './rules-changed.js';

export interface RevertOptions extends Effect, RulesCheck {
  main: string;
  /** The commit that the rotation began from; what it did is looked for after it. */
  since: string;
  /**
   * The commit that {@link files} were encrypted for. Default: {@link since} (they are its blobs). The tip that
   * an earlier call told: what stands there may be replaced.
   */
  base?: string;
  /** The old ciphertext by path; undefined where there was no file. */
  files: Readonly<Record<string, Uint8Array | undefined>>;
  /** The commit of the branch `rotate/<id>`: its blobs are this rotation's, too. */
  branchCommit?: string;
  /** See `undoMessage`. */
  message: string;
}

export type RevertResult =
  /** `already`: it was undone before. `nothing`: main never had it, or has the old value. */
  | { result: 'reverted' | 'already' | 'nothing'; tip: string; commit?: string }
  /**
   * Main had this rotation's ciphertext, now in the blob `current`, and someone changed the file too: after it, or
   * before it and then it was written into his file. Nothing was done: encrypt the old value for `tip` and call again
   * with `base: tip`, or leave the file as it is.
   */
  | { result: 'moved'; tip: string; current: Record<string, string | undefined> }
  /** Nothing was done: encrypt the old value for `tip` and call again with `base: tip`. */
  | { result: 'rules-changed'; tip: string };

/** @throws RotateError BadConfig when there is no such branch; and see {@link publish} */
export async function revertOnMain(clone: Clone, options: RevertOptions): Promise<RevertResult> {
  const { rotationId, main, since, files, branchCommit } = options;
  const base = options.base ?? since;
  assertCommit(since);
  const paths = Object.keys(files);
  return publish<RevertResult>(clone, options, async () => {
    const tip = await mainTip(clone, main);
    const own = await ownCommits(clone, rotationId, since, tip);
    if (own[0]?.sort === 'undo') return { push: [], result: { result: 'already', tip, commit: own[0].sha } };

    const merges = own.filter(({ sort }) => sort === 'rotation').map(({ sha }) => sha);
    const sources = branchCommit === undefined ? merges : [...merges, branchCommit];
    const written = await Promise.all(sources.map((sha) => entriesAt(clone.git, sha, paths)));
    const replaced = await Promise.all(merges.map((sha) => entriesBefore(clone, sha, paths)));
    const [before, now] = [await entriesAt(clone.git, since, paths), await entriesAt(clone.git, tip, paths)];

    const atBase = await entriesAt(clone.git, base, paths);

    const write: string[] = [];
    const moved: Record<string, string | undefined> = {};
    for (const path of paths) {
      const bytes = files[path];
      const current = now.get(path)?.id;
      const ours = written.flatMap((entries) => entries.get(path)?.id ?? []);
      const old = [before.get(path)?.id, bytes === undefined ? undefined : await writeBlob(clone, bytes)];
      if (old.includes(current)) continue;
      // The old bytes have not what someone else wrote into the file before it was merged.
      const theirs = replaced.some((entries) => ![...old, ...ours].includes(entries.get(path)?.id));
      if (current !== undefined && ours.includes(current) && !theirs) write.push(path);
      else {
        const had = await blobsSince(clone, path, since, tip);
        if (!ours.some((id) => had.has(id))) continue;
        const seen = base !== since && atBase.get(path)?.id === current;
        if (seen) write.push(path);
        else moved[path] = current;
      }
    }
    if (Object.keys(moved).length > 0) return { stop: { result: 'moved', tip, current: moved } };
    if (write.length === 0) return { push: [], result: { result: 'nothing', tip } };
    if (await rulesChanged(clone, options, base, tip)) return { stop: { result: 'rules-changed', tip } };

    const commit = await commitFiles(clone, {
      base: tip,
      files: Object.fromEntries(write.map((path) => [path, files[path]])),
      message: options.message,
      author: options.author,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    return {
      push: [{ ref: `refs/heads/${main}`, to: commit }],
      result: { result: 'reverted', tip: commit, commit },
    };
  });
}

/** What a commit has replaced. */
async function entriesBefore(
  clone: Clone,
  sha: string,
  paths: readonly string[],
): Promise<Map<string, TreeEntry>> {
  const parent = await resolveCommit(clone.git, `${sha}^`);
  return parent === undefined ? new Map() : entriesAt(clone.git, parent, paths);
}
