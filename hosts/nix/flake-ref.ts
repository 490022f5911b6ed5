/** Names one commit of a clone as a flake, so that nothing else can be built and no lock file is written. */
import { access, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { RotateError } from '../../domain/failure.js';

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
 * space in its path, only with a `ref`, and a commit only when HEAD reaches it. A commit that is not there is told by
 * the program that `action` runs.
 * @throws RotateError Internal
 */
export async function withFlake<T>(
  source: FlakeSource,
  action: (place: Workplace) => Promise<T>,
): Promise<T> {
  if (!/^[0-9a-f]{40}([0-9a-f]{24})?$/.test(source.commit))
    throw new RotateError('Internal', `${JSON.stringify(source.commit)} is not a commit`);
  if (!isAbsolute(source.repository)) throw new RotateError('Internal', 'the clone is not an absolute path');
  const query = `rev=${source.commit}${directory(source.flakeDir)}`;
  const cwd = await mkdtemp(join(tmpdir(), 'rotate-build-'));
  try {
    const borrowed = join(cwd, 'source');
    await borrow(source, borrowed);
    const path = borrowed.split('/').map(encodeURIComponent).join('/');
    return await action({ cwd, reference: `git+file://${path}?${query}` });
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
}

/**
 * What `git clone --shared --no-checkout` makes, by hand: three runs of git would take longer than a build that has
 * nothing to do. See gitrepository-layout(5).
 */
async function borrow({ repository, commit }: FlakeSource, to: string): Promise<void> {
  const worktree = join(repository, '.git', 'objects');
  const bare = join(repository, 'objects');
  const objects = await access(worktree).then(
    () => worktree,
    () => bare,
  );
  if (objects.includes('\n')) throw new RotateError('Internal', 'a path of the clone holds a line break');
  const gitDir = join(to, '.git');
  await mkdir(join(gitDir, 'objects', 'info'), { recursive: true });
  await mkdir(join(gitDir, 'refs', 'heads'), { recursive: true });
  await Promise.all([
    writeFile(join(gitDir, 'objects', 'info', 'alternates'), `${objects}\n`),
    writeFile(join(gitDir, 'refs', 'heads', 'rotate'), `${commit}\n`),
    writeFile(join(gitDir, 'HEAD'), 'ref: refs/heads/rotate\n'),
    writeFile(join(gitDir, 'config'), commit.length === 40 ? sha1Config : sha256Config),
  ]);
}

const sha1Config = '[core]\n\trepositoryformatversion = 0\n\tbare = false\n';
const sha256Config =
  '[core]\n\trepositoryformatversion = 1\n\tbare = false\n[extensions]\n\tobjectFormat = sha256\n';

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
    throw new RotateError('BadConfig', `repo.flake leads out of the repo: ${flakeDir}`, {
      hint: 'correct `repo.flake` in rotate.yaml: the folder of flake.nix, seen from the root of the repo',
    });
  return parts.length === 0 ? '' : `&dir=${parts.map(encodeURIComponent).join('/')}`;
}
