/** What a person brings: taken as it is, or refused without a word of it. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Credential } from '../../../domain/credential.js';
import { RotateError } from '../../../domain/failure.js';
import { SecretValue } from '../../../domain/secret-value.js';
import { takeBrought } from '../../../kinds/manual/brought.js';
import { manualSchema } from '../../../kinds/manual/schema.js';

const current: Credential = {
  account: 'mailer',
  value: SecretValue.fromText('hunter2-in-use'),
  previous: [SecretValue.fromText('hunter2-older')],
};

function take(value: string | Uint8Array | undefined, block: object = {}): Credential {
  const brought =
    value === undefined
      ? undefined
      : { value: typeof value === 'string' ? SecretValue.fromText(value) : new SecretValue(value) };
  return takeBrought('prod/smtp', manualSchema.parse({ overlap: 'dual', ...block }), current, brought);
}

function refusal(value: string | Uint8Array | undefined, block: object = {}): RotateError {
  try {
    take(value, block);
  } catch (error) {
    if (error instanceof RotateError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

test('a value is taken byte by byte, for the account of the one in use', () => {
  const taken = take('SG.x y\tz\n— ok');
  expect(taken.value.text()).toBe('SG.x y\tz\n— ok');
  expect(taken.account).toBe('mailer');
  expect(taken.previous).toBeUndefined();
  expect(take(new Uint8Array([0xff, 0xfe, 0x01])).value.bytes()).toEqual(new Uint8Array([0xff, 0xfe, 0x01]));
});

test('a value that comes with an account of its own keeps it', () => {
  const brought = { account: 'key-2', value: SecretValue.fromText('x') };
  expect(takeBrought('prod/smtp', manualSchema.parse({ overlap: 'dual' }), current, brought).account).toBe(
    'key-2',
  );
});

describe('refused is', () => {
  test.each([
    [
      'no value',
      undefined,
      {},
      'the new value is one that a person brings',
      'give it to `rotate start` at the prompt, or with `--value-stdin`',
    ],
    ['an empty one', '', {}, 'the value that was brought is empty', 'was the file or the pipe empty?'],
    [
      'one with a line break behind it',
      'hunter2-new\n',
      {},
      'the value that was brought ends with a line break',
      'give it without: `printf %s` instead of `echo`, or `tr -d "\\r\\n"`',
    ],
    [
      'one with a NUL',
      'hunter2\0new',
      {},
      'the value that was brought has a NUL in it',
      'text files in UTF-16 look so: give it as UTF-8',
    ],
    [
      'the one in use',
      'hunter2-in-use',
      {},
      'the value that was brought is the one in use, or an older one',
      'have a new one made by the vendor, and bring that',
    ],
    [
      'one that stands behind the one in use',
      'hunter2-older',
      {},
      'the value that was brought is the one in use, or an older one',
      'have a new one made by the vendor, and bring that',
    ],
    [
      'a short one',
      'hünter2',
      { minLength: 8 },
      'the value that was brought is too short: it has 7 characters',
      '`minLength` is 8; was all of it copied?',
    ],
    [
      'one that only a part of matches',
      'hunter2-SG.abc',
      { pattern: 'SG\\.[a-z]+' },
      'the value that was brought does not match `pattern`',
      'was all of it copied, and nothing else? if the vendor has a new form, change `pattern`',
    ],
    [
      'no text, where text is asked for',
      new Uint8Array([0xff]),
      { minLength: 1 },
      'the value that was brought is not UTF-8 text',
      '`minLength` and `pattern` want text',
    ],
  ])('%s', (_title, value, block, message, hint) => {
    expect(refusal(value, block).toReason()).toEqual({
      type: 'Usage',
      message: `prod/smtp: ${message}`,
      hint,
    });
  });

  test.each(['\r', '\r\n', '\n\n'])('one that ends with %j', (end) => {
    expect(refusal(`hunter2${end}`).message).toContain('ends with a line break');
  });
});

test('what fits is taken', () => {
  expect(take('SG.abc', { pattern: 'SG\\.[a-z]+|x', minLength: 6 }).value.text()).toBe('SG.abc');
  expect(take('x', { pattern: 'SG\\.[a-z]+|x' }).value.text()).toBe('x');
});

test('no message holds any of the value', () => {
  const secret = 'Zq9';
  fc.assert(
    fc.property(fc.string(), fc.constantFrom('\n', '\0', ''), (text, end) => {
      const error = refusal(`${text}${secret}${end}`, { pattern: 'never' });
      expect(
        JSON.stringify([error.message, error.hint, error.details ?? '', error.cause ?? '']),
      ).not.toContain(secret);
    }),
  );
});

test('a pattern that takes for ever keeps nobody waiting', () => {
  const error = refusal(`${'a'.repeat(60)}!`, { pattern: '(a+)+' });
  expect(error).toMatchObject({ type: 'BadConfig' });
  expect(error.cause).toBeUndefined();
});
