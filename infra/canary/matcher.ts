/**
 * Looks for hundreds of byte patterns in a stream at once, at a cost that hardly depends on how many there are,
 * and finds them across the borders of chunks.
 *
 * Wu and Manber, "A fast algorithm for multi-pattern searching" (TR-94-17, 1994), with blocks of three bytes.
 */
import type { Pattern } from './forms.js';

const tableBits = 18;

function blockHash(a: number, b: number, c: number): number {
  return Math.imul((a << 16) | (b << 8) | c, 0x9e3779b1) >>> (32 - tableBits);
}

/** A pattern and where in the stream it begins. */
export interface Match {
  pattern: Pattern;
  offset: number;
}

/** Takes a stream chunk by chunk and returns what each chunk completes. */
export type Feed = (chunk: Uint8Array) => Match[];

export interface Matcher {
  /** For a new stream. */
  start(): Feed;
}

/** Prepares `patterns`, each of at least three bytes. */
export function createMatcher(patterns: readonly Pattern[]): Matcher {
  const window = Math.min(...patterns.map((pattern) => pattern.bytes.length), 257);
  const longest = Math.max(0, ...patterns.map((pattern) => pattern.bytes.length));
  if (patterns.length > 0 && window < 3) throw new Error('a pattern of fewer than three bytes');
  const shifts = new Uint8Array(1 << tableBits).fill(Math.max(1, Math.min(255, window - 2)));
  const ends = new Map<number, Pattern[]>();
  for (const pattern of patterns) {
    const { bytes } = pattern;
    for (let i = 2; i < window; i += 1) {
      const hash = blockHash(bytes[i - 2] ?? 0, bytes[i - 1] ?? 0, bytes[i] ?? 0);
      const shift = window - 1 - i;
      if (shift < (shifts[hash] ?? 0)) shifts[hash] = shift;
      if (shift === 0) ends.set(hash, [...(ends.get(hash) ?? []), pattern]);
    }
  }

  function scan(data: Buffer, seen: number, base: number): Match[] {
    const matches: Match[] = [];
    let i = window - 1;
    while (i < data.length) {
      const hash = blockHash(data[i - 2] ?? 0, data[i - 1] ?? 0, data[i] ?? 0);
      const shift = shifts[hash] ?? 1;
      if (shift > 0) {
        i += shift;
        continue;
      }
      const from = i - window + 1;
      for (const pattern of ends.get(hash) ?? []) {
        const end = from + pattern.bytes.length;
        // What ends within the part kept from before was found then.
        if (end > seen && end <= data.length && pattern.bytes.compare(data, from, end) === 0)
          matches.push({ pattern, offset: base + from });
      }
      i += 1;
    }
    return matches;
  }

  return {
    start() {
      let kept = Buffer.alloc(0);
      let base = 0;
      return (chunk) => {
        if (patterns.length === 0 || chunk.length === 0) return [];
        const fresh = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
        const data = kept.length === 0 ? fresh : Buffer.concat([kept, fresh]);
        const matches = scan(data, kept.length, base);
        const keep = Math.min(data.length, longest - 1);
        base += data.length - keep;
        // A copy: the chunk belongs to its source, and a view would keep all of it in memory.
        kept = Buffer.from(data.subarray(data.length - keep));
        return matches;
      };
    },
  };
}
