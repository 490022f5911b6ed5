import { spawnSync } from 'node:child_process';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { claimRef, refComponent } from '../../repo/ref-name.js';

const odd = fc.string({
  unit: fc.oneof(
    fc.constantFrom(
      '.',
      '..',
      '.lock',
      '@{',
      '@',
      '/',
      '\\',
      ' ',
      '~',
      '^',
      ':',
      '?',
      '*',
      '[',
      '-',
      '%',
      '%2F',
    ),
    fc.constantFrom('\n', '\0', '\u007F', 'é', '🔑', 'a', 'Z', '0', '_', 'lock'),
    fc.string({ minLength: 1, maxLength: 3 }),
  ),
  minLength: 1,
  maxLength: 120,
});
const name = odd.filter((text) => text !== '' && !/\p{Surrogate}/u.test(text));

test('git accepts the ref of any name', () => {
  const names = fc
    .sample(name, 300)
    .concat('.', '..', '@', 'a.lock', 'A.LOCK', '-x', 'x'.repeat(4000), '🔑'.repeat(90));
  for (const each of names) {
    const ref = claimRef({ environment: each, name: each });
    const { status } = spawnSync('git', ['check-ref-format', ref]);
    expect({ each, ref, status }).toEqual({ each, ref, status: 0 });
  }
});

test('a component has no slash, needs no quoting and fits into a file name', () => {
  fc.assert(
    fc.property(name, (each) => {
      expect(refComponent(each)).toMatch(/^[A-Za-z0-9_+=,.%][A-Za-z0-9_+=,.%-]*$/);
      expect(refComponent(each).length).toBeLessThanOrEqual(200);
    }),
  );
});

test('no two names share a component', () => {
  fc.assert(
    fc.property(name, name, (a, b) => {
      expect(refComponent(a) === refComponent(b)).toBe(a === b);
    }),
  );
  expect(refComponent(`${'x'.repeat(300)}1`)).not.toBe(refComponent(`${'x'.repeat(300)}2`));
});

test('a short component decodes to the name', () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 1, maxLength: 20 }).filter((text) => !/\p{Surrogate}/u.test(text)),
      (each) => {
        expect(decodeURIComponent(refComponent(each))).toBe(each);
      },
    ),
  );
});

test('an empty name and half a character are refused', () => {
  expect(() => refComponent('')).toThrow(expect.objectContaining({ type: 'Usage' }));
  expect(() => refComponent('\uD800')).toThrow(expect.objectContaining({ type: 'Usage' }));
});
