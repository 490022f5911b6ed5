/** Reads a configuration file; what cannot be read is a mistake with the path in it. */
import { readFile } from 'node:fs/promises';
import { RotateError } from '../domain/failure.js';

/** @throws RotateError `BadConfig` when the file cannot be read, or is not UTF-8 */
export async function readText(path: string): Promise<string> {
  const bytes = await readBytes(path);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new RotateError('BadConfig', `${path} is not UTF-8`, { hint: 'save it as UTF-8', cause });
  }
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
    throw new RotateError('BadConfig', `cannot read ${path}: ${reason}`, {
      hint: 'check the path and its permissions',
      cause,
    });
  }
}
