/** A SecretValue gives its value to nobody who does not ask for it by name. */
import { inspect, format } from 'node:util';
import { serialize } from 'node:v8';

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { SecretValue } from '../../domain/secret-value.js';

const canary = 'canary-5eaf00d';
const secret = SecretValue.fromText(canary);

describe('a secret value', () => {
  const bytes = [...new TextEncoder().encode(canary)];
  test.each([
    ['String()', () => String(secret)],
    // oxlint-disable-next-line typescript/restrict-template-expressions -- the slip that this is about
    ['a template', () => `${secret}`],
    ['+', () => 'x'.concat(secret.toString())],
    ['JSON', () => JSON.stringify(secret)],
    ['JSON of what holds it', () => JSON.stringify({ a: [secret], b: { secret } })],
    ['inspect', () => inspect(secret, { depth: null, showHidden: true, getters: true })],
    [
      'inspect of what holds it',
      () => inspect({ a: [secret], m: new Map([[secret, secret]]) }, { depth: null, showHidden: true }),
    ],
    [
      'inspect without custom functions',
      () => inspect(secret, { customInspect: false, showHidden: true, depth: null }),
    ],
    ['format', () => format('%s %o %O %j %d', secret, secret, secret, secret, secret)],
    ['an error that holds it', () => inspect(new Error('x', { cause: secret }))],
    ['toLocaleString', () => secret.toLocaleString()],
    ['Object.prototype.toString', () => Object.prototype.toString.call(secret)],
    [
      'its keys',
      () => JSON.stringify([Object.keys(secret), Object.entries(secret), Object.getOwnPropertyNames(secret)]),
    ],
    ['a spread copy', () => inspect({ ...secret })],
    ['structuredClone', () => inspect(structuredClone(secret))],
    ['v8.serialize', () => serialize(secret).toString('latin1')],
    ['an array joined', () => [secret, secret].join()],
  ])('does not show itself in %s', (_, print) => {
    const text = print();
    expect(text).not.toContain(canary);
    expect(text).not.toContain(bytes.join(','));
    expect(text).not.toContain(Buffer.from(canary).toString('base64'));
    expect(text).not.toContain(Buffer.from(canary).toString('hex'));
  });

  test('prints [redacted]', () => {
    expect([String(secret), secret.toString(), inspect(secret), JSON.stringify(secret)]).toEqual([
      '[redacted]',
      '[redacted]',
      '[redacted]',
      '"[redacted]"',
    ]);
  });

  test('gives back the bytes that it was made of, as copies', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (value) => {
        const s = new SecretValue(value);
        expect([...s.bytes()]).toEqual([...value]);
        s.bytes().fill(7);
        expect([...s.bytes()]).toEqual([...value]);
        expect(s.length).toBe(value.length);
        expect(s.equals(new SecretValue(value))).toBe(true);
      }),
    );
  });

  test('is made of a copy, so that its maker can wipe his own', () => {
    const own = new TextEncoder().encode(canary);
    const s = new SecretValue(own);
    own.fill(0);
    expect(s.text()).toBe(canary);
  });

  test('equals only the same bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
        expect(new SecretValue(a).equals(new SecretValue(b))).toBe(Buffer.from(a).equals(Buffer.from(b)));
      }),
    );
  });

  test('refuses to be text when it is not, without saying what it is', () => {
    const s = new SecretValue(new Uint8Array([0x63, 0x61, 0xff]));
    expect(() => s.text()).toThrow(TypeError);
    expect(() => s.text()).not.toThrow(/ca/);
  });

  test('keeps a byte order mark and trailing newlines: they are part of it', () => {
    expect(SecretValue.fromText('\uFEFFx\r\n').text()).toBe('\uFEFFx\r\n');
  });

  test('is zeros after it was wiped', () => {
    const s = SecretValue.fromText(canary);
    s.wipe();
    expect(s.bytes().every((b) => b === 0)).toBe(true);
  });
});
