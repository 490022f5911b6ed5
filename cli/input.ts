/** Standard input of the program: lines for questions, hidden lines for secrets, or all of it. */
import type { ReadStream } from 'node:tty';

import type { Input } from './context.js';
import { interruptedBy } from './interrupted.js';

export function makeInput(stream: ReadStream): Input {
  return {
    isTTY: stream.isTTY,
    readLine: (signal) => readLine(stream, signal),
    withHidden: async (signal, show, work) => {
      const { withHidden } = await import('./hidden-line.js');
      return withHidden(stream, signal, show, work);
    },
    readAll: (signal, limit) => readAll(stream, signal, limit),
  };
}

async function readLine(stream: ReadStream, signal: AbortSignal): Promise<string | undefined> {
  // Commands that ask nothing need not load it.
  const { createInterface } = await import('node:readline');
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(interruptedBy(signal.reason));
    // The line before may have let go of it, so that a program that is done can end.
    stream.ref();
    const lines = createInterface({ input: stream, terminal: false });
    const stop = (): void => {
      reject(interruptedBy(signal.reason));
      lines.close();
    };
    signal.addEventListener('abort', stop, { once: true });
    lines.once('line', (line) => {
      resolve(line);
      lines.close();
    });
    lines.once('close', () => {
      signal.removeEventListener('abort', stop);
      resolve(undefined);
      stream.unref();
    });
  });
}

async function readAll(
  stream: ReadStream,
  signal: AbortSignal,
  limit: number,
): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  const stop = (): void => void stream.destroy(interruptedBy(signal.reason));
  if (signal.aborted) throw interruptedBy(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const chunk of stream) {
      if (!Buffer.isBuffer(chunk)) continue;
      chunks.push(chunk);
      size += chunk.length;
      if (size > limit) return undefined;
    }
    return new Uint8Array(Buffer.concat(chunks));
  } finally {
    signal.removeEventListener('abort', stop);
    for (const chunk of chunks) chunk.fill(0);
  }
}
