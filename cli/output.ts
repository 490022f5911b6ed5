/**
 * Stdout and stderr of the program. Node's streams take as long to make as many a command takes to run, so that they
 * are made for terminals only: to files and pipes Node writes at once anyway, and so does this.
 */
import { fstatSync, statSync, writeSync } from 'node:fs';

import type { Output } from './context.js';
import { attend } from './terminal.js';

export interface ProcessOutput extends Output {
  /** Ends when all that was written has left the program. */
  flushed(): Promise<void>;
}

/**
 * @param open its stream
 * @param failed called with what becomes of writing to it when nobody reads any more, or the disk is full
 */
export function makeOutput(
  fd: 1 | 2,
  open: () => NodeJS.WriteStream,
  failed: (error: NodeJS.ErrnoException) => void,
): ProcessOutput {
  let opened: NodeJS.WriteStream | undefined;
  const stream = (): NodeJS.WriteStream => (opened ??= open().on('error', failed));
  let direct = isNoTerminal(fd);
  const isTTY = (): boolean => !direct && stream().isTTY;
  const write = (text: string): void => {
    if (!direct) return void stream().write(text);
    const bytes = Buffer.from(text);
    let written = 0;
    try {
      while (written < bytes.length) written += writeSync(fd, bytes, written);
    } catch (error) {
      if (!isErrno(error)) throw error;
      if (error.code !== 'EAGAIN') return failed(error);
      // Somebody has made it one that does not wait (fcntl(2), O_NONBLOCK), and it is full: a stream waits.
      direct = false;
      stream().write(bytes.subarray(written));
    }
  };
  return {
    write,
    get isTTY() {
      return isTTY();
    },
    get columns() {
      return isTTY() ? sizeOf(stream().columns) : undefined;
    },
    get rows() {
      return isTTY() ? sizeOf(stream().rows) : undefined;
    },
    attend: (attention) => attend(stream(), attention),
    flushed: () =>
      new Promise((resolve) => {
        if (opened === undefined) resolve();
        else opened.write('', () => resolve());
      }),
  };
}

/** Without the module that knows terminals, which is half of what a stream costs. */
function isNoTerminal(fd: number): boolean {
  const found = fstatSync(fd);
  return !found.isCharacterDevice() || found.rdev === statSync('/dev/null').rdev;
}

/** A terminal whose size nobody has set says 0. */
function sizeOf(size: number): number | undefined {
  return size > 0 ? size : undefined;
}

function isErrno(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error;
}
