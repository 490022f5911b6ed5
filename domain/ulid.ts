/**
 * ULIDs where there is no source of randomness but what is handed in: workflow code, whose random numbers come from
 * Temporal so that they replay. Format: https://github.com/ulid/spec (48 bits of time, 80 random bits, Crockford base32).
 */

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/**
 * @param time milliseconds since the epoch
 * @param uuid a random UUID (version 4), of whose 122 random bits 80 are taken
 */
export function newUlid(time: number, uuid: string): string {
  const hex = uuid.replaceAll('-', '');
  // Without the digits that hold version and variant.
  const random = BigInt(`0x${hex.slice(0, 12)}${hex.slice(20, 28)}`);
  return encode(BigInt(time), 10) + encode(random, 16);
}

function encode(value: bigint, length: number): string {
  let text = '';
  let rest = value;
  for (let i = 0; i < length; i++) {
    text = alphabet.charAt(Number(rest & 31n)) + text;
    rest >>= 5n;
  }
  return text;
}

/**
 * What was typed as an id: Crockford's base32, in which ULIDs are written, reads these letters as the digits that they
 * look like.
 */
export function asTyped(text: string): string {
  return text.toUpperCase().replaceAll(/[IL]/g, '1').replaceAll('O', '0');
}
