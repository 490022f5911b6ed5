/** Where the user stands: the root of his clone, its branch and its remote. For the command line; imports nothing heavy. */
import { RotateError } from '../domain/failure.js';
import { gitFailure, saysBrokenClone } from './git-failure.js';
import { gitAt, gitEnvironment, gitText } from './git.js';
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
  const git = gitAt({ environment: gitEnvironment(process.env), cwd });
  const answer = async (args: readonly string[]) => {
    const text = await gitText(git, { args, accept: [0, 1] });
    return text === '' ? undefined : text;
  };
  const { code, stdout, stderr } = await git({ args: ['rev-parse', '--show-toplevel'], accept: [0, 128] });
  // A repo of somebody else's is no missing one.
  if (code !== 0 && !/not a git repository|must be run in a work tree/i.test(stderr))
    throw ofPerson(gitFailure('git rev-parse', code, stderr), cwd);
  const root = stdout.toString('utf8').replace(/\n$/, '');
  if (root === '')
    throw new RotateError('Usage', `${cwd} is in no git working tree`, {
      hint: 'run rotate in a clone of the repository that the fleet is built from',
    });
  const [branch, commit, names] = await Promise.all([
    answer(['symbolic-ref', '--quiet', '--short', 'HEAD']),
    resolveCommit(git, 'HEAD'),
    answer(['remote']),
  ]);
  const remotes = (names ?? '').split('\n').filter((name) => name !== '');
  const own = branch === undefined ? undefined : await answer(['config', '--get', `branch.${branch}.remote`]);
  const only = remotes.length === 1 ? remotes[0] : undefined;
  const remote = [own, 'origin', only].find((name) => name !== undefined && remotes.includes(name));
  const remoteUrl = remote === undefined ? undefined : await answer(['remote', 'get-url', remote]);
  return {
    root,
    ...(branch === undefined ? {} : { branch }),
    ...(commit === undefined ? {} : { commit }),
    ...(remote === undefined ? {} : { remote }),
    ...(remoteUrl === undefined ? {} : { remoteUrl }),
  };
}

/** Nobody makes a person's own clone again. */
function ofPerson(failure: RotateError, cwd: string): RotateError {
  if (!saysBrokenClone(failure) && failure.hint !== undefined) return failure;
  return new RotateError(failure.type, failure.message, {
    hint: `put the repository right; \`git -C ${cwd} status\` says what is wrong with it`,
    cause: failure,
  });
}
