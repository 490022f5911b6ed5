/**
 * The worker's own clone of the fleet's repo: bare, a mirror of the remote's
 * branches and of refs/rotate, made again whenever it is half-made, damaged or of
 * another remote. Nothing in it is needed after a move to another machine.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RotateError } from '../domain/failure.js';
import { saysBrokenClone } from './git-failure.js';
import { gitAt, gitText, type Git, type GitEnvironment, type GitPlace } from './git.js';
import type { RunGitProcess } from './git-process.js';
import { clearDrafts, clearLeftoverLocks } from './leftovers.js';
import { withLock } from './lock.js';
import {
  changedPaths,
  isAncestor,
  listTree,
  logBetween,
  readBlob,
  resolveCommit,
  type LogEntry,
  type TreeEntry,
} from './objects.js';
import { redactUrls } from './redact.js';
import { assertBranch, assertCommit } from './repo-path.js';
import { openTree, pruneTrees, type Tree } from './tree.js';

export interface CloneOptions {
  /** A path, `file://`, `ssh://` or `user@host:path`, `https://` (without a password in it). */
  remote: string;
  /** The worker's state folder; the clone is `clone.git` in it. */
  stateDir: string;
  /** See `gitEnvironment`. */
  environment: GitEnvironment;
  /** Default: started by this process itself. */
  runProcess?: RunGitProcess;
  /** Milliseconds for a fetch or a push. Default 90 s. */
  networkTimeoutMs?: number;
  /** Milliseconds for the first fetch of everything. Default 10 min. */
  cloneTimeoutMs?: number;
}

const marker = 'rotate-clone.json';
/** Days; a rotation that is parked for longer has its commit on its branch. */
const keepDays = 60;

/** Made by {@link Clone.open}. What it reads is as of the last {@link Clone.fetch}. */
export class Clone {
  readonly remote: string;
  readonly stateDir: string;
  readonly gitDir: string;
  readonly networkTimeoutMs: number;
  /** Runs git in the clone. */
  readonly git: Git;
  readonly #options: CloneOptions;

  private constructor(options: CloneOptions) {
    this.#options = options;
    this.remote = options.remote;
    this.stateDir = options.stateDir;
    this.gitDir = join(options.stateDir, 'clone.git');
    this.networkTimeoutMs = options.networkTimeoutMs ?? 90_000;
    this.git = this.#gitAt({ gitDir: this.gitDir });
  }

  /**
   * Opens the clone, making it (again) where that is needed. A good clone is opened without the remote.
   * @throws RotateError BadConfig for an address with a password; GitUnreachable, GitAuthFailed, NoSpace
   */
  static async open(options: CloneOptions, signal?: AbortSignal): Promise<Clone> {
    refuseCredentials(options.remote);
    const clone = new Clone(options);
    await mkdir(join(options.stateDir, 'tmp'), { recursive: true, mode: 0o700 });
    await clone.exclusive(async () => {
      if (!(await clone.#isGood())) await clone.#make(signal);
      await clearLeftoverLocks(clone.gitDir);
    }, signal);
    await clone.maintain(signal);
    return clone;
  }

  /** Packs the clone where that is due, and drops what is old. Opening does it; so may a worker that idles. */
  async maintain(signal?: AbortSignal): Promise<void> {
    await this.exclusive(async () => {
      await this.#forget();
      await this.#pack(signal);
    }, signal);
    await clearDrafts(this.stateDir);
    await pruneTrees(this.stateDir);
  }

  /** Runs `work` alone: no other activity or process fetches, pushes or packs meanwhile. */
  exclusive<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const file = join(this.stateDir, 'clone.lock');
    return withLock(file, work, signal === undefined ? {} : { signal });
  }

  /**
   * Brings the clone up to date: branches, refs/rotate and rotate-log; what is gone at the remote goes here.
   * @throws RotateError GitUnreachable, GitAuthFailed, GitConflict (a young lock file of a killed git)
   */
  fetch(signal?: AbortSignal): Promise<void> {
    return this.exclusive(() => this.fetchHere(signal), signal);
  }

  /** {@link fetch} for those who hold the lock already (see {@link exclusive}). */
  async fetchHere(signal?: AbortSignal): Promise<void> {
    try {
      await this.#fetchOnce(this.git, this.networkTimeoutMs, signal);
    } catch (error) {
      if (saysBrokenClone(error)) await this.#make(signal);
      else if (error instanceof RotateError && error.type === 'GitConflict') {
        await clearLeftoverLocks(this.gitDir);
        await this.#fetchOnce(this.git, this.networkTimeoutMs, signal);
      } else throw error;
    }
  }

  /** The branch that the remote's HEAD names. */
  async defaultBranch(): Promise<string | undefined> {
    const { stdout } = await this.git({ args: ['symbolic-ref', '--quiet', 'HEAD'], accept: [0, 1] });
    return /^refs\/heads\/(.+)\n$/.exec(stdout.toString('utf8'))?.[1];
  }

  /** The commit that a branch of the remote stands at; undefined when there is no such branch. */
  async tip(branch: string): Promise<string | undefined> {
    assertBranch(branch);
    return resolveCommit(this.git, `refs/heads/${branch}`);
  }

  /** The commit that `rev` (an id, a branch, …) names. */
  resolve(rev: string): Promise<string | undefined> {
    return resolveCommit(this.git, rev);
  }

  /** Whether `ancestor` is `descendant` or one of its ancestors. */
  isAncestor(ancestor: string, descendant: string): Promise<boolean> {
    return isAncestor(this.git, ancestor, descendant);
  }

  /** Commits that `to` has and `from` has not, newest first, at most `limit` (100). */
  log(from: string, to: string, limit?: number): Promise<LogEntry[]> {
    return logBetween(this.git, from, to, limit);
  }

  /** A file's bytes; see {@link readBlob}. */
  readBlob(commit: string, path: string): Promise<Uint8Array | undefined> {
    return readBlob(this.git, commit, path);
  }

  /** Every file of a commit, or those under `folder`. */
  listTree(commit: string, folder?: string): Promise<TreeEntry[]> {
    return listTree(this.git, commit, folder);
  }

  /** Files that differ between two commits. */
  changedPaths(a: string, b: string): Promise<string[]> {
    return changedPaths(this.git, a, b);
  }

  /**
   * Gives `commit` a ref of the clone's own, so that gc keeps it and nix finds it:
   * `git+file://<gitDir>?ref=<the ref>&rev=<commit>` (nix looks for a revision only below a ref).
   * @returns the ref's full name; ask again before each build
   */
  async keep(commit: string): Promise<string> {
    assertCommit(commit);
    const ref = `refs/rotate-local/at/${commit}`;
    if ((await this.resolve(ref)) !== commit) await this.git({ args: ['update-ref', ref, commit] });
    return ref;
  }

  /** A plain working tree of a commit, to read and evaluate, not to change; see {@link openTree}. */
  checkout(commit: string, signal?: AbortSignal): Promise<Tree> {
    return openTree(this.git, this.stateDir, commit, signal);
  }

  #gitAt(place: Pick<GitPlace, 'gitDir'>): Git {
    const { environment, runProcess } = this.#options;
    return gitAt({
      ...place,
      environment,
      cwd: this.stateDir,
      ...(runProcess === undefined ? {} : { runProcess }),
    });
  }

  async #isGood(): Promise<boolean> {
    const text = await readFile(join(this.gitDir, marker), 'utf8').catch(absent);
    if (text !== JSON.stringify({ remote: this.remote })) return false;
    try {
      const bare = await gitText(this.git, { args: ['rev-parse', '--is-bare-repository'] });
      // reads the object that each ref names
      await this.git({ args: ['for-each-ref', '--format=%(objecttype)'] });
      return bare === 'true';
    } catch (error) {
      if (error instanceof RotateError && error.type === 'GitFailed') return false;
      throw error;
    }
  }

  /** Makes the clone beside its place and moves it there when it is whole. */
  async #make(signal?: AbortSignal): Promise<void> {
    const timeoutMs = this.#options.cloneTimeoutMs ?? 600_000;
    for (const name of await readdir(this.stateDir))
      if (/^clone\.git\.(new|old)-/.test(name))
        await rm(join(this.stateDir, name), { recursive: true, force: true });
    const draft = `${this.gitDir}.new-${randomUUID()}`;
    const outside = this.#gitAt({});
    const git = this.#gitAt({ gitDir: draft });
    const common = { network: true, timeoutMs, ...(signal === undefined ? {} : { signal }) };
    const told = await gitText(outside, {
      args: ['ls-remote', '--symref', '--', this.remote, 'HEAD', 'refs/heads/*'],
      ...common,
    });
    const format = /^[0-9a-f]{64}\t/m.test(told) ? ['--object-format=sha256'] : [];
    try {
      await outside({ args: ['init', '--quiet', '--bare', '--template=', ...format, '--', draft] });
      await writeFile(join(draft, 'config'), configFile(this.remote), { flag: 'a' });
      // ciphertext as it is: no line endings, no filters, whatever .gitattributes says
      await mkdir(join(draft, 'info'), { recursive: true });
      const attributes = '* -text -eol -filter -ident -working-tree-encoding\n';
      await writeFile(join(draft, 'info', 'attributes'), attributes);
      const head = /^ref: (refs\/heads\/\S+)\tHEAD$/m.exec(told)?.[1];
      if (head !== undefined) await git({ args: ['symbolic-ref', 'HEAD', head] });
      await this.#fetchOnce(git, timeoutMs, signal);
      await writeFile(join(draft, marker), JSON.stringify({ remote: this.remote }));
      const old = `${this.gitDir}.old-${randomUUID()}`;
      await rename(this.gitDir, old).catch(absent);
      await rename(draft, this.gitDir);
      await rm(old, { recursive: true, force: true });
    } finally {
      await rm(draft, { recursive: true, force: true });
    }
  }

  async #fetchOnce(git: Git, timeoutMs: number, signal?: AbortSignal): Promise<void> {
    await git({
      args: ['fetch', '--quiet', '--prune', '--no-tags', '--no-write-fetch-head', '--no-auto-gc', 'origin'],
      network: true,
      timeoutMs,
      ...(signal === undefined ? {} : { signal }),
    });
  }

  /** Drops the clone's own refs to commits that are older than any rotation, and were not asked for lately. */
  async #forget(): Promise<void> {
    const format = '--format=%(committerdate:unix) %(refname)';
    const text = await gitText(this.git, { args: ['for-each-ref', format, 'refs/rotate-local/'] });
    const before = Date.now() - keepDays * 86_400_000;
    const input: string[] = [];
    for (const line of text.split('\n').filter((each) => each !== '')) {
      const [seconds, ref = ''] = line.split(' ');
      const writtenAt = await stat(join(this.gitDir, ref)).then(({ mtimeMs }) => mtimeMs, absent);
      if (Number(seconds) * 1000 < before && (writtenAt ?? 0) < before) input.push(`delete ${ref}\n`);
    }
    if (input.length > 0) await this.git({ args: ['update-ref', '--stdin'], input: input.join('') });
  }

  /** gc never runs by itself (it could surprise a fetch); here it is alone, and decides as usual whether it is due. */
  async #pack(signal?: AbortSignal): Promise<void> {
    const settings = ['gc.auto=6700', 'gc.autoDetach=false', 'gc.pruneExpire=2.weeks.ago'];
    await this.git({
      args: [...settings.flatMap((setting) => ['-c', setting]), 'gc', '--auto', '--quiet'],
      timeoutMs: 600_000,
      ...(signal === undefined ? {} : { signal }),
    });
  }
}

function configFile(remote: string): string {
  const quoted = `"${remote.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
  return [
    '[core]',
    '\tfsync = all',
    '\tlogAllRefUpdates = false',
    '[remote "origin"]',
    `\turl = ${quoted}`,
    '\tfetch = +refs/heads/*:refs/heads/*',
    '\tfetch = +refs/rotate/*:refs/rotate/*',
    '',
  ].join('\n');
}

/** git hands the address to its helpers as an argument, where every user of the machine can read it. */
function refuseCredentials(remote: string): void {
  const web = /^[a-z][a-z0-9+.-]*:\/\/([^/@]*)@/i.exec(remote)?.[1];
  const bad =
    remote === '' ||
    remote.startsWith('-') ||
    /[\p{Cc}]|^ext::/u.test(remote) ||
    web?.includes(':') === true ||
    (web !== undefined && /^(gh[a-z]_|github_pat_|glpat-)/.test(web));
  if (bad)
    throw new RotateError('BadConfig', `the address of the repository, ${redactUrls(remote)}, is refused`, {
      hint: 'write it without a password or token, and give git a credential helper or an SSH key',
    });
}

function absent(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
  throw error;
}
