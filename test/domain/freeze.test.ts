/** Freezes: what holds, and until when. */
import { describe, expect, test } from 'vitest';

import { frozen } from '../../domain/freeze.js';
import type { FreezeSpec } from '../../domain/schedule.js';
import { formatInstant } from '../../domain/zoned-time.js';

function freeze(
  from: string,
  to: string,
  reason: string,
  environments: string[] = ['prod', 'test'],
): FreezeSpec {
  return { from: `${from}T00:00:00Z`, to: `${to}T00:00:00Z`, zone: 'UTC', environments, reason };
}

const freezes = [
  freeze('2026-12-20', '2027-01-07', 'year end', ['prod']),
  freeze('2027-01-05', '2027-01-10', 'audit'),
  freeze('2027-01-10', '2027-01-12', 'move'),
  freeze('2026-12-24', '2026-12-27', 'holidays'),
  freeze('2027-03-01', '2027-03-02', 'election', ['test']),
];

describe('an environment is frozen', () => {
  test.each([
    ['before any', 'prod', '2026-12-19T23:59:59Z', undefined, undefined],
    [
      'from the first instant on, and until those that follow are over',
      'prod',
      '2026-12-20T00:00:00Z',
      'year end',
      '2027-01-12',
    ],
    ['by the one that ends last', 'prod', '2026-12-25T00:00:00Z', 'year end', '2027-01-12'],
    [
      'by the one that ends last, also when it began later',
      'prod',
      '2027-01-06T00:00:00Z',
      'audit',
      '2027-01-12',
    ],
    ['to the last instant', 'prod', '2027-01-11T23:59:59.999Z', 'move', '2027-01-12'],
    ['no longer at the end', 'prod', '2027-01-12T00:00:00Z', undefined, undefined],
    ['only by its own', 'test', '2026-12-25T00:00:00Z', 'holidays', '2026-12-27'],
    ['not by one of another', 'prod', '2027-03-01T12:00:00Z', undefined, undefined],
  ])('%s', (_title, environment, at, reason, until) => {
    const found = frozen(freezes, environment, Date.parse(at));
    expect(found?.freeze.reason).toBe(reason);
    expect(found && formatInstant(found.until).slice(0, 10)).toBe(until);
  });
});
