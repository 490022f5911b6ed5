/** Calendars: short months, leap years and clock changes. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { comesRound, latestOccurrence, nextOccurrence } from '../../domain/calendar.js';
import { type CalendarSpec, allDates, allMonths, weekdays } from '../../domain/schedule.js';
import { formatInstant } from '../../domain/zoned-time.js';
import { changes, clockText, zones } from './support/clock.js';

function calendar(spec: Partial<CalendarSpec>): CalendarSpec {
  return {
    months: allMonths,
    dates: allDates,
    days: weekdays,
    at: { hour: 2, minute: 30 },
    zone: 'UTC',
    ...spec,
  };
}

function say(instant: number | undefined): string {
  return instant === undefined ? 'never' : formatInstant(instant).replace(':00.000Z', '');
}

const quarterly = calendar({ months: [1, 4, 7, 10], dates: [1] });
const leap = calendar({ months: [2], dates: [29] });

/** The calendar, an instant, the latest time at or before it, the next after it; UTC. */
const times: [string, CalendarSpec, string, string, string][] = [
  ['every quarter', quarterly, '2026-05-15T00:00', '2026-04-01T02:30', '2026-07-01T02:30'],
  ['every quarter, at a time', quarterly, '2026-07-01T02:30', '2026-07-01T02:30', '2026-10-01T02:30'],
  ['every quarter, before a time', quarterly, '2026-07-01T02:29', '2026-04-01T02:30', '2026-07-01T02:30'],
  ['every quarter, over new year', quarterly, '2026-12-31T23:59', '2026-10-01T02:30', '2027-01-01T02:30'],
  [
    'the 31st, in months that have one',
    calendar({ dates: [31] }),
    '2026-04-01T00:00',
    '2026-03-31T02:30',
    '2026-05-31T02:30',
  ],
  [
    'the 30th, not in February',
    calendar({ dates: [30] }),
    '2026-02-01T00:00',
    '2026-01-30T02:30',
    '2026-03-30T02:30',
  ],
  ['29 February', leap, '2026-06-01T00:00', '2024-02-29T02:30', '2028-02-29T02:30'],
  ['29 February, with 2100 between', leap, '2097-01-01T00:00', '2096-02-29T02:30', 'never'],
  ['29 February, after 2100', leap, '2101-06-01T00:00', 'never', '2104-02-29T02:30'],
  ['mondays', calendar({ days: ['mon'] }), '2026-06-10T00:00', '2026-06-08T02:30', '2026-06-15T02:30'],
  [
    'Friday the 13th',
    calendar({ dates: [13], days: ['fri'] }),
    '2026-04-01T00:00',
    '2026-03-13T02:30',
    '2026-11-13T02:30',
  ],
  ['no day at all', calendar({ months: [2], dates: [30, 31] }), '2026-01-01T00:00', 'never', 'never'],
  [
    '02:30 in Berlin, skipped in spring',
    calendar({ zone: 'Europe/Berlin' }),
    '2026-03-28T12:00',
    '2026-03-28T01:30',
    '2026-03-29T01:00',
  ],
  [
    '02:30 in Berlin, the day after that',
    calendar({ zone: 'Europe/Berlin' }),
    '2026-03-29T01:00',
    '2026-03-29T01:00',
    '2026-03-30T00:30',
  ],
  [
    '02:30 in Berlin, twice in autumn',
    calendar({ zone: 'Europe/Berlin' }),
    '2026-10-24T12:00',
    '2026-10-24T00:30',
    '2026-10-25T00:30',
  ],
  [
    '02:30 in Berlin, at the second of them',
    calendar({ zone: 'Europe/Berlin' }),
    '2026-10-25T01:30',
    '2026-10-25T00:30',
    '2026-10-26T01:30',
  ],
  [
    '01:30 in New York, twice in autumn',
    calendar({ zone: 'America/New_York', at: { hour: 1, minute: 30 } }),
    '2026-11-01T06:00',
    '2026-11-01T05:30',
    '2026-11-02T06:30',
  ],
  [
    '02:15 on Lord Howe, skipped in spring',
    calendar({ zone: 'Australia/Lord_Howe', at: { hour: 2, minute: 15 } }),
    '2026-10-03T12:00',
    '2026-10-02T15:45',
    '2026-10-03T15:30',
  ],
  [
    '30 December in Samoa, a day that 2011 has not',
    calendar({ zone: 'Pacific/Apia', months: [12], dates: [30] }),
    '2011-12-30T00:00',
    '2010-12-30T12:30',
    '2011-12-30T10:00',
  ],
  // at 0:01 the clock went back to 23:01
  [
    '0:00 in Newfoundland, shown before the clock went back over midnight',
    calendar({ zone: 'America/St_Johns', dates: [7], at: { hour: 0, minute: 0 } }),
    '2010-11-07T02:45',
    '2010-11-07T02:30',
    '2010-12-07T03:30',
  ],
  [
    '02:30 in Kathmandu',
    calendar({ zone: 'Asia/Kathmandu' }),
    '2026-06-10T00:00',
    '2026-06-09T20:45',
    '2026-06-10T20:45',
  ],
];

describe('of a calendar', () => {
  test.each(times)('%s', (_title, spec, at, latest, next) => {
    const instant = Date.parse(`${at}Z`);
    expect(say(latestOccurrence(spec, instant))).toBe(latest);
    expect(say(nextOccurrence(spec, instant))).toBe(next);
  });

  test.each([
    ['every quarter', quarterly, 'always'],
    ['29 February', leap, 'always'],
    [
      '29 February on working days',
      calendar({ months: [2], dates: [29], days: weekdays.slice(0, 5) }),
      'rarely',
    ],
    ['29 February on a Monday', calendar({ months: [2], dates: [29], days: ['mon'] }), 'rarely'],
    ['Friday, 13 June', calendar({ months: [6], dates: [13], days: ['fri'] }), 'rarely'],
    ['Friday the 13th', calendar({ dates: [13], days: ['fri'] }), 'always'],
    ['30 February', calendar({ months: [2], dates: [30] }), 'never'],
    ['the 31st of short months', calendar({ months: [2, 4, 6, 9, 11], dates: [31] }), 'never'],
  ])('%s is known how it comes round: %#', (_title, spec, expected) => {
    expect(comesRound(spec)).toBe(expected);
  });
});

const anyCalendar: fc.Arbitrary<CalendarSpec> = fc.record({
  months: fc.subarray([...allMonths], { minLength: 6 }),
  dates: fc.subarray([...allDates], { minLength: 10 }),
  days: fc.subarray([...weekdays], { minLength: 3 }),
  at: fc.record({ hour: fc.oneof(fc.constantFrom(1, 2, 3), fc.nat(23)), minute: fc.constantFrom(0, 15, 30) }),
  zone: fc.constantFrom(...zones),
});
const moment = fc
  .tuple(fc.constantFrom(...changes), fc.integer({ min: -4 * 1440, max: 1440 }))
  .map(([{ at, zone }, minutes]) => ({ zone, start: Date.parse(at) + minutes * 60_000 }));

/**
 * The first time within four days by walking minute by minute: the clock comes to a time of the calendar, or past
 * one that it skips. What it shows again after it was put back is not new.
 */
function walk(spec: CalendarSpec, after: number): number | undefined {
  const pad = (n: number): string => String(n).padStart(2, '0');
  const at = `${pad(spec.at.hour)}:${pad(spec.at.minute)}:00`;
  const hasDay = (date: string): boolean => {
    const day = new Date(`${date}T00:00:00Z`);
    return (
      spec.months.includes(day.getUTCMonth() + 1) &&
      spec.dates.includes(day.getUTCDate()) &&
      spec.days.some((each) => each === weekdays[(day.getUTCDay() + 6) % 7])
    );
  };
  let farthest = clockText(spec.zone, after - 4 * 3_600_000);
  for (let instant = after - 4 * 3_600_000; instant <= after + 4 * 86_400_000; instant += 60_000) {
    const shown = clockText(spec.zone, instant);
    if (shown <= farthest) continue;
    // the day that is shown, and where the clock has skipped into it, the days since the last one
    for (let ms = Date.parse(farthest.slice(0, 10)); ms <= Date.parse(shown.slice(0, 10)); ms += 86_400_000) {
      const date = new Date(ms).toISOString().slice(0, 10);
      const time = `${date} ${at}`;
      if (hasDay(date) && farthest < time && time <= shown && instant > after) return instant;
    }
    farthest = shown;
  }
  return undefined;
}

describe('of any calendar', () => {
  test('the next time is after the moment, and the first that a walk by the minute comes to', () => {
    fc.assert(
      fc.property(anyCalendar, moment, fc.boolean(), (drawn, { zone, start }, there) => {
        const spec = there ? { ...drawn, zone } : drawn;
        const next = nextOccurrence(spec, start);
        expect(next).toBeGreaterThan(start);
        const walked = walk(spec, start);
        if (walked === undefined) expect(next).toBeGreaterThan(start + 4 * 86_400_000);
        else expect(say(next)).toBe(say(walked));
      }),
      { numRuns: 80 },
    );
  });

  test('the next time shows its fields on the clock, unless the clock skips it', () => {
    fc.assert(
      fc.property(
        anyCalendar,
        fc.integer({ min: Date.parse('2026-01-01'), max: Date.parse('2027-12-31') }),
        (spec, from) => {
          const next = nextOccurrence(spec, from) ?? 0;
          const skipped = changes.some(
            ({ type, at, zone }) => type === 'gap' && zone === spec.zone && Date.parse(at) === next,
          );
          fc.pre(!skipped);
          const [date = '', clock = ''] = clockText(spec.zone, next).split(' ');
          const [, month, day] = date.split('-').map(Number);
          expect(spec.months).toContain(month);
          expect(spec.dates).toContain(day);
          expect(clock.split(':').map(Number)).toEqual([spec.at.hour, spec.at.minute, 0]);
        },
      ),
    );
  });

  test('the latest time and the next follow on one another', () => {
    fc.assert(
      fc.property(anyCalendar, moment, (spec, { start }) => {
        const next = nextOccurrence(spec, start) ?? 0;
        const latest = latestOccurrence(spec, start) ?? 0;
        expect(latest).toBeLessThanOrEqual(start);
        expect(nextOccurrence(spec, latest)).toBe(next);
        expect(latestOccurrence(spec, next)).toBe(next);
        expect(latestOccurrence(spec, next - 1)).toBe(latest);
      }),
    );
  });
});
