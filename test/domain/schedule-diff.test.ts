/** What applying the declared schedules would change. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import {
  type AppliedSchedule,
  type ScheduleChange,
  agesChanges,
  scheduleChanges,
} from '../../domain/schedule-diff.js';
import { type ScheduleSpec, weekdays } from '../../domain/schedule.js';
import { schedules } from './support/schedules.js';

const day = 86_400_000;

function schedule(spec: Partial<ScheduleSpec> = {}): ScheduleSpec {
  const every90d = { type: 'every', everyMs: 90 * day } as const;
  return {
    name: 'quarterly',
    environment: 'prod',
    secrets: ['db'],
    rhythm: every90d,
    jitterMs: 0,
    ...spec,
  };
}

/** As the server has it once it was applied. */
function applied(declared: ScheduleSpec): AppliedSchedule {
  return { environment: declared.environment, name: declared.name, declared };
}

/** Without what is declared: of that a person sees nothing. */
function seen(changes: readonly ScheduleChange[]): string[] {
  return changes.map(({ change, environment, name, what }) =>
    `${change} ${environment}/${name} ${what}`.trimEnd(),
  );
}

describe('a schedule', () => {
  test('that the server does not have is made', () => {
    const changes = scheduleChanges([schedule({ secrets: ['api-key', 'db'] })], []);
    expect(seen(changes)).toEqual(['create prod/quarterly every 90d: api-key, db']);
    expect(changes[0]?.declared).toEqual(schedule({ secrets: ['api-key', 'db'] }));
  });

  test('that the server has as it is declared is kept', () => {
    expect(seen(scheduleChanges([schedule()], [applied(schedule())]))).toEqual(['keep prod/quarterly']);
  });

  const window = {
    days: weekdays,
    from: { hour: 1, minute: 0 },
    to: { hour: 5, minute: 0 },
    zone: 'Europe/Berlin',
  };
  test.each<[string, Partial<ScheduleSpec>, Partial<ScheduleSpec>]>([
    ['every 90d -> every 30d', {}, { rhythm: { type: 'every', everyMs: 30 * day } }],
    ['every 90d -> every 90d, spread over 1h', {}, { jitterMs: 3_600_000 }],
    [
      'every 90d, mon-sun 01:00-05:00 Europe/Berlin -> every 90d, mon-sun 01:00-05:00 Europe/Paris',
      { rhythm: { type: 'every', everyMs: 90 * day, window } },
      { rhythm: { type: 'every', everyMs: 90 * day, window: { ...window, zone: 'Europe/Paris' } } },
    ],
    ['also api-key, tls', {}, { secrets: ['api-key', 'db', 'tls'] }],
    ['no longer api-key', { secrets: ['api-key', 'db'] }, {}],
    ['also tls; no longer db', {}, { secrets: ['tls'] }],
    ['reason: audit', { reason: 'policy' }, { reason: 'audit' }],
    ['reason: none', { reason: 'policy' }, {}],
    [
      'every 90d -> every 1d; also tls; reason: audit',
      {},
      { rhythm: { type: 'every', everyMs: day }, secrets: ['db', 'tls'], reason: 'audit' },
    ],
  ])('that has changed is updated: %s', (what, before, after) => {
    const changes = scheduleChanges([schedule(after)], [applied(schedule(before))]);
    expect(changes).toEqual([
      { change: 'update', environment: 'prod', name: 'quarterly', what, declared: schedule(after) },
    ]);
  });

  test('that something else has made under its name is updated', () => {
    const changes = scheduleChanges([schedule()], [{ environment: 'prod', name: 'quarterly' }]);
    expect(seen(changes)).toEqual(['update prod/quarterly every 90d: db']);
  });

  test('that is no longer declared is deleted, whoever made it', () => {
    const changes = scheduleChanges([], [applied(schedule()), { environment: 'prod', name: 'by-hand' }]);
    expect(changes).toEqual([
      { change: 'delete', environment: 'prod', name: 'by-hand', what: 'is not declared' },
      { change: 'delete', environment: 'prod', name: 'quarterly', what: 'every 90d: db' },
    ]);
  });

  test('that moves to another environment is made there and deleted here', () => {
    const changes = scheduleChanges([schedule({ environment: 'test' })], [applied(schedule())]);
    expect(seen(changes)).toEqual([
      'delete prod/quarterly every 90d: db',
      'create test/quarterly every 90d: db',
    ]);
  });

  test('comes by environment and name, whatever is to be done with it', () => {
    const changes = scheduleChanges(
      [schedule({ environment: 'test', name: 'a' }), schedule({ name: 'z' }), schedule({ name: 'b' })],
      [applied(schedule({ name: 'c' })), applied(schedule({ name: 'b' }))],
    );
    expect(changes.map(({ environment, name }) => `${environment}/${name}`)).toEqual([
      'prod/b',
      'prod/c',
      'prod/z',
      'test/a',
    ]);
  });
});

describe('of any schedules', () => {
  const distinct = fc.uniqueArray(schedules, { selector: (s) => `${s.environment}/${s.name}` });

  test('nothing is left to change once the changes are made', () => {
    fc.assert(
      fc.property(distinct, distinct, (declared, before) => {
        const changes = scheduleChanges(declared, before.map(applied));
        const after = changes.flatMap((change) =>
          change.declared === undefined ? [] : [applied(change.declared)],
        );
        expect(scheduleChanges(declared, after).every(({ change }) => change === 'keep')).toBe(true);
        expect(after).toHaveLength(declared.length);
      }),
    );
  });

  test('one is kept only when all of it is the same, and every change says what is different', () => {
    fc.assert(
      fc.property(schedules, schedules, (after, other) => {
        const before = { ...other, name: after.name, environment: after.environment };
        const [change] = scheduleChanges([after], [applied(before)]);
        const same = JSON.stringify(sorted(before)) === JSON.stringify(sorted(after));
        expect(change?.change).toBe(same ? 'keep' : 'update');
        expect(change?.what === '').toBe(same);
      }),
      { numRuns: 2_000 },
    );
  });

  function sorted({ name, environment, secrets, rhythm, jitterMs, reason }: ScheduleSpec): unknown {
    return [name, environment, secrets, rhythm, jitterMs, reason];
  }
});

test('ages are looked at where there is an age limit, and nowhere else', () => {
  const what = 'a daily look at age limits';
  expect(agesChanges(['test', 'prod'], ['old', 'test'])).toEqual([
    { change: 'delete', environment: 'old', what },
    { change: 'create', environment: 'prod', what },
    { change: 'keep', environment: 'test', what: '' },
  ]);
  expect(agesChanges(['prod'], ['prod'])).toEqual([{ change: 'keep', environment: 'prod', what: '' }]);
});
