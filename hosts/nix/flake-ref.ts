/** Names one commit of a clone as a flake, so that nothing else can be built and no lock file is written. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { RotateError } from '../../domain/failure.js';
import { lastLines, nixError } from './failures.js';
import { nixEnvironment, runProgram } from './process.js';

export interface FlakeSource {
  /** Absolute path of a clone on the worker, bare or not. Only its objects are read. */
  repository: string;
  /** Full SHA of a commit in it, on whatever branch. */
  commit: string;
  /** Folder of flake.nix in the repo; `.` for its root. */
  flakeDir: string;
}

/** A folder to work in, and the commit as a flake there. */
export interface Workplace {
  cwd: string;
  /** `git+file:///…?rev=SHA&dir=…` */
  reference: string;
}

/**
 * Runs `action` in a private folder that is removed afterwards. The commit is offered by a repository of its own
 * in it, which borrows the clone's objects and has the commit as HEAD: Nix 2.8 takes a bare repository, or one with a
 * space in its path, only with a `ref`, and a commit only when HEAD reaches it.
 * @throws RotateError BadConfig, BuildFailed when the commit is not there
 */
export async function withFlake<T>(
  source: FlakeSource,
  options: { environment?: NodeJS.ProcessEnv; signal?: AbortSignal },
  action: (place: Workplace) => Promise<T>,
): Promise<T> {
  if (!/^[0-9a-f]{40}([0-9a-f]{24})?$/.test(source.commit))
    throw new RotateError('Internal', `${JSON.stringify(source.commit)} is not a commit`);
  if (!isAbsolute(source.repository)) throw new RotateError('Internal', 'the clone is not an absolute path');
  const query = `rev=${source.commit}${directory(source.flakeDir)}`;
  const cwd = await mkdtemp(join(tmpdir(), 'rotate-build-'));
  try {
    const borrowed = join(cwd, 'source');
    await git(source, options, [
      'clone',
      '--quiet',
      '--shared',
      '--no-checkout',
      '--template=',
      source.repository,
      borrowed,
    ]);
    await git(source, options, ['-C', borrowed, 'update-ref', 'refs/heads/rotate', source.commit]);
    await git(source, options, ['-C', borrowed, 'symbolic-ref', 'HEAD', 'refs/heads/rotate']);
    const path = borrowed.split('/').map(encodeURIComponent).join('/');
    return await action({ cwd, reference: `git+file://${path}?${query}` });
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
}

/** `configuration` as it may stand in `nixosConfigurations."…"`. @throws RotateError BadConfig */
export function configurationName(configuration: string): string {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.+-]*$/.test(configuration))
    throw new RotateError('BadConfig', `${JSON.stringify(configuration)} cannot be a configuration's name`, {
      hint: 'letters, digits and ._+- only, as in nixosConfigurations.<name>',
    });
  return configuration;
}

/** `REFERENCE#nixosConfigurations."NAME"` with `attribute` below it. */
export function flakeAttribute(place: Workplace, configuration: string, attribute = ''): string {
  return `${place.reference}#nixosConfigurations."${configurationName(configuration)}"${attribute}`;
}

/** For every command of the new interface, whatever nix.conf says. */
export const nixFlags = ['--extra-experimental-features', 'nix-command flakes'] as const;

function directory(flakeDir: string): string {
  const parts = flakeDir.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..'))
    throw new RotateError('BadConfig', `repo.flake leads out of the repo: ${flakeDir}`);
  return parts.length === 0 ? '' : `&dir=${parts.map(encodeURIComponent).join('/')}`;
}

async function git(
  source: FlakeSource,
  options: { environment?: NodeJS.ProcessEnv; signal?: AbortSignal },
  args: readonly string[],
): Promise<void> {
  const { code, stderr } = await runProgram('git', args, {
    cwd: tmpdir(),
    env: nixEnvironment(options.environment ?? process.env, { GIT_TERMINAL_PROMPT: '0' }),
    timeoutMs: 120_000,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  if (code !== 0)
    throw new RotateError(
      'BuildFailed',
      `cannot take commit ${source.commit.slice(0, 12)} from the clone: ${nixError(stderr)}`,
      {
        hint: 'the clone of the worker may be damaged; it is made anew when it is removed',
        details: { output: lastLines(stderr) },
      },
    );
}
