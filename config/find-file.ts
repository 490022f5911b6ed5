/** Where configuration files are looked for. */
import { existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { RotateError } from '../domain/failure.js';

export const rotateFileName = 'rotate.yaml';

export interface FoundRotateYaml {
  /** Absolute. */
  file: string;
  /** Root of the repo that the file is in (its paths are relative to it); where there is no repo, the file's folder. */
  root: string;
}

/**
 * Looks for `rotate.yaml` in `cwd` and upward, to the root of the repo and no further.
 * @throws RotateError `BadConfig` that names the folders where it looked, or the folder that has its name
 */
export function findRotateYaml(cwd: string): FoundRotateYaml {
  const looked: string[] = [];
  let misnamed: string | undefined;
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    looked.push(folder);
    const file = join(folder, rotateFileName);
    if (isFile(file)) return { file, root: repoRoot(folder) ?? folder };
    if (existsSync(file))
      throw new RotateError('BadConfig', `${file} is not a file`, {
        hint: 'rename it, and write rotate.yaml with `rotate init`',
        details: { looked },
      });
    const other = join(folder, 'rotate.yml');
    if (misnamed === undefined && isFile(other)) misnamed = other;
    if (isRepoRoot(folder) || dirname(folder) === folder) break;
  }
  throw new RotateError('BadConfig', `no ${rotateFileName} in ${looked.join(', ')}`, {
    hint:
      misnamed === undefined
        ? 'run rotate in the repo that holds it, or name it with --config; `rotate init` writes a first one'
        : `rename ${misnamed} to ${rotateFileName}`,
    details: { looked },
  });
}

/** The root of the git repo or worktree that `folder` is in. */
function repoRoot(folder: string): string | undefined {
  for (let here = folder; ; here = dirname(here)) {
    if (isRepoRoot(here)) return here;
    if (dirname(here) === here) return undefined;
  }
}

/** A worktree and a submodule have a file there. */
function isRepoRoot(folder: string): boolean {
  return existsSync(join(folder, '.git'));
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

export const workerFileDefault = '/etc/rotate/worker.yaml';

/**
 * The worker's configuration: `explicit` (`--config`), else `$ROTATE_WORKER_CONFIG`, else /etc/rotate/worker.yaml,
 * else the first of `fallbacks` that is there (the one that `rotate dev` has made).
 * @throws RotateError `BadConfig`; a file that was named and is not there is not replaced by another
 */
export function findWorkerYaml(
  explicit: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
  fallbacks: readonly string[] = [],
): string {
  const variable = env['ROTATE_WORKER_CONFIG'];
  const named =
    explicit !== undefined
      ? { path: explicit, by: '--config' }
      : variable !== undefined && variable !== ''
        ? { path: variable, by: '$ROTATE_WORKER_CONFIG' }
        : undefined;
  if (named !== undefined) {
    if (isFile(named.path)) return resolve(named.path);
    const what = existsSync(named.path) ? `${named.path} is not a file` : `there is no file ${named.path}`;
    throw new RotateError('BadConfig', `${what}, which ${named.by} names`, {
      hint: named.by === '--config' ? 'correct the path' : `correct or unset ${named.by}`,
    });
  }
  const places = [workerFileDefault, ...fallbacks];
  const found = places.find((path) => isFile(path));
  if (found !== undefined) return resolve(found);
  throw new RotateError('BadConfig', `no configuration of the worker in ${places.join(', ')}`, {
    hint: 'name it with --config or $ROTATE_WORKER_CONFIG; for a try `rotate dev` makes one',
    details: { looked: places },
  });
}
