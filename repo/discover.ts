/** Where the user stands: the root of his clone, its branch and its remote. For the command line; imports nothing heavy. */
import { RotateError } from '../domain/failure.js';
import { gitFailure, saysBrokenClone } from './git-failure.js';
import { gitAt, gitEnvironment, gitText, type Git, type GitResult } from './git.js';
import { resolveCommit } from './objects.js';

export interface Checkout {
  /** Absolute path of the working tree's root. */
  root: string;
  /** The branch that is checked out; absent when HEAD is detached. */
  branch?: string;
  /** HEAD's commit; absent in a repo without commits. */
  commit?: string;
  /** Name of the remote: the branch's own, `origin`, or the only one. */
  remote?: string;
  /** Its address as git resolves it. May hold credentials: print it through `redactUrls`. */
  remoteUrl?: string;
}

/**
 * Looks upward from `cwd` for a git working tree.
 * @throws RotateError Usage when there is none; GitFailed when git refuses to read the one that is there
 */
export async function discover(cwd: string): Promise<Checkout> {
  const git = gitOf(cwd);
  const found = await git({ args: ['rev-parse', '--show-toplevel'], accept: [0, 128] });
  const root = found.stdout.toString('utf8').replace(/\n$/, '');
  if (root === '') throw noTree(found, 'git rev-parse', cwd);
  const [branch, remotes, commit] = await Promise.all([
    readBranch(git, cwd),
    readRemotes(git),
    resolveCommit(git, 'HEAD'),
  ]);
  const remote = chosenRemote(remotes, branch);
  const remoteUrl =
    remote === undefined ? undefined : await gitText(git, { args: ['remote', 'get-url', remote] });
  return {
    root,
    ...(branch === undefined ? {} : { branch }),
    ...(commit === undefined ? {} : { commit }),
    ...(remote === undefined ? {} : { remote }),
    ...(remoteUrl === undefined ? {} : { remoteUrl }),
  };
}

/**
 * The remote alone, for what need not wait for the rest; undefined also where there is no repo.
 * @throws RotateError GitFailed when git refuses to read its configuration
 */
export async function discoverRemote(cwd: string): Promise<string | undefined> {
  const git = gitOf(cwd);
  const remotes = await readRemotes(git);
  // Among several it depends on the branch.
  return chosenRemote(remotes, remotes.names.size > 1 ? await readBranch(git, cwd) : undefined);
}

function gitOf(cwd: string): Git {
  return gitAt({ environment: gitEnvironment(process.env), cwd });
}

interface Remotes {
  names: ReadonlySet<string>;
  /** By branch. */
  own: ReadonlyMap<string, string>;
}

async function readRemotes(git: Git): Promise<Remotes> {
  const settings = await gitText(git, {
    args: ['config', '--null', '--get-regexp', String.raw`^(remote\..*\.url|branch\..*\.remote)$`],
    // 1: there are none
    accept: [0, 1],
  });
  const names = new Set<string>();
  const own = new Map<string, string>();
  for (const setting of settings.split('\0')) {
    const [key = '', ...value] = setting.split('\n');
    const name = key.slice(key.indexOf('.') + 1, key.lastIndexOf('.'));
    if (key.startsWith('remote.')) names.add(name);
    else if (key.startsWith('branch.')) own.set(name, value.join('\n'));
  }
  return { names, own };
}

async function readBranch(git: Git, cwd: string): Promise<string | undefined> {
  // 1: HEAD is detached
  const head = await git({ args: ['symbolic-ref', '--quiet', '--short', 'HEAD'], accept: [0, 1, 128] });
  if (head.code === 128) throw noTree(head, 'git symbolic-ref', cwd);
  return head.stdout.toString('utf8').replace(/\n$/, '') || undefined;
}

function chosenRemote({ names, own }: Remotes, branch: string | undefined): string | undefined {
  const only = names.size === 1 ? [...names][0] : undefined;
  const ofBranch = branch === undefined ? undefined : own.get(branch);
  return [ofBranch, 'origin', only].find((name) => name !== undefined && names.has(name));
}

/** Why git found no working tree. A repo that it refuses to read (it is somebody else's) is no missing one. */
export function noTree({ code, stderr }: GitResult, what: string, cwd: string): RotateError {
  if (code !== 0 && !/not a git repository|must be run in a work tree/i.test(stderr))
    return ofPerson(gitFailure(what, code, stderr), cwd);
  return new RotateError('Usage', `${cwd} is in no git working tree`, {
    hint: 'run rotate in a clone of the repository that the fleet is built from',
  });
}

/** Nobody makes a person's own clone again. */
function ofPerson(failure: RotateError, cwd: string): RotateError {
  if (!saysBrokenClone(failure) && failure.hint !== undefined) return failure;
  return new RotateError(failure.type, failure.message, {
    hint: `put the repository right; \`git -C ${cwd} status\` says what is wrong with it`,
    cause: failure,
  });
}
