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
  const [{ branch, remote }, commit] = await Promise.all([readRemote(git, cwd), resolveCommit(git, 'HEAD')]);
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
 * The remote alone, for what need not wait for the rest.
 * @throws RotateError as {@link discover}
 */
export async function discoverRemote(cwd: string): Promise<string | undefined> {
  return (await readRemote(gitOf(cwd), cwd)).remote;
}

function gitOf(cwd: string): Git {
  return gitAt({ environment: gitEnvironment(process.env), cwd });
}

async function readRemote(git: Git, cwd: string): Promise<Pick<Checkout, 'branch' | 'remote'>> {
  const [head, settings] = await Promise.all([
    // 1: HEAD is detached
    git({ args: ['symbolic-ref', '--quiet', '--short', 'HEAD'], accept: [0, 1, 128] }),
    // 1: there are none
    gitText(git, {
      args: ['config', '--null', '--get-regexp', String.raw`^(remote\..*\.url|branch\..*\.remote)$`],
      accept: [0, 1],
    }),
  ]);
  if (head.code === 128) throw noTree(head, 'git symbolic-ref', cwd);
  const branch = head.stdout.toString('utf8').replace(/\n$/, '') || undefined;
  const remotes = new Set<string>();
  let own: string | undefined;
  for (const setting of settings.split('\0')) {
    const [key = '', ...value] = setting.split('\n');
    const name = key.slice(key.indexOf('.') + 1, key.lastIndexOf('.'));
    if (key.startsWith('remote.')) remotes.add(name);
    else if (name === branch) own = value.join('\n');
  }
  const only = remotes.size === 1 ? [...remotes][0] : undefined;
  const remote = [own, 'origin', only].find((name) => name !== undefined && remotes.has(name));
  return { ...(branch === undefined ? {} : { branch }), ...(remote === undefined ? {} : { remote }) };
}

/** A repo that git refuses to read (it is somebody else's) is no missing one. */
function noTree({ code, stderr }: GitResult, what: string, cwd: string): RotateError {
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
