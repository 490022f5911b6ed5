/** Whether a file with a key is readable by its owner alone. */
import { realpath, stat } from 'node:fs/promises';
import { RotateError } from '../domain/failure.js';
import { systemReason } from '../domain/system-error.js';

/** systemd's credentials are readable by the unit's user through an ACL, which shows as the group's bits. */
const credentialFolder = '/run/credentials/';

/** What is looked at of a file; never its content. */
export interface FileFacts {
  /** With all links followed. */
  path: string;
  isFile: boolean;
  /** Permission bits. */
  mode: number;
  uid: number;
}

/**
 * Why a key file is not private; undefined when it is.
 * @param self uid of this process
 */
export function exposure(file: FileFacts, self: number): { message: string; hint: string } | undefined {
  if (!file.isFile) return { message: 'is not a file', hint: 'name the file itself' };
  if (file.path.startsWith(credentialFolder)) return undefined;
  if ((file.mode & 0o077) !== 0) {
    const mode = (file.mode & 0o777).toString(8).padStart(4, '0');
    return {
      message: `is open to other users (mode ${mode})`,
      hint: `chmod 600 ${file.path}; if others may have read it, replace the key`,
    };
  }
  if (file.uid !== 0 && file.uid !== self) {
    return {
      message: `belongs to another user (uid ${file.uid})`,
      hint: `give it to the user that the worker runs as: chown USER ${file.path}`,
    };
  }
  return undefined;
}

/**
 * Refuses a key file that others can read or write. Nothing of its content is read.
 * @param what for messages, e.g. `the age identity`
 * @throws RotateError `BadConfig` when it is not there, is no file, or is open to others
 */
export async function checkPrivateFile(path: string, what: string = 'the key file'): Promise<void> {
  const problem = exposure(await look(path, what), process.getuid?.() ?? 0);
  if (problem === undefined) return;
  throw new RotateError('BadConfig', `${what} ${path} ${problem.message}`, { hint: problem.hint });
}

async function look(path: string, what: string): Promise<FileFacts> {
  try {
    const real = await realpath(path);
    const stats = await stat(real);
    return { path: real, isFile: stats.isFile(), mode: stats.mode, uid: stats.uid };
  } catch (cause) {
    throw new RotateError('BadConfig', `cannot read ${what} ${path}: ${systemReason(cause)}`, {
      hint: "correct the path in the worker's configuration",
      cause,
    });
  }
}
