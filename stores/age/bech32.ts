/** Bech32 (BIP 173), the encoding of age's own keys. Whether a key is written right, age-encryption checks. */

const alphabet = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const generator = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];

/**
 * `prefix` and `bytes` as Bech32, lower case.
 * @param prefix the human-readable part in lower case, such as `age`.
 */
export function bech32Encode(prefix: string, bytes: Uint8Array): string {
  const words = toWords(bytes);
  const codes = [...new TextEncoder().encode(prefix)];
  const expanded = [...codes.map((code) => code >> 5), 0, ...codes.map((code) => code & 31)];
  const check = polymod([...expanded, ...words, 0, 0, 0, 0, 0, 0]) ^ 1;
  const checksum = [25, 20, 15, 10, 5, 0].map((shift) => (check >>> shift) & 31);
  return `${prefix}1${[...words, ...checksum].map((word) => alphabet.charAt(word)).join('')}`;
}

/** The bytes in `text`, lower case, whose checksum has been checked. */
export function bech32Bytes(text: string): Uint8Array {
  const bytes: number[] = [];
  let buffer = 0;
  let bits = 0;
  for (const letter of text.slice(text.lastIndexOf('1') + 1, -6)) {
    buffer = ((buffer << 5) | alphabet.indexOf(letter)) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((buffer >> bits) & 0xff);
  }
  return Uint8Array.from(bytes);
}

/** Bytes as groups of 5 bits, the last one filled with zeros. */
function toWords(bytes: Uint8Array): number[] {
  const words: number[] = [];
  let buffer = 0;
  let bits = 0;
  for (const byte of bytes) {
    buffer = ((buffer << 8) | byte) & 0xfff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      words.push((buffer >> bits) & 31);
    }
  }
  if (bits > 0) words.push((buffer << (5 - bits)) & 31);
  return words;
}

function polymod(words: readonly number[]): number {
  let checksum = 1;
  for (const word of words) {
    const top = checksum >>> 25;
    checksum = ((checksum & 0x1ffffff) << 5) ^ word;
    for (const [i, value] of generator.entries()) if ((top >> i) & 1) checksum ^= value;
  }
  return checksum;
}
