/** When Temporal wakes to look. */
import type { CalendarSpec as TemporalsOwn } from '@temporalio/client';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { openingsOf } from '../../domain/openings.js';
import {
  type CalendarSpec,
  type RhythmSpec,
  type ScheduleSpec,
  type WindowSpec,
  allDates,
  allMonths,
  weekdays,
} from '../../domain/schedule.js';
import { type TemporalCalendar, type TemporalSpec, temporalSpec } from '../../domain/temporal-spec.js';
import { windowMinutes } from '../../domain/window.js';
import { changes, clockText, zones } from './support/clock.js';

const hour = 3_600_000;

function schedule(rhythm: RhythmSpec, jitterMs = 0): ScheduleSpec {
  return { name: 's', environment: 'prod', secrets: ['db'], rhythm, jitterMs };
}

function window(spec: Partial<WindowSpec>): RhythmSpec {
  const night = { from: { hour: 1, minute: 0 }, to: { hour: 5, minute: 0 } };
  return {
    type: 'every',
    everyMs: hour,
    window: { days: weekdays, zone: 'Europe/Berlin', ...night, ...spec },
  };
}

function calendar(spec: Partial<CalendarSpec>): RhythmSpec {
  const at = { hour: 2, minute: 30 };
  return {
    type: 'calendar',
    calendar: { months: allMonths, dates: allDates, days: weekdays, zone: 'Europe/Berlin', at, ...spec },
  };
}

const berlin = { zone: 'Europe/Berlin', jitterMs: 0, catchupWindowMs: hour };

const specs: [string, ScheduleSpec, TemporalSpec][] = [
  [
    'hourly without a window',
    schedule({ type: 'every', everyMs: 90 * 24 * hour }, 600_000),
    { intervalMs: hour, offsetMs: 0, zone: 'UTC', jitterMs: 600_000, catchupWindowMs: hour },
  ],
  [
    'with a window, when it opens and hourly while it is open',
    schedule(window({ days: ['mon', 'tue', 'wed', 'thu'] })),
    {
      calendars: [
        { dayOfWeek: ['MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY'], hour: [1, 2, 3, 4], minute: 0 },
      ],
      ...berlin,
    },
  ],
  [
    'with a window over midnight, on the day after as well',
    schedule(window({ days: ['sun'], from: { hour: 22, minute: 30 }, to: { hour: 2, minute: 0 } })),
    {
      calendars: [
        { dayOfWeek: ['SUNDAY'], hour: [22, 23], minute: 30 },
        { dayOfWeek: ['MONDAY'], hour: [0, 1], minute: 30 },
      ],
      ...berlin,
    },
  ],
  [
    'with a short window, when it opens and whenever the clock may have skipped that',
    schedule(window({ from: { hour: 2, minute: 15 }, to: { hour: 3, minute: 15 } })),
    {
      calendars: [
        { hour: [2], minute: 15 },
        { hour: [2], minute: 30 },
        { hour: [3], minute: 0 },
      ],
      ...berlin,
    },
  ],
  [
    'with a jitter of some hours, not again before it is over, and in the last minute',
    schedule(window({}), 2.5 * hour),
    {
      calendars: [
        { hour: [1, 4], minute: 0 },
        { hour: [4], minute: 59 },
      ],
      ...berlin,
      jitterMs: 2.5 * hour,
    },
  ],
  [
    'with a jitter that is nearly as long as the window, at once when it is over',
    schedule(window({ from: { hour: 22, minute: 0 }, to: { hour: 1, minute: 0 } }), 2.5 * hour),
    {
      calendars: [
        { hour: [22], minute: 0 },
        { hour: [0], minute: 30 },
        { hour: [0], minute: 59 },
      ],
      ...berlin,
      jitterMs: 2.5 * hour,
    },
  ],
  [
    'at the times of a calendar, and an hour later',
    schedule(calendar({ months: [1, 4, 7, 10], dates: [1] })),
    {
      calendars: [
        { month: ['JANUARY', 'APRIL', 'JULY', 'OCTOBER'], dayOfMonth: [1], hour: [2, 3], minute: 30 },
      ],
      ...berlin,
    },
  ],
  [
    'at the times of a calendar, and an hour after the jitter is over',
    schedule(calendar({ days: ['mon'] }), 2.5 * hour),
    { calendars: [{ dayOfWeek: ['MONDAY'], hour: [2, 6], minute: 30 }], ...berlin, jitterMs: 2.5 * hour },
  ],
  [
    'an hour later that is on the next day, in the next month',
    schedule(calendar({ months: [12], dates: [30, 31], days: ['sat', 'sun'], at: { hour: 23, minute: 15 } })),
    {
      calendars: [
        {
          month: ['DECEMBER'],
          dayOfMonth: [30, 31],
          dayOfWeek: ['SATURDAY', 'SUNDAY'],
          hour: [23],
          minute: 15,
        },
        {
          month: ['JANUARY', 'DECEMBER'],
          dayOfMonth: [1, 31],
          dayOfWeek: ['MONDAY', 'SUNDAY'],
          hour: [0],
          minute: 15,
        },
      ],
      ...berlin,
    },
  ],
];

describe('Temporal looks', () => {
  test.each(specs)('%s', (_title, spec, expected) => {
    expect(temporalSpec(spec)).toEqual(expected);
  });

  test('at calendars that its client takes as they are', () => {
    const calendars: TemporalsOwn[] = temporalSpec(schedule(window({ days: ['mon'] }))).calendars ?? [];
    expect(calendars).toHaveLength(1);
  });

  test('the same way for the same schedule, whatever it is called', () => {
    const spec = schedule(calendar({}));
    expect(temporalSpec({ ...spec, name: 'other', secrets: ['x'] })).toEqual(temporalSpec(spec));
  });
});

const days = ['SUNDAY', 'MONDAY', 'TUESDAY', 'WEDNESDAY', 'THURSDAY', 'FRIDAY', 'SATURDAY'];
const months = [
  'JANUARY',
  'FEBRUARY',
  'MARCH',
  'APRIL',
  'MAY',
  'JUNE',
  'JULY',
  'AUGUST',
  'SEPTEMBER',
  'OCTOBER',
];

/** Whether the clock shows the same once more: it is put back by half an hour or an hour. */
function comesAgain(zone: string, instant: number): boolean {
  return [1_800_000, hour].some((later) => clockText(zone, instant + later) === clockText(zone, instant));
}

/**
 * Whether Temporal wakes at this minute: by the literal clock, as its ScheduleSpec says. Of what comes twice the second
 * can be relied on: in zones east of UTC it mostly leaves out the first.
 */
function matches(calendars: readonly TemporalCalendar[], zone: string, instant: number): boolean {
  if (comesAgain(zone, instant)) return false;
  const [date = '', clock = ''] = clockText(zone, instant).split(' ');
  const [, month = 0, dayOfMonth = 0] = date.split('-').map(Number);
  const [hours = 0, minute = 0] = clock.split(':').map(Number);
  const weekday = days[new Date(date).getUTCDay()] ?? '';
  const monthName = [...months, 'NOVEMBER', 'DECEMBER'][month - 1] ?? '';
  return calendars.some(
    (each) =>
      each.minute === minute &&
      each.hour.includes(hours) &&
      (each.month?.some((name) => name === monthName) ?? true) &&
      (each.dayOfMonth?.includes(dayOfMonth) ?? true) &&
      (each.dayOfWeek?.some((name) => name === weekday) ?? true),
  );
}

describe('in every opening there is a look, whatever the clock does', () => {
  const jitterMs = fc.constantFrom(0, 600_000, hour, 2.5 * hour);
  const time = fc.record({ hour: fc.nat(23), minute: fc.constantFrom(0, 30) });
  const moment = fc
    .tuple(
      fc.constantFrom(...changes.filter(({ zone }) => zone !== 'Pacific/Apia')),
      fc.integer({ min: -30, max: 6 }),
    )
    .map(([{ zone, at }, hours]) => ({ zone, change: Date.parse(at), start: Date.parse(at) + hours * hour }));
  const zone = fc.constantFrom(...zones);

  /** Looks of the three days from `start`, each with the least and the most jitter that Temporal gives it. */
  function looks(spec: ScheduleSpec, start: number): number[][] {
    const { calendars = [], zone: name } = temporalSpec(spec);
    const nominal: number[] = [];
    // at quarters of an hour, and in the last minute before them
    for (let at = start; at <= start + 72 * hour; at += 900_000)
      for (const minute of [at - 60_000, at]) if (matches(calendars, name, minute)) nominal.push(minute);
    return nominal.map((at, i) => [at, at + Math.min(spec.jitterMs, (nominal[i + 1] ?? Infinity) - at)]);
  }

  /** However the dice fall, one of them is in the opening. */
  function expectLook(spec: ScheduleSpec, start: number): void {
    const opening = openingsOf(spec)?.at(start);
    if (opening === undefined || opening.from < start || opening.to > start + 72 * hour) return;
    const sure = looks(spec, start).filter((each) =>
      each.every((at) => opening.from <= at && at < opening.to),
    );
    expect(sure.length, JSON.stringify([spec, opening])).toBeGreaterThan(0);
  }

  test('of a calendar', () => {
    fc.assert(
      fc.property(
        fc.subarray([...weekdays], { minLength: 1 }),
        time,
        zone,
        moment,
        jitterMs,
        (list, at, name, near, jitter) => {
          expectLook(schedule(calendar({ days: list, at, zone: name }), jitter), near.start);
          expectLook(schedule(calendar({ days: list, at, zone: near.zone }), jitter), near.start);
        },
      ),
      { numRuns: 200 },
    );
  });

  test.each([
    ['the clock skips its beginning', { hour: 2, minute: 30 }, { hour: 3, minute: 30 }, 0],
    ['the jitter is nearly as long', { hour: 2, minute: 0 }, { hour: 5, minute: 0 }, 2.5 * hour],
  ])('of a window of which %s', (_, from, to, jitter) => {
    const spec = schedule(window({ days: ['sun'], from, to }), jitter);
    for (const at of ['2026-03-29T00:00:00Z', '2026-10-25T00:00:00Z']) expectLook(spec, Date.parse(at));
  });

  test('of a window that is longer than the jitter, but for those that configuration.md names', () => {
    fc.assert(
      fc.property(
        fc.subarray([...weekdays], { minLength: 1 }),
        time,
        time,
        moment,
        jitterMs,
        (list, from, to, { zone: name, start, change }, jitter) => {
          const spec = schedule(window({ days: list, from, to, zone: name }), jitter);
          fc.pre(windowMinutes({ days: list, from, to, zone: name }) * 60_000 > jitter);
          const { from: opens = 0, to: closes = 0 } = openingsOf(spec)?.at(start) ?? {};
          // of one that closes as the clock is put forward, less than the jitter may be left
          fc.pre(jitter === 0 || closes !== change);
          // one that lies in what comes twice is over before the second of it
          fc.pre(!comesAgain(name, closes) || !comesAgain(name, opens));
          expectLook(spec, start);
        },
      ),
      { numRuns: 200 },
    );
  });
});
