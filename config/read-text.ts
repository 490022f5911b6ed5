/** Reads a configuration file; what cannot be read is a mistake with the path in it. */
import { readFileSync } from 'node:fs';
import { RotateError } from '../domain/failure.js';
import { systemReason } from '../domain/system-error.js';

/**
 * @param name how the file is named in messages; default: `path`
 * @throws RotateError `BadConfig` when the file cannot be read, or is not UTF-8
 */
export async function readText(path: string, name: string = path): Promise<string> {
  const bytes = readBytes(path, name);
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new RotateError('BadConfig', `${name}:${brokenLine(bytes)}: the file is not UTF-8`, {
      hint: `save ${name} as UTF-8`,
      cause,
    });
  }
}

/** The first line, from 1, that is not UTF-8. */
function brokenLine(bytes: Uint8Array): number {
  for (let line = 1, start = 0; ; line += 1) {
    const found = bytes.indexOf(0x0a, start);
    const end = found < 0 ? bytes.length : found;
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(start, end));
    } catch {
      return line;
    }
    if (found < 0) return line;
    start = found + 1;
  }
}

/** At once: a small file is there before what waits for files is even loaded. */
function readBytes(path: string, name: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new RotateError('BadConfig', `cannot read ${name}: ${systemReason(cause)}`, {
      hint: 'check the path and its permissions',
      cause,
    });
  }
}
