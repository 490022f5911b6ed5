/** The `token:` block of a secret in `rotate.yaml`. Light: config imports it, without the kind. */
import { z } from 'zod';
import { durationPattern, parseDuration } from '../../domain/duration.js';

/** Less is guessed; what is refused here cannot be meant. */
export const leastBits = 64;
/** Fewer bits than these are told in the plan. */
export const advisedBits = 128;

const bytes = (what: string) =>
  z
    .int({ error: `${what} must be a number of random bytes` })
    .min(8, `${what} must be at least 8 bytes`)
    .max(1024, `${what} must be at most 1024 bytes`)
    .optional();

/** Named alphabets; anything longer is taken literally. */
export const alphabets = {
  alphanumeric: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789',
  lowercase: 'abcdefghijklmnopqrstuvwxyz0123456789',
  digits: '0123456789',
} as const;

/** Words of the list, BIP-39's English one: 2,048, so that each has 11 bits. */
export const bitsPerWord = 11;

const forms = ['base64url', 'base64', 'hex', 'alphabet', 'words'] as const;

export const tokenSchema = z
  .strictObject({
    base64url: bytes('base64url').describe('So many random bytes, base64url without padding. Default: 32'),
    base64: bytes('base64').describe('so many random bytes, base64 with padding'),
    hex: bytes('hex').describe('so many random bytes, two hexadecimal digits each'),
    alphabet: z
      .string()
      .min(2, 'an alphabet has at least two characters')
      .refine(
        (text) => new Set(charactersOf(text)).size === charactersOf(text).length,
        'an alphabet has each character once',
      )
      .refine((text) => /^[\x21-\x7e]*$/.test(text), 'an alphabet is printable ASCII without spaces')
      .optional()
      .describe('random characters of it: alphanumeric, lowercase, digits, or the characters themselves'),
    length: z
      .int()
      .min(1, 'length must be at least 1')
      .max(4096, 'length must be at most 4096')
      .optional()
      .describe('with `alphabet`: how many characters'),
    words: z
      .int({ error: 'words must be a number of words' })
      .min(6, 'words must be at least 6')
      .max(64, 'words must be at most 64')
      .optional()
      .describe('so many words of the BIP-39 English list'),
    separator: z
      .string()
      .regex(/^[\x20-\x7e]{0,4}$/, 'separator must be at most 4 printable characters')
      .optional()
      .describe('with `words`: what stands between them. Default: "-"'),
    keepOld: z
      .string()
      .regex(durationPattern, 'must be a duration such as `24h` or `7d`')
      .optional()
      .describe(
        'The file lists the old value behind the new one for so long after the soak: as long as what the old one signed is to stay valid.',
      ),
  })
  .superRefine((settings, context) => {
    const given = forms.filter((form) => settings[form] !== undefined);
    const [first, second] = given;
    if (second !== undefined)
      context.addIssue({
        code: 'custom',
        path: [second],
        message: `${first} and ${second} exclude each other`,
      });
    if ((settings.alphabet === undefined) !== (settings.length === undefined))
      context.addIssue({
        code: 'custom',
        path: [settings.alphabet === undefined ? 'length' : 'alphabet'],
        message: '`alphabet` and `length` belong together',
      });
    if (settings.separator !== undefined && settings.words === undefined)
      context.addIssue({ code: 'custom', path: ['separator'], message: '`separator` is for `words`' });
    if (given.length < 2 && entropyBits(settings) < leastBits)
      context.addIssue({
        code: 'custom',
        path: settings.length === undefined ? [first ?? 'base64url'] : ['length'],
        message: `gives ${Math.floor(entropyBits(settings))} bits of entropy, ${leastBits} are the least`,
      });
  })
  .describe(
    'a random value that the fleet itself accepts: session, CSRF and JWT secrets, keys between own services',
  );

export type TokenSettings = z.infer<typeof tokenSchema>;

/** The characters that a token of form `alphabet` is made of. */
export function charactersOf(alphabet: string): string {
  return isNamed(alphabet) ? alphabets[alphabet] : alphabet;
}

function isNamed(alphabet: string): alphabet is keyof typeof alphabets {
  return Object.hasOwn(alphabets, alphabet);
}

/** Bits of entropy of a new token: log2 of the number of values that are equally likely. */
export function entropyBits(settings: Omit<TokenSettings, 'keepOld'>): number {
  const { alphabet, length, words } = settings;
  if (alphabet !== undefined) return (length ?? 0) * Math.log2(charactersOf(alphabet).length);
  if (words !== undefined) return words * bitsPerWord;
  return 8 * (settings.hex ?? settings.base64 ?? settings.base64url ?? 32);
}

/** Milliseconds that the old value stays listed; undefined: it does not. */
export function keepOldMs({ keepOld }: TokenSettings): number | undefined {
  return keepOld === undefined ? undefined : (parseDuration(keepOld) ?? 0);
}
