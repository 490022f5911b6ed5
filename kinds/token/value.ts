/** New tokens, from the operating system's CSPRNG: every value of the form is as likely as any other. */
import { randomBytes, randomInt } from 'node:crypto';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { SecretValue } from '../../domain/secret-value.js';
import { charactersOf, type TokenSettings } from './schema.js';

export function newToken(settings: TokenSettings): SecretValue {
  const { alphabet, length = 0, words, separator = '-' } = settings;
  if (alphabet !== undefined) {
    const characters = charactersOf(alphabet);
    return SecretValue.fromText(
      times(length, () => characters.charAt(randomInt(characters.length))).join(''),
    );
  }
  if (words !== undefined)
    return SecretValue.fromText(
      times(words, () => wordlist[randomInt(wordlist.length)] ?? '').join(separator),
    );
  if (settings.hex !== undefined) return encoded(settings.hex, 'hex');
  if (settings.base64 !== undefined) return encoded(settings.base64, 'base64');
  return encoded(settings.base64url ?? 32, 'base64url');
}

function encoded(bytes: number, encoding: 'hex' | 'base64' | 'base64url'): SecretValue {
  const random = randomBytes(bytes);
  const value = SecretValue.fromText(random.toString(encoding));
  random.fill(0);
  return value;
}

function times<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make);
}
