/** How old a secret may become. */
import { expect, test } from 'vitest';

import { ageOf } from '../../domain/age.js';

const day = 86_400_000;
const limit = { maxAgeMs: 180 * day, warnBeforeMs: 14 * day };
const success = '2026-01-01T00:00:00.000Z';
const dueAt = '2026-06-30T00:00:00.000Z';

test.each([
  ['2026-01-01T00:00:00Z', { state: 'ok', dueAt, daysLeft: 180 }],
  ['2026-06-15T23:59:59Z', { state: 'ok', dueAt, daysLeft: 14 }],
  ['2026-06-16T00:00:00Z', { state: 'due-soon', dueAt, daysLeft: 14 }],
  ['2026-06-28T12:00:00Z', { state: 'due-soon', dueAt, daysLeft: 1 }],
  ['2026-06-29T23:59:59Z', { state: 'due-soon', dueAt, daysLeft: 0 }],
  ['2026-06-30T00:00:00Z', { state: 'overdue', dueAt, daysOver: 0 }],
  ['2026-07-02T01:00:00Z', { state: 'overdue', dueAt, daysOver: 2 }],
])('a secret of 180 days, rotated on 1 January, is at %s %o', (now, expected) => {
  expect(ageOf(limit, success, now)).toEqual(expected);
});

test('a secret that was never rotated is told as that', () => {
  expect(ageOf(limit, undefined, success)).toEqual({ state: 'never' });
});

test('a secret without a limit has no verdict', () => {
  expect(ageOf({}, success, '2036-01-01T00:00:00Z')).toBeUndefined();
});

test('without a time to warn before, nothing is due soon', () => {
  expect(ageOf({ maxAgeMs: 2 * day }, success, '2026-01-02T23:00:00Z')?.state).toBe('ok');
});
