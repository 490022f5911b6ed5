/**
 * Reads the log branch from the user's own clone, for `rotate history` and
 * `rotate list`. The remote is asked first; when it cannot be reached, what the
 * clone has is shown, and the caller can say so. Imports nothing heavy.
 */
import { RotateError, type Reason } from '../domain/failure.js';
import { noTree } from './discover.js';
import { gitAt, gitEnvironment, gitText, type Git } from './git.js';
import { readObjects, resolveCommit } from './objects.js';
import { parseRecord, type RotationRecord } from './record.js';
import { logBranch, refComponent } from './ref-name.js';

export interface HistoryQuery {
  environment?: string;
  /** Only rotations that this secret was part of. */
  secret?: string;
  /** Default `origin`; undefined where the clone has no remote. May still be looked up, while git finds the rest. */
  remote?: string | undefined | Promise<string | undefined>;
  /** Newest so many; default all. */
  limit?: number;
  /** Do not ask the remote. */
  offline?: boolean;
  /** Milliseconds to wait for the remote; default 10 s. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

export interface History {
  /** Newest first. */
  records: RotationRecord[];
  /** `clone`: the remote was not asked or did not answer (see {@link stale}); `none`: there is no log yet. */
  source: 'remote' | 'clone' | 'none';
  /** Why the remote did not answer. */
  stale?: Reason;
  /** Files on the branch that are no records, with the reason. */
  unreadable: { path: string; message: string }[];
}

/**
 * The records of the log branch.
 * @param repoDir a folder in the user's clone
 * @throws RotateError Usage where there is no repo; GitFailed when git refuses to read it
 */
export async function readHistory(repoDir: string, query: HistoryQuery = {}): Promise<History> {
  const git = gitAt({ environment: gitEnvironment(process.env), cwd: repoDir });
  const [remote, own] = await Promise.all([
    'remote' in query ? query.remote : 'origin',
    ownTip(git, repoDir),
  ]);
  const stale = remote === undefined || query.offline === true ? undefined : await update(git, remote, query);
  // The remote's log as far as it was ever fetched, or a local branch (where there is no remote, or beside it).
  const fetched =
    remote === undefined ? undefined : await resolveCommit(git, `refs/remotes/${remote}/${logBranch}`);
  const tip = fetched ?? own;
  if (tip === undefined)
    return { records: [], source: 'none', unreadable: [], ...(stale === undefined ? {} : { stale }) };
  const asked = remote !== undefined && query.offline !== true && stale === undefined;
  return {
    ...(await readRecords(git, tip, query)),
    source: asked ? 'remote' : 'clone',
    ...(stale === undefined ? {} : { stale }),
  };
}

/**
 * The records as of one commit of the log branch. Asks nobody.
 * @param tip a commit that the clone has
 * @throws RotateError GitFailed
 */
export async function historyAt(repoDir: string, tip: string, query: HistoryQuery = {}): Promise<History> {
  const git = gitAt({ environment: gitEnvironment(process.env), cwd: repoDir });
  return { ...(await readRecords(git, tip, query)), source: 'clone' };
}

/** Of the log as a branch of the clone itself. */
async function ownTip(git: Git, repoDir: string): Promise<string | undefined> {
  const args = ['for-each-ref', '--format=%(objectname)', `refs/heads/${logBranch}`];
  const found = await git({ args, accept: [0, 128] });
  if (found.code !== 0) throw noTree(found, 'git for-each-ref', repoDir);
  return found.stdout.toString('utf8').trim() || undefined;
}

/** Fetches the log branch; the failure when that was not possible. A remote without one is no failure. */
async function update(git: Git, remote: string, query: HistoryQuery): Promise<Reason | undefined> {
  try {
    await git({
      args: [
        'fetch',
        '--quiet',
        '--no-tags',
        '--no-write-fetch-head',
        '--end-of-options',
        remote,
        `+refs/heads/${logBranch}:refs/remotes/${remote}/${logBranch}`,
      ],
      network: true,
      timeoutMs: query.timeoutMs ?? 10_000,
      ...(query.signal === undefined ? {} : { signal: query.signal }),
    });
    return undefined;
  } catch (error) {
    if (!(error instanceof RotateError)) throw error;
    return /couldn't find remote ref/i.test(error.message) ? undefined : error.toReason();
  }
}

async function readRecords(
  git: Git,
  tip: string,
  query: HistoryQuery,
): Promise<Pick<History, 'records' | 'unreadable'>> {
  const under = query.environment === undefined ? [] : ['--', `${refComponent(query.environment)}/`];
  const tree = await gitText(git, { args: ['ls-tree', '-r', '-z', '--full-tree', tip, ...under] });
  const files = tree
    .split('\0')
    .map((line) => /^100\d{3} blob ([0-9a-f]+)\t(.+\.json)$/s.exec(line))
    .filter((match) => match !== null)
    .map(([, id = '', path = '']) => ({ id, path }))
    // ulids sort by time, whatever the environment
    .sort((a, b) => (fileName(a.path) < fileName(b.path) ? 1 : -1));
  const wanted = query.secret === undefined ? files.slice(0, query.limit) : files;
  const contents = await readObjects(
    git,
    wanted.map(({ id }) => id),
  );
  const records: RotationRecord[] = [];
  const unreadable: History['unreadable'] = [];
  for (const { id, path } of wanted) {
    const record = parseRecord(contents.get(id)?.toString('utf8') ?? '');
    if (typeof record === 'string') unreadable.push({ path, message: record });
    else if (query.secret === undefined || record.secrets.includes(query.secret)) records.push(record);
  }
  return { records: records.slice(0, query.limit), unreadable };
}

function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
