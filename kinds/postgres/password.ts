/** New passwords. */
import { randomInt } from 'node:crypto';
import { SecretValue } from '../../domain/secret-value.js';

/** Needs no escaping in a URL, a shell, an env file, JSON, YAML or SQL. */
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const length = 40;

/** Bits of entropy of {@link newPassword}: 40 characters of 62, 238 bits. */
export const passwordBits = length * Math.log2(alphabet.length);

/** A password from the operating system's CSPRNG; every character of A-Z a-z 0-9 is as likely as any other. */
export function newPassword(): SecretValue {
  let text = '';
  for (let i = 0; i < length; i++) text += alphabet.charAt(randomInt(alphabet.length));
  return SecretValue.fromText(text);
}
