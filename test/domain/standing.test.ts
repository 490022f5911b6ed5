/** What asks for a secret to be rotated. */
import { describe, expect, test } from 'vitest';

import type { AgeLimit } from '../../domain/age.js';
import type { SecretFacts } from '../../domain/due-verdict.js';
import { factsFrom } from '../../domain/facts.js';
import type { ScheduleSpec } from '../../domain/schedule.js';
import { standingOf } from '../../domain/standing.js';

const now = '2026-11-25T12:00:00Z';
const day = 86_400_000;

function ago(days: number): string {
  return new Date(Date.parse(now) - days * day).toISOString();
}

function every(days: number, more: Partial<ScheduleSpec> = {}): ScheduleSpec {
  return {
    name: 'regular',
    environment: 'prod',
    secrets: ['db'],
    rhythm: { type: 'every', everyMs: days * day },
    jitterMs: 0,
    ...more,
  };
}

function standing(
  schedules: ScheduleSpec[],
  limit: AgeLimit,
  facts: Partial<SecretFacts>,
): ReturnType<typeof standingOf> {
  return standingOf(
    { schedules },
    { environment: 'prod', name: 'db', ...limit },
    { name: 'db', ...facts },
    now,
  );
}

describe('standingOf', () => {
  test('knows of secrets that nothing asks for', () => {
    expect(standing([], {}, {})).toBeUndefined();
    expect(standing([every(90, { secrets: ['other'] })], {}, {})).toBeUndefined();
    expect(standing([every(90, { environment: 'test' })], {}, {})).toBeUndefined();
  });

  test('tells the first of what asks for it', () => {
    const limit = { maxAgeMs: 90 * day, warnBeforeMs: 14 * day };
    expect(standing([], limit, { lastSuccess: ago(10) })).toEqual({ state: 'ok', dueAt: ago(-80) });
    expect(standing([], limit, { lastSuccess: ago(80) })).toEqual({ state: 'due-soon', dueAt: ago(-10) });
    expect(standing([], limit, { lastSuccess: ago(91) })).toEqual({ state: 'overdue', dueAt: ago(1) });
    expect(standing([every(30)], limit, { lastSuccess: ago(10) })).toEqual({
      state: 'ok',
      dueAt: ago(-20),
    });
    expect(standing([every(30)], limit, { lastSuccess: ago(31) })).toEqual({ state: 'due', dueAt: ago(1) });
    expect(standing([every(30)], limit, { lastSuccess: ago(95) })).toMatchObject({ state: 'overdue' });
  });

  test('takes what was never rotated as overdue where it has a limit, and as due where it has a schedule', () => {
    expect(standing([], { maxAgeMs: day }, {})).toEqual({ state: 'overdue' });
    expect(standing([every(30)], {}, {})).toEqual({ state: 'due' });
  });

  test('is due in spite of a freeze, a window, an abort, and while it is under way', () => {
    const facts = { lastSuccess: ago(31) };
    expect(standing([every(30)], {}, { ...facts, running: '01J' })).toMatchObject({ state: 'due' });
    expect(
      standing([every(30)], {}, { ...facts, lastEnd: { state: 'failed', endedAt: ago(1) } }),
    ).toMatchObject({ state: 'due' });
  });
});

describe('factsFrom', () => {
  test('tells the last end and the last success of one secret', () => {
    expect(
      factsFrom(
        [
          { secrets: ['other'], state: 'done', endedAt: ago(1) },
          { secrets: ['db'], state: 'running' },
          { secrets: ['db', 'other'], state: 'rolled-back', endedAt: ago(2) },
          { secrets: ['db'], state: 'done', endedAt: ago(3) },
          { secrets: ['db'], state: 'done', endedAt: ago(4) },
        ],
        'db',
      ),
    ).toEqual({
      name: 'db',
      lastSuccess: ago(3),
      lastEnd: { state: 'rolled-back', endedAt: ago(2) },
    });
    expect(factsFrom([], 'db')).toEqual({ name: 'db' });
  });

  test('tells an abort that refusals came after', () => {
    expect(
      factsFrom(
        [
          { secrets: ['db'], state: 'refused', endedAt: ago(1) },
          { secrets: ['db'], state: 'failed', endedAt: ago(2) },
        ],
        'db',
      ),
    ).toEqual({ name: 'db', lastEnd: { state: 'failed', endedAt: ago(2) } });
    expect(factsFrom([{ secrets: ['db'], state: 'refused', endedAt: ago(1) }], 'db')).toEqual({ name: 'db' });
  });
});
