/** What a schedule has to start at one moment. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { dueNow, whyClosed } from '../../domain/due.js';
import type { DueQuestion, DueSecret, SecretFacts } from '../../domain/due-verdict.js';
import {
  type CalendarSpec,
  type FreezeSpec,
  type RhythmSpec,
  type ScheduleSpec,
  type WindowSpec,
  allDates,
  allMonths,
  weekdays,
} from '../../domain/schedule.js';
import { formatInstant } from '../../domain/zoned-time.js';

const day = 86_400_000;
const id = '01JZZZZZZZZZZZZZZZZZZZZZZZ';

const nights: WindowSpec = {
  days: ['mon', 'tue', 'wed', 'thu'],
  from: { hour: 1, minute: 0 },
  to: { hour: 5, minute: 0 },
  zone: 'Europe/Berlin',
};
const quarters: CalendarSpec = {
  months: [1, 4, 7, 10],
  dates: [1],
  days: weekdays,
  at: { hour: 2, minute: 30 },
  zone: 'Europe/Berlin',
};
const always: RhythmSpec = { type: 'every', everyMs: 90 * day };
const atNight: RhythmSpec = { ...always, window: nights };
const quarterly: RhythmSpec = { type: 'calendar', calendar: quarters };

function schedule(rhythm: RhythmSpec): ScheduleSpec {
  return { name: 'quarterly', environment: 'prod', secrets: ['db'], rhythm, jitterMs: 0 };
}

const yearEnd: FreezeSpec = {
  from: '2026-12-19T23:00:00Z',
  to: '2027-01-06T23:00:00Z',
  zone: 'Europe/Berlin',
  environments: ['prod'],
  reason: 'year end',
};

function ask(rhythm: RhythmSpec, now: string, facts: Partial<SecretFacts>, more: Partial<DueQuestion> = {}) {
  return dueNow({
    schedule: schedule(rhythm),
    freezes: [yearEnd],
    secrets: [{ name: 'db', ...facts }],
    now,
    ...more,
  });
}

function one(...question: Parameters<typeof ask>): DueSecret {
  const [secret] = ask(...question).secrets;
  if (secret === undefined) throw new Error('no verdict');
  return secret;
}

// 10 June 2026 is a Wednesday
const justBefore = { lastSuccess: '2026-03-12T10:00:01Z' };
const ninety = { lastSuccess: '2026-03-12T10:00:00Z' };

describe('with `every`, a secret', () => {
  test('is not due before so long has passed', () => {
    expect(ask(always, '2026-06-10T10:00:00Z', justBefore)).toEqual({
      schedule: 'quarterly',
      environment: 'prod',
      at: '2026-06-10T10:00:00.000Z',
      gate: { state: 'open' },
      start: [],
      secrets: [
        {
          name: 'db',
          state: 'not-due',
          dueAt: '2026-06-10T10:00:01.000Z',
          missed: 0,
          next: '2026-06-10T10:00:01.000Z',
          reason: 'last rotated 2026-03-12 10:00 UTC, to be rotated every 90d; due 2026-06-10 10:00 UTC',
        },
      ],
      next: '2026-06-10T10:00:01.000Z',
    });
  });

  test('is due when so long has passed, and starts at any time where there is no window', () => {
    expect(ask(always, '2026-06-10T10:00:00Z', ninety)).toEqual({
      schedule: 'quarterly',
      environment: 'prod',
      at: '2026-06-10T10:00:00.000Z',
      gate: { state: 'open' },
      start: ['db'],
      secrets: [
        {
          name: 'db',
          state: 'due',
          dueAt: '2026-06-10T10:00:00.000Z',
          missed: 0,
          next: '2026-06-10T10:00:00.000Z',
          reason:
            'last rotated 2026-03-12 10:00 UTC, to be rotated every 90d; due since 2026-06-10 10:00 UTC; may start now',
        },
      ],
      next: '2026-06-10T10:00:00.000Z',
    });
  });

  test('that was never rotated is due at once', () => {
    const verdict = ask(always, '2026-06-10T10:00:00Z', {});
    expect(verdict.start).toEqual(['db']);
    expect(verdict.secrets[0]).toEqual({
      name: 'db',
      state: 'due',
      missed: 0,
      next: '2026-06-10T10:00:00.000Z',
      reason: 'never rotated; may start now',
    });
  });

  test('waits for its window', () => {
    const verdict = ask(atNight, '2026-06-10T10:00:00Z', ninety);
    expect(verdict.gate).toEqual({ state: 'outside-window', opens: '2026-06-10T23:00:00.000Z' });
    expect(verdict.start).toEqual([]);
    expect(verdict.next).toBe('2026-06-10T23:00:00.000Z');
    expect(verdict.secrets[0]?.reason).toBe(
      'last rotated 2026-03-12 11:00 Europe/Berlin, to be rotated every 90d; due since 2026-06-10 12:00 Europe/Berlin; waits for its window, which opens 2026-06-11 01:00 Europe/Berlin',
    );
  });

  test('starts in its window, and is told until when that is', () => {
    const verdict = ask(atNight, '2026-06-11T00:00:00Z', ninety);
    expect(verdict.gate).toEqual({ state: 'open', until: '2026-06-11T03:00:00.000Z' });
    expect(verdict.start).toEqual(['db']);
  });

  test('that is due within a window starts from that moment on', () => {
    const facts = { lastSuccess: '2026-03-13T00:30:00Z' };
    expect(one(atNight, '2026-06-10T10:00:00Z', facts).next).toBe('2026-06-11T00:30:00.000Z');
  });

  test('that is due outside of the window is told the next opening', () => {
    // 12 June 2026 is a Friday; the window opens on Monday
    const facts = { lastSuccess: '2026-03-14T12:00:00Z' };
    expect(one(atNight, '2026-06-10T10:00:00Z', facts).next).toBe('2026-06-14T23:00:00.000Z');
  });
});

describe('windows that have passed', () => {
  test.each([
    // due on Wednesday at noon: Thursday night, then the next week
    ['none as long as the first is open', '2026-06-11T02:59:59Z', 0, undefined],
    ['one when it has closed', '2026-06-11T03:00:00Z', 1, '2026-06-10T23:00:00.000Z'],
    ['as many as closed since', '2026-06-17T12:00:00Z', 4, '2026-06-10T23:00:00.000Z'],
  ])('are %s', (_title, now, missed, firstMissed) => {
    const secret = one(atNight, now, ninety);
    expect([secret.missed, secret.firstMissed]).toEqual([missed, firstMissed]);
  });

  test('do not count when they had begun before it was due', () => {
    expect(one(atNight, '2026-06-11T12:00:00Z', { lastSuccess: '2026-03-13T00:30:00Z' }).missed).toBe(0);
  });

  test('are counted for each secret from when it was due', () => {
    const secrets: SecretFacts[] = [
      { name: 'a', ...ninety },
      { name: 'b', lastSuccess: '2026-03-17T12:00:00Z' },
      { name: 'c', lastSuccess: '2026-06-01T00:00:00Z' },
    ];
    const verdict = ask(atNight, '2026-06-17T12:00:00Z', {}, { secrets });
    expect(verdict.secrets.map(({ missed }) => missed)).toEqual([4, 2, 0]);
  });

  test('do not count from before there was a schedule', () => {
    const since = '2026-06-15T12:00:00Z';
    expect(one(atNight, '2026-06-17T12:00:00Z', ninety, { since }).missed).toBe(2);
    expect(one(atNight, '2026-06-17T12:00:00Z', {}, { since }).missed).toBe(2);
  });

  test('are not known of a secret that was never rotated, when nobody knows since when there is a schedule', () => {
    expect(one(atNight, '2026-06-17T12:00:00Z', {}).missed).toBe(0);
  });

  test('do not count for what is under way', () => {
    expect(one(atNight, '2026-06-17T12:00:00Z', { ...ninety, parked: id }).missed).toBe(0);
  });

  test('are told in the sentence', () => {
    expect(one(atNight, '2026-06-11T03:00:00Z', ninety).reason).toMatch(
      /; one window has passed without a success, 2026-06-11 01:00 Europe\/Berlin$/,
    );
    expect(one(atNight, '2026-06-17T12:00:00Z', ninety).reason).toMatch(
      /; 4 windows have passed without a success, the first 2026-06-11 01:00 Europe\/Berlin$/,
    );
  });

  test('of many years are counted for five of them', () => {
    const { missed } = one(atNight, '2026-06-17T12:00:00Z', { lastSuccess: '1990-01-01T00:00:00Z' });
    expect(missed).toBeGreaterThan(1_000);
    expect(missed).toBeLessThan(1_100);
  });
});

describe('with a calendar, a secret', () => {
  const july = '2026-07-01T00:30:00.000Z';
  const may = { lastSuccess: '2026-05-20T10:00:00Z' };

  test('is not due before the next time', () => {
    expect(one(quarterly, '2026-07-01T00:29:59Z', may)).toEqual({
      name: 'db',
      state: 'not-due',
      dueAt: july,
      missed: 0,
      next: july,
      reason: 'last rotated 2026-05-20 12:00 Europe/Berlin; due 2026-07-01 02:30 Europe/Berlin',
    });
  });

  test('is due and starts at the time, and for two hours', () => {
    const verdict = ask(quarterly, '2026-07-01T00:30:00Z', may);
    expect(verdict.gate).toEqual({ state: 'open', until: '2026-07-01T02:30:00.000Z' });
    expect(verdict.start).toEqual(['db']);
    expect(verdict.secrets[0]?.reason).toBe(
      'last rotated 2026-05-20 12:00 Europe/Berlin; due since 2026-07-01 02:30 Europe/Berlin; may start now',
    );
  });

  test('has missed the time when those are over, and waits for the next', () => {
    const verdict = ask(quarterly, '2026-07-01T02:30:00Z', may);
    expect(verdict.gate).toEqual({ state: 'outside-window', opens: '2026-10-01T00:30:00.000Z' });
    expect(verdict.secrets[0]).toMatchObject({
      state: 'due',
      dueAt: july,
      missed: 1,
      firstMissed: july,
      next: '2026-10-01T00:30:00.000Z',
      reason:
        'last rotated 2026-05-20 12:00 Europe/Berlin; due since 2026-07-01 02:30 Europe/Berlin; waits for its next time, 2026-10-01 02:30 Europe/Berlin; one time has passed without a success, 2026-07-01 02:30 Europe/Berlin',
    });
  });

  test('has missed each time since its last success', () => {
    expect(one(quarterly, '2026-11-01T00:00:00Z', { lastSuccess: '2025-12-24T00:00:00Z' })).toMatchObject({
      missed: 4,
      firstMissed: '2026-01-01T01:30:00.000Z',
    });
  });

  test('that was rotated in between by hand is due at the time all the same', () => {
    expect(one(quarterly, july, { lastSuccess: '2026-06-30T23:00:00Z' }).state).toBe('due');
  });

  test('is not due for times before there was a schedule', () => {
    const secret = one(quarterly, '2026-05-20T10:00:00Z', {}, { since: '2026-05-20T09:00:00Z' });
    expect(secret).toMatchObject({ state: 'not-due', dueAt: july, missed: 0 });
    expect(secret.reason).toBe('never rotated; due 2026-07-01 02:30 Europe/Berlin');
  });

  test('that was never rotated is due since the latest time, when nobody knows since when there is a schedule', () => {
    expect(one(quarterly, '2026-07-01T01:00:00Z', {})).toMatchObject({ state: 'due', dueAt: july });
  });

  test('of a time that the clock skips starts at the first instant after the gap', () => {
    const daily: RhythmSpec = {
      type: 'calendar',
      calendar: { ...quarters, months: allMonths, dates: allDates },
    };
    const secret = one(daily, '2026-03-29T00:59:00Z', { lastSuccess: '2026-03-28T02:00:00Z' });
    expect(secret.next).toBe('2026-03-29T01:00:00.000Z');
  });

  test('whose calendar never comes is never due', () => {
    const never: RhythmSpec = { type: 'calendar', calendar: { ...quarters, months: [2], dates: [30] } };
    expect(ask(never, july, {})).toMatchObject({
      gate: { state: 'outside-window' },
      secrets: [{ state: 'not-due', reason: 'its calendar does not come round within five years' }],
    });
  });

  test('stays open for longer with a jitter, so that the second look finds it open', () => {
    const spec = { ...schedule(quarterly), jitterMs: 3_600_000 };
    expect(ask(quarterly, july, may, { schedule: spec }).gate).toEqual({
      state: 'open',
      until: '2026-07-01T04:30:00.000Z',
    });
  });
});

describe('in a freeze', () => {
  const facts = { lastSuccess: '2026-01-01T00:00:00Z' };

  test('nothing starts, and it is told until when', () => {
    const verdict = ask(always, '2026-12-24T00:00:00Z', facts);
    expect(verdict.gate).toEqual({ state: 'frozen', until: '2027-01-06T23:00:00.000Z', reason: 'year end' });
    expect(verdict.start).toEqual([]);
    expect(verdict.next).toBe('2027-01-06T23:00:00.000Z');
    expect(verdict.secrets[0]?.reason).toMatch(/; frozen until 2027-01-06 23:00 UTC \(year end\)$/);
  });

  test('of another environment, things start', () => {
    const freezes = [{ ...yearEnd, environments: ['test'] }];
    expect(ask(always, '2026-12-24T00:00:00Z', facts, { freezes }).start).toEqual(['db']);
  });

  test('that covers the next openings, the first that is not frozen is told', () => {
    // the freeze ends on Thursday at 0:00, an hour before the window opens
    expect(ask(atNight, '2026-12-19T12:00:00Z', facts).next).toBe('2027-01-07T00:00:00.000Z');
  });

  test('that ends within an opening, it may start from then on', () => {
    const freezes = [{ ...yearEnd, to: '2027-01-07T01:30:00Z' }];
    expect(ask(atNight, '2026-12-24T00:00:00Z', facts, { freezes }).next).toBe('2027-01-07T01:30:00.000Z');
  });

  test('that covers a time of a calendar, the time is missed', () => {
    const secret = one(quarterly, '2027-01-02T00:00:00Z', { lastSuccess: '2026-10-02T00:00:00Z' });
    expect(secret).toMatchObject({ missed: 1, next: '2027-04-01T00:30:00.000Z' });
  });
});

describe('a secret', () => {
  const inWindow = '2026-06-11T00:00:00Z';
  const undone = (endedAt: string): Partial<SecretFacts> => ({
    ...ninety,
    lastEnd: { state: 'rolled-back', endedAt },
  });

  test.each([
    ['that runs is busy', { running: id }, 'busy', `rotation ${id} is under way`],
    [
      'that is parked is told as that',
      { parked: id },
      'parked',
      `rotation ${id} is parked and waits for a person`,
    ],
    [
      'that runs and is parked is parked',
      { running: 'x', parked: id },
      'parked',
      `rotation ${id} is parked and waits for a person`,
    ],
  ])('%s, and not started', (_title, facts, state, reason) => {
    for (const base of [ninety, justBefore, {}]) {
      const verdict = ask(atNight, inWindow, { ...base, ...facts });
      expect(verdict.start).toEqual([]);
      expect(verdict.secrets[0]).toMatchObject({ state, rotation: id, reason });
      expect(verdict.next).toBeUndefined();
    }
  });

  test.each([{ running: id }, { parked: id }])('that is not due is told as that while %o', (facts) => {
    const secret = one(always, '2026-06-10T12:00:00Z', { lastSuccess: '2026-06-01T10:00:00Z', ...facts });
    expect(secret).toMatchObject({ state: 'not-due', rotation: id });
    expect(secret).not.toHaveProperty('next');
  });

  test('whose last rotation was aborted waits for a person', () => {
    const facts = { ...ninety, lastEnd: { state: 'failed' as const, endedAt: '2026-06-10T12:00:00Z' } };
    expect(ask(atNight, inWindow, facts)).toMatchObject({
      start: [],
      secrets: [
        {
          state: 'blocked',
          reason: expect.stringMatching(
            /; its last rotation was aborted 2026-06-10 14:00 Europe\/Berlin, so a person has to start the next one, with --take-over$/,
          ),
        },
      ],
    });
  });

  test('that a rotation which was given up still holds waits for a person', () => {
    expect(ask(atNight, inWindow, { ...ninety, givenUp: id })).toMatchObject({
      start: [],
      secrets: [
        {
          state: 'blocked',
          reason: expect.stringMatching(
            /; rotation 01JZ{23} was given up and still holds it, so a person has to start the next one, with --take-over$/,
          ),
        },
      ],
    });
    const early = one(always, '2026-06-10T12:00:00Z', { lastSuccess: '2026-06-01T10:00:00Z', givenUp: id });
    expect(early).toMatchObject({ state: 'not-due' });
    expect(early).not.toHaveProperty('next');
  });

  test('whose last rotation was aborted is told no next start before it is due either', () => {
    const secret = one(always, '2026-06-10T12:00:00Z', {
      lastSuccess: '2026-06-01T10:00:00Z',
      lastEnd: { state: 'failed', endedAt: '2026-06-10T11:00:00Z' },
    });
    expect(secret).toMatchObject({ state: 'not-due' });
    expect(secret).not.toHaveProperty('next');
  });

  test('whose last rotation was refused is tried again at the next look', () => {
    const facts = { ...ninety, lastEnd: { state: 'refused' as const, endedAt: '2026-06-10T23:59:00Z' } };
    expect(ask(atNight, inWindow, facts).start).toEqual(['db']);
  });

  test('that was undone in this opening is tried again in the next', () => {
    expect(one(atNight, inWindow, undone('2026-06-10T23:30:00Z'))).toMatchObject({
      state: 'put-off',
      next: '2026-06-14T23:00:00.000Z',
      reason: expect.stringMatching(
        /; its last rotation was undone 2026-06-11 01:30 Europe\/Berlin; tried again from 2026-06-15 01:00 Europe\/Berlin$/,
      ),
    });
  });

  test('that was undone as it opened is tried again in the next', () => {
    expect(one(atNight, inWindow, undone('2026-06-10T23:00:00Z')).state).toBe('put-off');
  });

  test('that was undone before this opening is tried again', () => {
    expect(one(atNight, inWindow, undone('2026-06-10T22:59:59Z')).state).toBe('due');
  });

  test('that was undone is tried again a day later where there is no window', () => {
    expect(one(always, '2026-06-11T11:59:59Z', undone('2026-06-10T12:00:00Z'))).toMatchObject({
      state: 'put-off',
      next: '2026-06-11T12:00:00.000Z',
    });
    expect(one(always, '2026-06-11T12:00:00Z', undone('2026-06-10T12:00:00Z')).state).toBe('due');
  });

  test.each(['rolled-back', 'failed'] as const)('that succeeded after it was %s is not held up', (state) => {
    const facts = { ...ninety, lastEnd: { state, endedAt: '2026-03-12T09:00:00Z' } };
    expect(one(always, '2026-06-11T00:00:00Z', facts).state).toBe('due');
  });

  test('beside others is decided by itself, in the order of the question', () => {
    const secrets: SecretFacts[] = [
      { name: 'b', ...ninety },
      { name: 'a', lastSuccess: '2026-06-01T00:00:00Z' },
      { name: 'c', running: id },
      { name: 'd' },
    ];
    const verdict = ask(atNight, inWindow, {}, { secrets });
    expect(verdict.secrets.map(({ name, state }) => `${name} ${state}`)).toEqual([
      'b due',
      'a not-due',
      'c busy',
      'd due',
    ]);
    expect(verdict.start).toEqual(['b', 'd']);
  });
});

test('without secrets there is a gate and nothing to start', () => {
  expect(ask(atNight, '2026-06-11T00:00:00Z', {}, { secrets: [] })).toMatchObject({
    gate: { state: 'open' },
    start: [],
    secrets: [],
  });
});

test('why nothing may start is told to a person, while that is so', () => {
  const closed = (rhythm: RhythmSpec, now: string): string | undefined =>
    whyClosed(schedule(rhythm), [yearEnd], now);
  expect(closed(always, '2026-06-10T12:00:00Z')).toBeUndefined();
  expect(closed(atNight, '2026-06-11T00:00:00Z')).toBeUndefined();
  expect(closed(atNight, '2026-06-11T03:00:00Z')).toBe(
    'waits for its window, which opens 2026-06-15 01:00 Europe/Berlin',
  );
  expect(closed(quarterly, '2026-07-01T02:30:00Z')).toBe(
    'waits for its next time, 2026-10-01 02:30 Europe/Berlin',
  );
  expect(closed(always, '2026-12-24T00:00:00Z')).toBe('frozen until 2027-01-06 23:00 UTC (year end)');
});

describe('whatever is asked', () => {
  const instant = fc
    .integer({ min: Date.parse('2026-01-01') / 60_000, max: Date.parse('2028-01-01') / 60_000 })
    .map((minutes) => formatInstant(minutes * 60_000));
  const facts = fc
    .record({
      lastSuccess: fc.option(instant, { nil: undefined }),
      endedAt: fc.option(instant, { nil: undefined }),
      state: fc.constantFrom('refused' as const, 'rolled-back' as const, 'failed' as const),
      running: fc.option(fc.constant(id), { nil: undefined, freq: 5 }),
    })
    .map(({ lastSuccess, endedAt, state, running }): Partial<SecretFacts> => ({
      ...(lastSuccess === undefined ? {} : { lastSuccess }),
      ...(endedAt === undefined ? {} : { lastEnd: { state, endedAt } }),
      ...(running === undefined ? {} : { running }),
    }));
  const freezes = fc.array(fc.tuple(instant, fc.integer({ min: 1, max: 60 })), { maxLength: 4 }).map((list) =>
    list.map(([from, length]): FreezeSpec => {
      return { ...yearEnd, from, to: formatInstant(Date.parse(from) + length * day) };
    }),
  );
  const rhythm = fc.constantFrom(always, atNight, quarterly);

  test('what is told to start next is not to start before then, and starts then', () => {
    fc.assert(
      fc.property(
        rhythm,
        instant,
        facts,
        freezes,
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (r, now, f, z, part) => {
          // what has happened lies before the moment
          const known = [f.lastSuccess, f.lastEnd?.endedAt].filter((at) => at !== undefined);
          fc.pre(known.every((at) => at <= now));
          const { next } = one(r, now, f, { freezes: z });
          if (next === undefined) return;
          expect(next >= now).toBe(true);
          expect(ask(r, next, f, { freezes: z }).start).toEqual(['db']);
          const between = formatInstant(Date.parse(now) + part * (Date.parse(next) - Date.parse(now)));
          if (between < next) expect(ask(r, between, f, { freezes: z }).start).toEqual([]);
        },
      ),
      { numRuns: 200 },
    );
  });

  test('the answer is plain data', () => {
    fc.assert(
      fc.property(rhythm, instant, facts, freezes, (r, now, f, z) => {
        const verdict = ask(r, now, f, { freezes: z });
        expect(JSON.parse(JSON.stringify(verdict))).toEqual(verdict);
        for (const { reason } of verdict.secrets) expect(reason).not.toMatch(/NaN|undefined|Infinity|\.$/);
      }),
    );
  });
});
