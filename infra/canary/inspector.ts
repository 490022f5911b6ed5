/**
 * Searches bytes, streams and files for needles: raw, without line ends, and unpacked when they are compressed
 * (in several layers, too). Collects the hits of one place in bounded memory.
 */
import { spawn } from 'node:child_process';
import { Duplex } from 'node:stream';
import { constants, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import { formsOf } from './forms.js';
import type { Needle } from './forms.js';
import { createMatcher } from './matcher.js';
import type { Feed, Matcher } from './matcher.js';

/** A needle that was found. */
export interface Hit {
  needle: string;
  form: string;
  /** Where, for a person; never with the value. */
  where: string;
}

/** Layers of compression that are unpacked. */
const deepest = 3;
/** More hits than this say nothing more. */
const mostHits = 2000;

/** Something that is written to, chunk by chunk; each call is awaited before the next. */
export interface Sink {
  push(chunk: Uint8Array): Promise<void>;
  end(): Promise<void>;
}

function tool(command: string): Duplex {
  const child = spawn(command, ['-dc'], { stdio: ['pipe', 'pipe', 'ignore'] });
  const duplex = Duplex.from({ writable: child.stdin, readable: child.stdout });
  child.once('error', (error) =>
    duplex.destroy(new Error(`cannot unpack: ${command} does not start`, { cause: error })),
  );
  return duplex;
}

/** How the data is compressed, by the first bytes. */
function unpackerFor(first: Uint8Array): { name: string; create: () => Duplex } | undefined {
  const [a = 0, b = 0, c = 0, d = 0] = first;
  const magic = (a << 24) | (b << 16) | (c << 8) | d;
  const finishFlush = constants.Z_SYNC_FLUSH; // what is cut off is unpacked as far as it goes
  if (a === 0x1f && b === 0x8b) return { name: 'gzip', create: () => createGunzip({ finishFlush }) };
  if (magic === (0x28b52ffd | 0)) return { name: 'zstd', create: () => createZstdDecompress() };
  if (magic === (0xfd377a58 | 0)) return { name: 'xz', create: () => tool('xz') };
  if (magic >>> 8 === 0x425a68) return { name: 'bzip2', create: () => tool('bzip2') };
  if (a === 0x78 && ((a << 8) | b) % 31 === 0)
    return { name: 'zlib', create: () => createInflate({ finishFlush }) };
  return undefined;
}

/** `chunk` without line ends (LF, or CR and LF, which two chunks may share). */
function unwrapped(chunk: Uint8Array): Uint8Array {
  const from = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  const to = Buffer.allocUnsafe(from.length);
  let length = 0;
  for (let at = 0; at < from.length;) {
    const found = from.indexOf(10, at);
    const next = found === -1 ? from.length : found;
    const end = next > at && from[next - 1] === 13 ? next - 1 : next;
    length += from.copy(to, length, at, end);
    at = next + 1;
  }
  return to.subarray(0, length);
}

export class Inspector {
  readonly #matcher: Matcher;
  readonly #wrapped: Matcher;
  readonly #hits = new Map<string, Hit>();
  readonly #signal: AbortSignal | undefined;
  /** Bytes that were searched, unpacked ones included. */
  searched = 0;

  /** @param signal ends the search, at the next chunk, with its reason */
  constructor(needles: readonly Needle[], signal?: AbortSignal) {
    const patterns = needles.flatMap(formsOf);
    this.#matcher = createMatcher(patterns);
    this.#wrapped = createMatcher(patterns.filter((pattern) => pattern.wraps));
    this.#signal = signal;
  }

  get hits(): Hit[] {
    return [...this.#hits.values()];
  }

  #found(where: string, matches: ReturnType<Feed>): void {
    for (const { pattern, offset } of matches) {
      const key = `${pattern.needle}\0${pattern.form}\0${where}`;
      if (!this.#hits.has(key) && this.#hits.size < mostHits)
        this.#hits.set(key, {
          needle: pattern.needle,
          form: pattern.form,
          where: `${where} at byte ${offset}`,
        });
    }
  }

  /** A sink for one stream of bytes. */
  open(where: string, depth = 0): Sink {
    const raw = this.#matcher.start();
    const joined = this.#wrapped.start();
    let head = Buffer.alloc(0);
    let unpacker: Unpacking | undefined;
    let sniffed = false;
    const sniff = (chunk: Uint8Array, last: boolean): Uint8Array => {
      head = Buffer.concat([head, chunk]);
      if (head.length < 4 && !last) return Buffer.alloc(0);
      sniffed = true;
      const found = depth < deepest ? unpackerFor(head) : undefined;
      if (found !== undefined)
        unpacker = unpackInto(found.create(), this.open(`${where} (${found.name})`, depth + 1));
      return head;
    };
    return {
      push: async (chunk) => {
        this.#signal?.throwIfAborted();
        this.searched += chunk.length;
        this.#found(where, raw(chunk));
        this.#found(where, joined(unwrapped(chunk)));
        const fresh = sniffed ? chunk : sniff(chunk, false);
        if (unpacker !== undefined && fresh.length > 0) await unpacker.write(fresh);
      },
      end: async () => {
        if (!sniffed) {
          const rest = sniff(Buffer.alloc(0), true);
          if (unpacker !== undefined) await unpacker.write(rest);
        }
        if (unpacker !== undefined) await unpacker.end();
      },
    };
  }

  /** Searches one value. */
  async bytes(where: string, data: Uint8Array): Promise<void> {
    const sink = this.open(where);
    await sink.push(data);
    await sink.end();
  }

  /** Searches a short text that is never compressed, such as a file's name. */
  text(where: string, text: string): void {
    this.#found(where, this.#matcher.start()(Buffer.from(text)));
  }

  /** Searches a stream. */
  async stream(where: string, source: AsyncIterable<Uint8Array>): Promise<void> {
    const sink = this.open(where);
    for await (const chunk of source) await sink.push(chunk);
    await sink.end();
  }
}

interface Unpacking {
  write(chunk: Uint8Array): Promise<void>;
  end(): Promise<void>;
}

/** Written to an unpacker at once: what it makes of it (a thousand times as much, at worst) is held in memory. */
const slice = 64 * 1024;

/**
 * Feeds `sink` with what `unpacker` makes of the data, up to where the data turns out not to be of its format:
 * text may begin like compressed data, and a file may be damaged. The raw bytes are searched in any case.
 */
function unpackInto(unpacker: Duplex, sink: Sink): Unpacking {
  let pending = Promise.resolve();
  let failure: unknown;
  let over = false;
  const closed = new Promise<void>((resolve) => {
    const finish = (): void => {
      over = true;
      resolve();
    };
    unpacker.once('end', finish);
    unpacker.once('close', finish);
    unpacker.on('error', (error: Error) => {
      // A missing program is no property of the data.
      if (error.message.startsWith('cannot unpack')) failure ??= error;
      finish();
    });
  });
  // By event and not by iteration, which would drop what was unpacked just before an error.
  unpacker.on('data', (chunk: Uint8Array) => {
    pending = pending
      .then(() => (failure === undefined ? sink.push(chunk) : undefined))
      .catch((error: unknown) => {
        failure ??= error;
      });
  });
  const check = async (): Promise<void> => {
    await pending;
    if (failure === undefined) return;
    unpacker.destroy();
    throw failure;
  };
  return {
    async write(chunk) {
      for (let at = 0; at < chunk.length; at += slice) {
        if (over) return;
        if (!unpacker.write(chunk.subarray(at, at + slice)))
          await Promise.race([new Promise<void>((go) => unpacker.once('drain', go)), closed]);
        await check();
      }
    },
    async end() {
      if (!over) unpacker.end();
      await closed;
      await check();
      await sink.end();
    },
  };
}
