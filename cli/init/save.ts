/** Puts the file where it belongs: whole or not at all. */
import { randomBytes } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { RotateError } from '../../domain/failure.js';
import { systemReason } from '../../domain/system-error.js';
import { interruptedBy } from '../interrupted.js';

/**
 * Writes beside `file` and renames.
 * @throws RotateError BadConfig where nothing can be written; Interrupted, and then nothing is left behind
 */
export async function save(file: string, text: string, signal: AbortSignal): Promise<void> {
  const temporary = join(dirname(file), `.${basename(file)}.${randomBytes(6).toString('hex')}`);
  try {
    await writeFile(temporary, text, { flag: 'wx' });
    if (signal.aborted) throw interruptedBy(signal.reason);
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    if (error instanceof RotateError) throw error;
    throw new RotateError('BadConfig', `cannot write ${file}: ${systemReason(error)}`, {
      hint: 'check the folder and its permissions, or print it with --print',
      cause: error,
    });
  }
}
