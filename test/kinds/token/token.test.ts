/** The kind `token`: forms, entropy, and what it says of itself. What becomes of a value is tested on the lab. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RotateError } from '../../../domain/failure.js';
import { SecretValue } from '../../../domain/secret-value.js';
import { token } from '../../../kinds/token/kind.js';
import { charactersOf, entropyBits, tokenSchema, type TokenSettings } from '../../../kinds/token/schema.js';
import { newToken } from '../../../kinds/token/value.js';
import type { KindContext } from '../../../kinds/kind.js';
import { noCommand } from '../no-command.js';

const context: KindContext = {
  secret: { environment: 'prod', name: 'session' },
  hosts: {
    host: (name) => {
      throw new RotateError('UnknownHost', name);
    },
  },
  login: async (name) => {
    throw new RotateError('BadConfig', name);
  },
  command: noCommand,
  signal: new AbortController().signal,
};

function settings(block: unknown): TokenSettings {
  return tokenSchema.parse(block);
}

describe('a new token', () => {
  test.each([
    [{}, /^[A-Za-z0-9_-]{43}$/, 256],
    [{ base64url: 48 }, /^[A-Za-z0-9_-]{64}$/, 384],
    [{ base64: 32 }, /^[A-Za-z0-9+/]{43}=$/, 256],
    [{ hex: 32 }, /^[0-9a-f]{64}$/, 256],
    [{ alphabet: 'alphanumeric', length: 40 }, /^[A-Za-z0-9]{40}$/, 238],
    [{ alphabet: 'digits', length: 24 }, /^\d{24}$/, 79],
    [{ alphabet: 'abcd!', length: 60 }, /^[abcd!]{60}$/, 139],
    [{ words: 12 }, /^([a-z]{3,8}-){11}[a-z]{3,8}$/, 132],
    [{ words: 8, separator: ' ' }, /^([a-z]{3,8} ){7}[a-z]{3,8}$/, 88],
    [{ words: 8, separator: '' }, /^[a-z]{24,64}$/, 88],
  ])('of %j looks as it should and has that entropy', (block, pattern, bits) => {
    const parsed = settings(block);
    expect(newToken(parsed).text()).toMatch(pattern);
    expect(Math.floor(entropyBits(parsed))).toBe(bits);
    expect(token.describe(parsed, undefined).generate).toContain(`${bits} bits of entropy`);
  });

  test('uses every character of its alphabet, and none else', () => {
    const parsed = settings({ alphabet: 'alphanumeric', length: 4096 });
    expect(new Set(newToken(parsed).text())).toEqual(new Set(charactersOf('alphanumeric')));
  });

  test('is another each time', () => {
    const seen = new Set(Array.from({ length: 1000 }, () => newToken(settings({ hex: 16 })).text()));
    expect(seen.size).toBe(1000);
  });

  test('is made by the kind, and never an old one', async () => {
    const current = { value: SecretValue.fromText('old'), previous: [SecretValue.fromText('older')] };
    const made = await token.generate(context, settings({}), current);
    expect(made.value.text()).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(made.previous).toBeUndefined();
  });
});

describe('settings', () => {
  test.each([
    [{ hex: 32, words: 12 }, 'hex and words exclude each other'],
    [{ alphabet: 'alphanumeric' }, '`alphabet` and `length` belong together'],
    [{ length: 40 }, '`alphabet` and `length` belong together'],
    [{ separator: '-' }, '`separator` is for `words`'],
    [{ alphabet: 'digits', length: 10 }, 'gives 33 bits of entropy, 64 are the least'],
    [{ hex: 4 }, 'hex must be at least 8 bytes'],
    [{ alphabet: 'aab', length: 100 }, 'an alphabet has each character once'],
    [{ alphabet: 'a b', length: 100 }, 'an alphabet is printable ASCII without spaces'],
    [{ keepOld: '7 days' }, 'must be a duration such as `24h` or `7d`'],
  ])('%j are refused', (block, message) => {
    const result = tokenSchema.safeParse(block);
    expect(result.error?.issues.map((issue) => issue.message)).toContain(message);
  });

  test('that are accepted have at least the least entropy', () => {
    const block = fc.oneof(
      fc.record({ hex: fc.nat(1100) }),
      fc.record({ words: fc.nat(70) }),
      fc.record({ alphabet: fc.constantFrom('digits', 'lowercase', 'ab'), length: fc.nat(5000) }),
    );
    fc.assert(
      fc.property(block, (given) => {
        const result = tokenSchema.safeParse(given);
        fc.pre(result.success);
        if (result.data !== undefined) expect(entropyBits(result.data)).toBeGreaterThanOrEqual(64);
      }),
    );
  });

  test('say how the value lives: swapped at once, or listed until a second deploy', () => {
    expect(token.overlap(settings({}))).toBe('swap');
    expect(token.retirement(settings({}))).toEqual({ by: 'issuer' });
    expect(token.overlap(settings({ keepOld: '24h' }))).toBe('dual');
    expect(token.retirement(settings({ keepOld: '24h' }))).toEqual({ by: 'deploy', keepOldMs: 86_400_000 });
    expect(token.kill).toBe('deploy');
  });

  test('of fewer bits than advised are told', () => {
    expect(token.describe(settings({ hex: 8 }), undefined).generate).toContain('fewer than the advised 128');
    expect(token.describe(settings({ hex: 16 }), undefined).generate).not.toContain('advised');
  });
});
