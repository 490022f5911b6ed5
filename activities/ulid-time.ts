/** The time in a ULID, so that a rotation's commits have the same date in every attempt. */

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** @param ulid 26 characters of Crockford's base32; the first ten are milliseconds since 1970 */
export function ulidTime(ulid: string): Date {
  let ms = 0;
  for (const char of ulid.slice(0, 10)) ms = ms * 32 + alphabet.indexOf(char);
  return new Date(ms);
}
