/** What is left to do at a vendor: every target, purpose and finding of the check. */
import { describe, expect, test } from 'vitest';
import type { Target } from '../../../domain/credential.js';
import type { ApplyPurpose } from '../../../domain/journal.js';
import { targetOf } from '../../../domain/targets.js';
import {
  type Act,
  type Look,
  actsFor,
  contradiction,
  isDone,
  isPresumed,
} from '../../../kinds/manual/acts.js';

const outcomes = ['accepted', 'refused', 'unknown'] as const;
const looks: Look[] = outcomes.flatMap((old) => outcomes.map((fresh) => ({ old, new: fresh })));
const acts: Act[] = ['provision', 'revoke', 'withdraw', 'restore', 'undo'];
const target: Target = { old: 'valid', new: 'valid' };

describe('a rotation asks for', () => {
  const table: [ApplyPurpose, 'dual' | 'swap', Act[]][] = [
    ['provision', 'dual', ['provision']],
    ['provision', 'swap', ['provision']],
    ['destroy', 'dual', ['provision', 'revoke']],
    ['destroy', 'swap', ['provision', 'revoke']],
    ['reenable', 'dual', ['restore']],
    ['reenable', 'swap', ['undo']],
    ['withdraw', 'dual', ['restore', 'withdraw']],
    ['withdraw', 'swap', ['undo']],
  ];
  test.each(table)('to %s, with %s: %j', (purpose, overlap, expected) => {
    expect(actsFor(overlap, targetOf(purpose, overlap), purpose)).toEqual(expected);
  });

  test('whatever the target says, where no purpose is told', () => {
    expect(actsFor('dual', target, undefined)).toEqual(['restore', 'provision']);
  });
});

test('nothing counts as done while the check says nothing', () => {
  const silence: Look = { old: 'unknown', new: 'unknown' };
  expect(acts.filter((act) => isDone(act, silence) || contradiction(act, silence) !== undefined)).toEqual([]);
});

test('what is done is never a contradiction', () => {
  for (const look of looks)
    for (const act of acts)
      expect(
        isDone(act, look) && contradiction(act, look) !== undefined,
        `${act} ${JSON.stringify(look)}`,
      ).toBe(false);
});

test('a check that refuses both values shows nothing to be gone', () => {
  const broken: Look = { old: 'refused', new: 'refused' };
  expect(acts.filter((act) => isDone(act, broken))).toEqual([]);
});

describe('presumed is', () => {
  const presumed = (act: Act, look: Look, more: Partial<Parameters<typeof isPresumed>[0]> = {}) =>
    isPresumed({ act, target, byPerson: false, ...more }, look);

  test('the new value at destroy, unless the vendor refuses it', () => {
    for (const look of looks) {
      expect(presumed('provision', look, { target: { old: 'destroyed', new: 'valid' } })).toBe(
        look.new !== 'refused',
      );
      expect(presumed('provision', look)).toBe(false);
    }
  });

  test('the old value on the way back of dual, unless the new one has taken its place', () => {
    for (const look of looks)
      expect(presumed('restore', look)).toBe(!(look.old === 'refused' && look.new === 'accepted'));
  });

  test('what a person has put back, at the end of an undo; a command makes sure', () => {
    const unknown: Look = { old: 'unknown', new: 'unknown' };
    expect(presumed('undo', unknown, { purpose: 'withdraw', byPerson: true })).toBe(true);
    expect(presumed('undo', unknown, { purpose: 'withdraw' })).toBe(false);
    expect(presumed('undo', unknown, { purpose: 'reenable', byPerson: true })).toBe(false);
    const refused: Look = { old: 'refused', new: 'unknown' };
    expect(presumed('undo', refused, { purpose: 'withdraw', byPerson: true })).toBe(false);
  });

  test('never that a value is gone', () => {
    for (const look of looks) {
      expect(presumed('revoke', look)).toBe(false);
      expect(presumed('withdraw', look)).toBe(false);
    }
  });
});
