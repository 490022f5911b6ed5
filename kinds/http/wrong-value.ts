/** A value that is wrong and looks right, so that the vendor refuses it for being wrong and not for its form. */
import { randomInt } from 'node:crypto';
import { RotateError } from '../../domain/failure.js';
import { SecretValue } from '../../domain/secret-value.js';
import { secretText } from './secret-text.js';

const digits = '0123456789';
const lower = 'abcdefghijklmnopqrstuvwxyz';
const upper = lower.toUpperCase();

/** Fewer random characters than these could be another key's. */
const leastRandom = 12;

/**
 * Of the same length: digits for digits, letters for letters of the same case (of a to f where there are no others, as
 * in hexadecimal), everything else as it is. A prefix such as `sk_live_`, which says the type of a key, stays.
 * @throws RotateError IssuerMisconfigured when too little is left to be random
 */
export function wrongValue(value: SecretValue): SecretValue {
  const text = secretText(value, 'the value');
  const prefix = /^(?:[A-Za-z]{2,12}[_-]){1,3}(?=.{20})/.exec(text)?.[0] ?? '';
  const rest = text.slice(prefix.length);
  const letters = /^[^g-zG-Z]*$/.test(rest) ? 6 : 26;
  const alphabets = [digits, lower.slice(0, letters), upper.slice(0, letters)];
  let random = 0;
  const wrong = rest.replaceAll(/[0-9A-Za-z]/g, (character) => {
    random++;
    const alphabet = alphabets.find((each) => each.includes(character)) ?? character;
    return alphabet.charAt(randomInt(alphabet.length));
  });
  if (random < leastRandom || wrong === rest)
    throw new RotateError('IssuerMisconfigured', 'the value is too short to tell a wrong one from it', {
      hint: `a value has at least ${leastRandom} letters and digits`,
    });
  return SecretValue.fromText(`${prefix}${wrong}`);
}
