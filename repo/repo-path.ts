/** Paths, commits and branches that reach git's command line are checked here first. */
import { RotateError } from '../domain/failure.js';

/**
 * Refuses what is no plain path inside a repo: absolute, with `.`, `..` or `.git` in it, beginning with a
 * dash, or with control characters.
 * @throws RotateError BadConfig
 */
export function assertRepoPath(path: string): void {
  const parts = path.split('/');
  const bad =
    path === '' ||
    path.startsWith('-') ||
    /\p{Cc}/u.test(path) ||
    parts.some((part) => part === '' || part === '.' || part === '..' || part.toLowerCase() === '.git');
  if (bad)
    throw new RotateError('BadConfig', `${JSON.stringify(path)} is no path inside the repository`, {
      hint: 'write it relative to the root of the repository, without . or ..',
    });
}

/** @throws RotateError Usage for what is no full object id */
export function assertCommit(commit: string): void {
  if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(commit))
    throw new RotateError('Usage', `${JSON.stringify(commit)} is no full commit id`);
}

/** The rules of git-check-ref-format(1) for a branch. @throws RotateError BadConfig */
export function assertBranch(branch: string): void {
  const bad =
    branch === '' ||
    branch === '@' ||
    branch.startsWith('-') ||
    /[\p{Cc} ~^:?*[\\]|\.\.|@\{|\/\/|\.$|^\/|\/$/u.test(branch) ||
    branch.split('/').some((part) => part.startsWith('.') || part.endsWith('.lock'));
  if (bad) throw new RotateError('BadConfig', `${JSON.stringify(branch)} is no name of a branch`);
}
