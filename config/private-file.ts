/** Whether a file with a key is readable by its owner alone. */
import { realpath, stat } from 'node:fs/promises';
import { RotateError } from '../domain/failure.js';

/** systemd's credentials are readable by the unit's user through an ACL, which shows as the group's bits. */
const credentialFolder = '/run/credentials/';

/**
 * Refuses a key file that others can read or write. Nothing of its content is read.
 * @param what for messages, e.g. `the age identity`
 * @throws RotateError `BadConfig` when it is not there, is no file, or is open to others
 */
export async function checkPrivateFile(path: string, what: string = 'the key file'): Promise<void> {
  const { real, mode, uid, isFile } = await look(path, what);
  if (!isFile)
    throw new RotateError('BadConfig', `${what} ${path} is not a file`, { hint: 'name the file itself' });
  if (real.startsWith(credentialFolder)) return;
  if ((mode & 0o077) !== 0) {
    const text = (mode & 0o777).toString(8).padStart(4, '0');
    throw new RotateError('BadConfig', `${what} ${path} is open to other users (mode ${text})`, {
      hint: `chmod 600 ${path}; if others may have read it, replace the key`,
    });
  }
  const self = process.getuid?.();
  if (self !== undefined && uid !== 0 && uid !== self) {
    throw new RotateError('BadConfig', `${what} ${path} belongs to another user (uid ${uid})`, {
      hint: `chown it to the user that the worker runs as`,
    });
  }
}

async function look(
  path: string,
  what: string,
): Promise<{ real: string; mode: number; uid: number; isFile: boolean }> {
  try {
    const real = await realpath(path);
    const stats = await stat(real);
    return { real, mode: stats.mode, uid: stats.uid, isFile: stats.isFile() };
  } catch (cause) {
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
    throw new RotateError(
      'BadConfig',
      `cannot read ${what} ${path}: ${reason === 'ENOENT' ? 'there is no such file' : reason}`,
      {
        hint: "correct the path in the worker's configuration",
        cause,
      },
    );
  }
}
