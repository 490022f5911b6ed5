/** Windows, over midnight and clock changes. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { type WindowSpec, minuteOfDay, weekdays } from '../../domain/schedule.js';
import { isOpen, openingAt, openingBefore, windowMinutes } from '../../domain/window.js';
import type { Opening } from '../../domain/opening.js';
import { formatInstant } from '../../domain/zoned-time.js';
import { changes, clockText, zones } from './support/clock.js';

/** `sat 22:00-04:00 Europe/Berlin`; `*` for every day. */
function window(text: string): WindowSpec {
  const [days = '', times = '', zone = ''] = text.split(' ');
  const [from, to] = times.split('-').map((time) => {
    const [hour = 0, minute = 0] = time.split(':').map(Number);
    return { hour, minute };
  });
  if (from === undefined || to === undefined) throw new Error(`no window: ${text}`);
  return { days: weekdays.filter((day) => days === '*' || days.split(',').includes(day)), from, to, zone };
}

function say(opening: Opening | undefined): string {
  return opening === undefined
    ? 'none'
    : [opening.from, opening.to].map((ms) => formatInstant(ms).replace(':00.000Z', '')).join(' ');
}

/** The window, an instant, the opening that is over by then, and the one that is current or next; UTC. */
const openings: [string, string, string, string][] = [
  [
    '* 01:00-05:00 UTC',
    '2026-06-10T00:59',
    '2026-06-09T01:00 2026-06-09T05:00',
    '2026-06-10T01:00 2026-06-10T05:00',
  ],
  [
    '* 01:00-05:00 UTC',
    '2026-06-10T04:59',
    '2026-06-09T01:00 2026-06-09T05:00',
    '2026-06-10T01:00 2026-06-10T05:00',
  ],
  [
    '* 01:00-05:00 UTC',
    '2026-06-10T05:00',
    '2026-06-10T01:00 2026-06-10T05:00',
    '2026-06-11T01:00 2026-06-11T05:00',
  ],
  [
    'mon,thu 01:00-05:00 UTC',
    '2026-06-10T12:00',
    '2026-06-08T01:00 2026-06-08T05:00',
    '2026-06-11T01:00 2026-06-11T05:00',
  ],
  // the day is that of the opening
  [
    'sat 22:00-04:00 UTC',
    '2026-06-14T03:59',
    '2026-06-06T22:00 2026-06-07T04:00',
    '2026-06-13T22:00 2026-06-14T04:00',
  ],
  [
    'sat 22:00-00:00 UTC',
    '2026-06-13T23:59',
    '2026-06-06T22:00 2026-06-07T00:00',
    '2026-06-13T22:00 2026-06-14T00:00',
  ],
  [
    'sat,sun 00:00-24:00 UTC',
    '2026-06-14T00:00',
    '2026-06-13T00:00 2026-06-14T00:00',
    '2026-06-14T00:00 2026-06-15T00:00',
  ],
  [
    '* 23:30-01:15 Asia/Kathmandu',
    '2026-06-10T18:00',
    '2026-06-09T17:45 2026-06-09T19:30',
    '2026-06-10T17:45 2026-06-10T19:30',
  ],
  // Berlin in spring: an hour is missing
  [
    'sat 22:00-04:00 Europe/Berlin',
    '2026-03-28T23:00',
    '2026-03-21T21:00 2026-03-22T03:00',
    '2026-03-28T21:00 2026-03-29T02:00',
  ],
  [
    'sun 01:30-02:30 Europe/Berlin',
    '2026-03-29T00:00',
    '2026-03-22T00:30 2026-03-22T01:30',
    '2026-03-29T00:30 2026-03-29T01:00',
  ],
  [
    'sun 02:30-03:30 Europe/Berlin',
    '2026-03-29T00:00',
    '2026-03-22T01:30 2026-03-22T02:30',
    '2026-03-29T01:00 2026-03-29T01:30',
  ],
  // all of it is missing: it does not open
  [
    'sun 02:00-03:00 Europe/Berlin',
    '2026-03-29T00:00',
    '2026-03-22T01:00 2026-03-22T02:00',
    '2026-04-05T00:00 2026-04-05T01:00',
  ],
  [
    'sun 02:15-02:45 Europe/Berlin',
    '2027-03-28T12:00',
    '2027-03-21T01:15 2027-03-21T01:45',
    '2027-04-04T00:15 2027-04-04T00:45',
  ],
  // Berlin in autumn: an hour comes twice
  [
    'sat 22:00-04:00 Europe/Berlin',
    '2026-10-25T00:30',
    '2026-10-17T20:00 2026-10-18T02:00',
    '2026-10-24T20:00 2026-10-25T03:00',
  ],
  [
    'sun 02:15-02:45 Europe/Berlin',
    '2026-10-25T00:00',
    '2026-10-18T00:15 2026-10-18T00:45',
    '2026-10-25T00:15 2026-10-25T00:45',
  ],
  [
    'sun 02:30-03:30 Europe/Berlin',
    '2026-10-25T01:00',
    '2026-10-18T00:30 2026-10-18T01:30',
    '2026-10-25T00:30 2026-10-25T02:30',
  ],
  [
    'sun 00:00-24:00 Europe/Berlin',
    '2026-10-25T12:00',
    '2026-10-17T22:00 2026-10-18T22:00',
    '2026-10-24T22:00 2026-10-25T23:00',
  ],
  // New York
  [
    'sun 01:00-03:00 America/New_York',
    '2026-03-08T06:30',
    '2026-03-01T06:00 2026-03-01T08:00',
    '2026-03-08T06:00 2026-03-08T07:00',
  ],
  [
    'sun 01:30-02:00 America/New_York',
    '2026-11-01T05:45',
    '2026-10-25T05:30 2026-10-25T06:00',
    '2026-11-01T05:30 2026-11-01T07:00',
  ],
  // Lord Howe: half an hour
  [
    'sun 02:00-02:30 Australia/Lord_Howe',
    '2026-10-03T15:00',
    '2026-09-26T15:30 2026-09-26T16:00',
    '2026-10-10T15:00 2026-10-10T15:30',
  ],
  [
    'sun 01:30-02:30 Australia/Lord_Howe',
    '2026-04-04T15:00',
    '2026-03-28T14:30 2026-03-28T15:30',
    '2026-04-04T14:30 2026-04-04T16:00',
  ],
  // Samoa: no 30 December 2011, a Friday
  [
    'fri 01:00-05:00 Pacific/Apia',
    '2011-12-30T12:00',
    '2011-12-23T11:00 2011-12-23T15:00',
    '2012-01-05T11:00 2012-01-05T15:00',
  ],
  [
    'fri 22:00-04:00 Pacific/Apia',
    '2011-12-30T12:00',
    '2011-12-24T08:00 2011-12-24T14:00',
    '2011-12-30T10:00 2011-12-30T14:00',
  ],
];

describe('of a window', () => {
  test.each(openings)(
    '%s, at %s, the last opening was %s and the current or next is %s',
    (text, at, before, current) => {
      const instant = Date.parse(`${at}Z`);
      expect(say(openingBefore(window(text), instant))).toBe(before);
      expect(say(openingAt(window(text), instant))).toBe(current);
    },
  );

  test('the opening is part of it, the closing is not', () => {
    const night = window('* 01:00-05:00 UTC');
    expect(isOpen(night, Date.parse('2026-06-10T00:59:59.999Z'))).toBe(false);
    expect(isOpen(night, Date.parse('2026-06-10T01:00:00Z'))).toBe(true);
    expect(isOpen(night, Date.parse('2026-06-10T04:59:59.999Z'))).toBe(true);
    expect(isOpen(night, Date.parse('2026-06-10T05:00:00Z'))).toBe(false);
  });

  test.each([
    ['* 01:00-05:00 UTC', 240],
    ['* 22:00-04:30 UTC', 390],
    ['* 00:00-24:00 UTC', 1440],
    ['* 23:59-00:00 UTC', 1],
    ['* 05:00-05:00 UTC', 1440],
  ])('%s the length is %d minutes, never none', (text, minutes) => {
    expect(windowMinutes(window(text))).toBe(minutes);
  });

  test('without a day there is no opening', () => {
    const never = window('none 01:00-05:00 UTC');
    expect(openingAt(never, 0)).toBeUndefined();
    expect(openingBefore(never, 0)).toBeUndefined();
    expect(isOpen(never, 0)).toBe(false);
  });
});

const time = fc.record({ hour: fc.nat(23), minute: fc.constantFrom(0, 15, 30, 45) });
const anyWindow: fc.Arbitrary<WindowSpec> = fc.record({
  days: fc.subarray([...weekdays], { minLength: 1 }),
  from: time,
  to: fc.oneof(time, fc.constant({ hour: 24, minute: 0 })),
  zone: fc.constantFrom(...zones),
});
const moment = fc
  .tuple(fc.constantFrom(...changes), fc.integer({ min: -3 * 1440, max: 3 * 1440 }))
  .map(([{ at }, minutes]) => Date.parse(at) + minutes * 60_000);

describe('any window', () => {
  test('has openings that are not empty, one after the other, with nothing left out between them', () => {
    fc.assert(
      fc.property(anyWindow, moment, (spec, instant) => {
        const before = openingBefore(spec, instant);
        const current = openingAt(spec, instant);
        expect(before?.to).toBeGreaterThan(before?.from ?? Infinity);
        expect(current?.to).toBeGreaterThan(current?.from ?? Infinity);
        expect(before?.to).toBeLessThanOrEqual(instant);
        expect(current?.to).toBeGreaterThan(instant);
        expect(current?.from).toBeGreaterThanOrEqual(before?.to ?? Infinity);
        expect(openingAt(spec, before?.to ?? 0)).toEqual(current);
        expect(openingBefore(spec, current?.to ?? 0)).toEqual(current);
      }),
      { numRuns: 300 },
    );
  });

  test('is open, minute by minute, exactly when the clock is between opening and closing', () => {
    const pad = (n: number): string => String(n).padStart(2, '0');
    fc.assert(
      fc.property(anyWindow, moment, (spec, start) => {
        const overnight = minuteOfDay(spec.to) <= minuteOfDay(spec.from);
        // the farthest that the clock has come: after it was put back, what it shows again is not new
        let farthest = '';
        for (let instant = start - 4 * 3_600_000; instant < start + 86_400_000; instant += 300_000) {
          const shown = clockText(spec.zone, instant);
          farthest = shown > farthest ? shown : farthest;
          if (instant < start) continue;
          const [date = '', clock = ''] = farthest.split(' ');
          const day = (ago: number) =>
            weekdays[(new Date(Date.parse(date) - ago * 86_400_000).getUTCDay() + 6) % 7];
          const [from, to] = [spec.from, spec.to].map(({ hour, minute }) => `${pad(hour)}:${pad(minute)}:00`);
          const named = (ago: number) => spec.days.some((each) => each === day(ago));
          const open = overnight
            ? (named(0) && clock >= String(from)) || (named(1) && clock < String(to))
            : named(0) && clock >= String(from) && clock < String(to);
          expect([farthest, isOpen(spec, instant)]).toEqual([farthest, open]);
        }
      }),
      { numRuns: 25 },
    );
  });
});
