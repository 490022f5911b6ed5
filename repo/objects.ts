/** Reading a repo's objects: files, trees, history. Nothing here changes anything or talks to a remote. */
import { RotateError } from '../domain/failure.js';
import { gitText, type Git } from './git.js';
import { assertCommit, assertRepoPath } from './repo-path.js';

export interface TreeEntry {
  path: string;
  /** Octal, as git writes it: `100644`, `100755`, `120000` (symlink), `160000` (submodule), `040000`. */
  mode: string;
  type: 'blob' | 'tree' | 'commit';
  id: string;
}

export interface LogEntry {
  sha: string;
  author: string;
  subject: string;
  /** Committer's date, RFC 3339, UTC. */
  date: string;
}

/** The commit that `rev` names, or undefined. */
export async function resolveCommit(git: Git, rev: string): Promise<string | undefined> {
  const { code, stdout } = await git({
    args: ['rev-parse', '--verify', '--quiet', '--end-of-options', `${rev}^{commit}`],
    accept: [0, 1, 128],
  });
  return code === 0 ? stdout.toString('utf8').trim() : undefined;
}

/** Whether `ancestor` is `descendant` or one of its ancestors. */
export async function isAncestor(git: Git, ancestor: string, descendant: string): Promise<boolean> {
  assertCommit(ancestor);
  assertCommit(descendant);
  const { code } = await git({ args: ['merge-base', '--is-ancestor', ancestor, descendant], accept: [0, 1] });
  return code === 0;
}

/** Commits that `to` has and `from` has not, newest first. */
export async function logBetween(git: Git, from: string, to: string, limit = 100): Promise<LogEntry[]> {
  assertCommit(from);
  assertCommit(to);
  const format = '--format=%H%x00%an%x00%ct%x00%s';
  const text = await gitText(git, {
    args: ['log', '-z', `--max-count=${limit}`, '--no-show-signature', format, to, `^${from}`, '--'],
  });
  const fields = text.split('\0');
  const entries: LogEntry[] = [];
  for (let i = 0; i + 3 < fields.length; i += 4) {
    const [sha = '', author = '', seconds = '', subject = ''] = fields.slice(i, i + 4);
    entries.push({ sha, author, subject, date: new Date(Number(seconds) * 1000).toISOString() });
  }
  return entries;
}

/** Files that differ between two commits. */
export async function changedPaths(git: Git, a: string, b: string): Promise<string[]> {
  assertCommit(a);
  assertCommit(b);
  const text = await gitText(git, {
    args: ['diff-tree', '-r', '-z', '--name-only', '--no-renames', a, b, '--'],
  });
  return text.split('\0').filter((path) => path !== '');
}

/** Every file of the commit, or those under `folder`. */
export async function listTree(git: Git, commit: string, folder?: string): Promise<TreeEntry[]> {
  assertCommit(commit);
  if (folder !== undefined) assertRepoPath(folder);
  const under = folder === undefined ? [] : ['--', `${folder}/`];
  return parseTree(await gitText(git, { args: ['ls-tree', '-r', '-z', '--full-tree', commit, ...under] }));
}

/** What stands at each of `paths` (a folder is a tree); paths that do not exist are left out. */
export async function entriesAt(
  git: Git,
  commit: string,
  paths: readonly string[],
): Promise<Map<string, TreeEntry>> {
  assertCommit(commit);
  paths.forEach(assertRepoPath);
  if (paths.length === 0) return new Map();
  const text = await gitText(git, { args: ['ls-tree', '-z', '--full-tree', commit, '--', ...paths] });
  const wanted = new Set(paths);
  return new Map(
    parseTree(text)
      .filter(({ path }) => wanted.has(path))
      .map((entry) => [entry.path, entry]),
  );
}

function parseTree(text: string): TreeEntry[] {
  return text
    .split('\0')
    .filter((line) => line !== '')
    .map((line) => {
      const tab = line.indexOf('\t');
      const [mode = '', type, id = ''] = line.slice(0, tab).split(' ');
      if (type !== 'blob' && type !== 'tree' && type !== 'commit')
        throw new RotateError('GitFailed', `git ls-tree printed ${JSON.stringify(line)}`);
      return { path: line.slice(tab + 1), mode, type, id };
    });
}

/**
 * The bytes of a file, or undefined when there is none. Symlinks are followed inside the repo.
 * @throws RotateError BadConfig for a symlink that leads out of the repo or in circles, and for a folder
 */
export async function readBlob(git: Git, commit: string, path: string): Promise<Uint8Array | undefined> {
  assertCommit(commit);
  assertRepoPath(path);
  const { stdout } = await git({
    args: ['cat-file', '--batch', '--follow-symlinks'],
    input: `${commit}:${path}\n`,
  });
  const newline = stdout.indexOf(0x0a);
  const head = stdout.subarray(0, newline).toString('utf8');
  const found = /^[0-9a-f]+ (\w+) (\d+)$/.exec(head);
  if (found?.[1] === 'blob')
    return Uint8Array.from(stdout.subarray(newline + 1, newline + 1 + Number(found[2])));
  if (head.endsWith(' missing')) return undefined;
  const why = found === null ? `a link that git calls ${JSON.stringify(head.split(' ')[0])}` : 'no file';
  throw new RotateError('BadConfig', `${path} in commit ${commit.slice(0, 12)} is ${why}`, {
    hint: 'name a file, or a link to one inside the repository',
  });
}

/** The contents of blobs by their ids, in one process. */
export async function readObjects(git: Git, ids: readonly string[]): Promise<Map<string, Buffer>> {
  const contents = new Map<string, Buffer>();
  if (ids.length === 0) return contents;
  const { stdout } = await git({ args: ['cat-file', '--batch'], input: `${ids.join('\n')}\n` });
  for (let at = 0; at < stdout.length;) {
    const newline = stdout.indexOf(0x0a, at);
    const [id = '', type = '', size = ''] = stdout.subarray(at, newline).toString('utf8').split(' ');
    if (!/^\d+$/.test(size)) throw new RotateError('GitFailed', `object ${id} is ${type}`);
    const end = newline + 1 + Number(size);
    contents.set(id, stdout.subarray(newline + 1, end));
    at = end + 1;
  }
  return contents;
}
