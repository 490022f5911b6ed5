/** A schedule in words. What is different must read differently: the difference before it is applied is made of them. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { rhythmWords } from '../../domain/schedule-words.js';
import {
  type CalendarSpec,
  type RhythmSpec,
  type WindowSpec,
  allDates,
  allMonths,
  weekdays,
} from '../../domain/schedule.js';
import { rhythms } from './support/schedules.js';

const hour = 3_600_000;
const day = 24 * hour;

function every(everyMs: number, window?: Partial<WindowSpec>): RhythmSpec {
  if (window === undefined) return { type: 'every', everyMs };
  const night = { from: { hour: 1, minute: 0 }, to: { hour: 5, minute: 0 } };
  return { type: 'every', everyMs, window: { days: weekdays, zone: 'Europe/Berlin', ...night, ...window } };
}

function calendar(spec: Partial<CalendarSpec>): RhythmSpec {
  const at = { hour: 2, minute: 30 };
  return {
    type: 'calendar',
    calendar: { months: allMonths, dates: allDates, days: weekdays, zone: 'Europe/Berlin', at, ...spec },
  };
}

describe('a rhythm is said in words', () => {
  test.each<[string, RhythmSpec, number]>([
    ['every 90d', every(90 * day), 0],
    ['every 1d12h, spread over 10m', every(36 * hour), 600_000],
    [
      'every 90d, mon-thu 01:00-05:00 Europe/Berlin',
      every(90 * day, { days: ['mon', 'tue', 'wed', 'thu'] }),
      0,
    ],
    [
      'every 30d, mon, sat, sun 22:30-24:00 UTC, spread over 1h',
      every(30 * day, {
        days: ['mon', 'sat', 'sun'],
        from: { hour: 22, minute: 30 },
        to: { hour: 24, minute: 0 },
        zone: 'UTC',
      }),
      hour,
    ],
    ['every 30d, mon-sun 01:00-05:00 Europe/Berlin', every(30 * day, {}), 0],
    ['daily at 02:30 Europe/Berlin', calendar({}), 0],
    ['sun at 02:30 Europe/Berlin', calendar({ days: ['sun'] }), 0],
    [
      'day 1, 15 of month 1, 4, 7, 10 at 09:05 UTC, spread over 2h30m',
      calendar({ dates: [1, 15], months: [1, 4, 7, 10], at: { hour: 9, minute: 5 }, zone: 'UTC' }),
      2.5 * hour,
    ],
    [
      'sat, sun day 25-31 of month 3, 10-12 at 02:30 Europe/Berlin',
      calendar({ days: ['sat', 'sun'], dates: [25, 26, 27, 28, 29, 30, 31], months: [3, 10, 11, 12] }),
      0,
    ],
    ['of month 12 at 02:30 Europe/Berlin', calendar({ months: [12] }), 0],
  ])('%s', (words, rhythm, jitterMs) => {
    expect(rhythmWords({ rhythm, jitterMs })).toBe(words);
  });

  test('in the same ones only when it is the same', () => {
    fc.assert(
      fc.property(rhythms, rhythms, (a, b) => {
        expect(rhythmWords(a) === rhythmWords(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
      { numRuns: 2_000 },
    );
  });
});
