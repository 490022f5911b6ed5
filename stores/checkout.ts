/**
 * Files in a checkout. The repo's content is not trusted: no path in it may lead out of it.
 *
 * Where files are is asked at once: on the worker's own disk that takes microseconds, and to wait for it some fifty times
 * as long.
 */
import { randomBytes } from 'node:crypto';
import { lstatSync, realpathSync, type Stats } from 'node:fs';
import { chmod, open, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';
import { RotateError } from '../domain/failure.js';

/**
 * The absolute path of a file of the checkout.
 *
 * @param root the checkout, absolute.
 * @param path relative to `root`; the file need not exist, its folder must.
 * @throws RotateError `BadConfig` when it leads out of the checkout (by `..`, or by a symbolic link on the way or at its
 * end) or into `.git`.
 */
export async function resolveInside(root: string, path: string): Promise<string> {
  const realRoot = realpathSync.native(root);
  const wanted = join(realRoot, path);
  if (isAbsolute(path) || !isInside(realRoot, wanted)) throw outside(path);
  const file = join(realFolder(wanted, path), basename(wanted));
  const link = entryAt(file)?.isSymbolicLink() ?? false;
  if (link || !isInside(realRoot, file)) throw outside(path);
  return file;
}

function realFolder(file: string, path: string): string {
  try {
    return realpathSync.native(dirname(file));
  } catch (cause) {
    throw new RotateError('UnknownSecret', `there is no ${path} in the repo`, {
      hint: 'make it with `agenix -e`, commit and push it',
      cause,
    });
  }
}

/** The bytes of a file, or undefined when there is none. */
export async function readIfExists(file: string): Promise<Uint8Array | undefined> {
  if (entryAt(file) === undefined) return undefined;
  return readFile(file).catch(ignoreMissing);
}

/**
 * Puts `bytes` in the place of `file` so that a crash leaves either the old content or the new one.
 * The mode of an existing file is kept (git stores the executable bit, and a change of it would be a change of ours).
 */
export async function replaceFile(file: string, bytes: Uint8Array): Promise<void> {
  const mode = (entryAt(file)?.mode ?? 0o644) & 0o777;
  const temporary = join(dirname(file), `.${basename(file)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    const handle = await open(temporary, 'wx', mode);
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await chmod(temporary, mode); // the mode given to open() was cut by the umask
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw fullDisk(error)
      ? new RotateError('NoSpace', `no space left to write ${file}`, {
          hint: 'free space where the worker keeps its state',
          cause: error,
        })
      : error;
  }
}

/** What stands there (a link as such); undefined when nothing does. */
function entryAt(file: string): Stats | undefined {
  try {
    return lstatSync(file, { throwIfNoEntry: false });
  } catch (error) {
    return ignoreMissing(error);
  }
}

function isInside(root: string, file: string): boolean {
  const [first] = relative(root, file).split(sep);
  return first !== '' && first !== '..' && first !== '.git';
}

function outside(path: string): RotateError {
  return new RotateError('BadConfig', `${path} is not a file inside the repo`, {
    hint: 'secret files and rules are plain files of the repo, named relative to its root',
  });
}

function ignoreMissing(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
    return;
  throw error;
}

function fullDisk(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}
