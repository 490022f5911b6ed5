/** Lines that are typed without being shown. */
import type { ReadStream } from 'node:tty';

import type { AskHidden } from './context.js';
import { interruptedBy } from './interrupted.js';

const ctrlC = 0x03;
const ctrlD = 0x04;
const ctrlU = 0x15;
const backspaces = [0x08, 0x7f];
const ends = [0x0a, 0x0d];

/**
 * Puts the terminal in raw mode, in which it echoes nothing, before anything is asked and until all is answered: who
 * is quick, or pastes, is not shown between two questions either.
 */
export async function withHidden<T>(
  input: ReadStream,
  signal: AbortSignal,
  show: (text: string) => void,
  work: (ask: AskHidden) => Promise<T>,
): Promise<T> {
  // An earlier question has let go of it.
  input.ref();
  input.setRawMode(true);
  try {
    return await work(async (question) => {
      show(question);
      try {
        return await readLine(input, signal);
      } finally {
        // The end of the line was not shown either.
        show('\n');
      }
    });
  } finally {
    input.setRawMode(false);
    input.unref();
  }
}

/** @throws RotateError Interrupted */
async function readLine(input: ReadStream, signal: AbortSignal): Promise<Uint8Array | undefined> {
  if (signal.aborted) throw interruptedBy(signal.reason);
  const typed: number[] = [];
  try {
    return await new Promise<Uint8Array | undefined>((resolve, reject) => {
      const stop = (): void => {
        input.off('data', take);
        input.off('end', end);
        signal.removeEventListener('abort', abort);
        input.pause();
      };
      const abort = (): void => {
        stop();
        reject(interruptedBy(signal.reason));
      };
      const end = (): void => {
        stop();
        resolve(typed.length === 0 ? undefined : Uint8Array.from(typed));
      };
      const take = (chunk: Buffer): void => {
        for (const [i, byte] of chunk.entries()) {
          if (byte === ctrlC) {
            stop();
            reject(interruptedBy('SIGINT'));
            break;
          }
          if (byte === ctrlD && typed.length === 0) {
            end();
            break;
          }
          if (ends.includes(byte)) {
            stop();
            // What was pasted behind it belongs to the next question.
            if (i + 1 < chunk.length) input.unshift(Buffer.from(chunk.subarray(i + 1)));
            resolve(Uint8Array.from(typed));
            break;
          }
          if (byte === ctrlU) typed.length = 0;
          else if (backspaces.includes(byte)) eraseLast(typed);
          else if (byte !== ctrlD) typed.push(byte);
        }
        chunk.fill(0);
      };
      signal.addEventListener('abort', abort, { once: true });
      input.on('data', take);
      input.once('end', end);
      input.resume();
    });
  } finally {
    typed.fill(0);
  }
}

/** One character of UTF-8: its continuation bytes, then its first. */
function eraseLast(bytes: number[]): void {
  let byte = bytes.pop();
  while (byte !== undefined && byte >= 0x80 && byte < 0xc0) byte = bytes.pop();
}
