/** Byte strings as the age format writes them: concatenation and strict base64. */

/** The bytes of `parts`, one after the other. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}

/** Base64 without padding, as in age headers. */
export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '');
}

/**
 * Decodes base64 strictly: no padding, no foreign characters, no loose bits in the last character.
 * Node's own decoder skips what it does not understand, which the format forbids.
 *
 * @returns undefined when `text` is not the one canonical encoding of some bytes.
 */
export function fromBase64(text: string): Uint8Array | undefined {
  const bytes = Uint8Array.from(Buffer.from(text, 'base64'));
  return toBase64(bytes) === text ? bytes : undefined;
}
