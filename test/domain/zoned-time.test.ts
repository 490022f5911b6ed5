/** Wall clock times and instants, over clock changes. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { civilDay, dateOf, parseCivilDay, weekdayOf } from '../../domain/civil-day.js';
import { type WallTime, formatInstant, instantOf, sayInstant, wallAt } from '../../domain/zoned-time.js';
import { changes, clockText, zones } from './support/clock.js';

/** `2026-03-29 02:30`, with seconds or without. */
function wall(text: string): WallTime {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = text.split(/\D/).map(Number);
  return { year, month, day, hour, minute, second };
}

const zone = fc.constantFrom(...zones);
const second = (from: string, to: string) =>
  fc.integer({ min: Date.parse(from) / 1_000, max: Date.parse(to) / 1_000 }).map((s) => s * 1_000);

describe('a wall clock time', () => {
  test.each([
    ['UTC', '2026-03-29 02:30', '2026-03-29T02:30:00.000Z'],
    ['Asia/Kathmandu', '2026-01-01 00:00', '2025-12-31T18:15:00.000Z'],
    ['Europe/Berlin', '2026-01-15 12:00', '2026-01-15T11:00:00.000Z'],
    ['Europe/Berlin', '2026-07-15 12:00', '2026-07-15T10:00:00.000Z'],
    ['Europe/Berlin', '2026-03-29 01:59', '2026-03-29T00:59:00.000Z'],
    ['Europe/Berlin', '2026-03-29 03:00', '2026-03-29T01:00:00.000Z'],
    ['Europe/Berlin', '2026-10-25 01:59', '2026-10-24T23:59:00.000Z'],
    ['Europe/Berlin', '2026-10-25 03:00', '2026-10-25T02:00:00.000Z'],
    ['America/New_York', '2026-03-08 03:00', '2026-03-08T07:00:00.000Z'],
    ['America/New_York', '2027-11-07 02:00', '2027-11-07T07:00:00.000Z'],
    ['Australia/Lord_Howe', '2026-10-04 02:30', '2026-10-03T15:30:00.000Z'],
    ['Australia/Lord_Howe', '2026-04-05 02:00', '2026-04-04T15:30:00.000Z'],
    ['Pacific/Apia', '2011-12-29 23:59', '2011-12-30T09:59:00.000Z'],
    ['Pacific/Apia', '2011-12-31 00:00', '2011-12-30T10:00:00.000Z'],
  ])('in %s, %s, is %s', (name, text, expected) => {
    expect(formatInstant(instantOf(name, wall(text)))).toBe(expected);
  });

  test.each([
    ['Europe/Berlin', '2026-03-29 02:00', '2026-03-29T01:00:00.000Z'],
    ['Europe/Berlin', '2026-03-29 02:30', '2026-03-29T01:00:00.000Z'],
    ['Europe/Berlin', '2027-03-28 02:59:59', '2027-03-28T01:00:00.000Z'],
    ['America/New_York', '2026-03-08 02:30', '2026-03-08T07:00:00.000Z'],
    ['America/New_York', '2027-03-14 02:00', '2027-03-14T07:00:00.000Z'],
    ['Australia/Lord_Howe', '2026-10-04 02:15', '2026-10-03T15:30:00.000Z'],
    ['Australia/Lord_Howe', '2027-10-03 02:00', '2027-10-02T15:30:00.000Z'],
    ['Pacific/Apia', '2011-12-30 00:00', '2011-12-30T10:00:00.000Z'],
    ['Pacific/Apia', '2011-12-30 12:00', '2011-12-30T10:00:00.000Z'],
    ['Pacific/Apia', '2011-12-30 23:59:59', '2011-12-30T10:00:00.000Z'],
  ])('that does not exist, in %s %s, is the first instant after the gap, %s', (name, text, expected) => {
    expect(formatInstant(instantOf(name, wall(text)))).toBe(expected);
  });

  test.each([
    ['Europe/Berlin', '2026-10-25 02:00', '2026-10-25T00:00:00.000Z'],
    ['Europe/Berlin', '2026-10-25 02:30', '2026-10-25T00:30:00.000Z'],
    ['Europe/Berlin', '2027-10-31 02:59:59', '2027-10-31T00:59:59.000Z'],
    ['America/New_York', '2026-11-01 01:30', '2026-11-01T05:30:00.000Z'],
    ['America/New_York', '2027-11-07 01:00', '2027-11-07T05:00:00.000Z'],
    ['Australia/Lord_Howe', '2026-04-05 01:30', '2026-04-04T14:30:00.000Z'],
    ['Australia/Lord_Howe', '2027-04-04 01:59:59', '2027-04-03T14:59:59.000Z'],
  ])('that exists twice, in %s %s, is the first of the two, %s', (name, text, expected) => {
    expect(formatInstant(instantOf(name, wall(text)))).toBe(expected);
  });

  test('at hour 24 is 0:00 of the next day', () => {
    expect(instantOf('UTC', wall('2026-12-31 24:00'))).toBe(Date.parse('2027-01-01T00:00:00Z'));
  });

  test('of a zone that is none is refused', () => {
    expect(() => instantOf('Europe/Berln', wall('2026-01-01 00:00'))).toThrow(RangeError);
  });

  test('that is later never means an earlier instant', () => {
    const near = fc.constantFrom(...changes).chain(({ zone: name, at }) =>
      fc.record({
        name: fc.constant(name),
        local: fc
          .array(fc.integer({ min: -3 * 86_400, max: 3 * 86_400 }), { minLength: 2, maxLength: 2 })
          .map((seconds) => seconds.toSorted((a, b) => a - b).map((s) => Date.parse(at) + s * 1_000)),
      }),
    );
    fc.assert(
      fc.property(near, ({ name, local }) => {
        const [earlier = 0, later = 0] = local.map((ms) => instantOf(name, wallAt('UTC', ms)));
        expect(later).toBeGreaterThanOrEqual(earlier);
      }),
    );
  });
});

describe('an instant', () => {
  test.each(changes)('before and after $at in $zone is shown as the clock shows it', (change) => {
    const at = Date.parse(change.at);
    const shown = (instant: number): number =>
      Date.parse(`${clockText(change.zone, instant).replace(' ', 'T')}Z`);
    const jump = shown(at) - shown(at - 1_000) - 1_000;
    expect(jump).toBe((change.type === 'gap' ? 1 : -1) * change.minutes * 60_000);
    for (const instant of [at - 1_000, at]) {
      expect(wallAt(change.zone, instant)).toEqual(wall(clockText(change.zone, instant)));
    }
  });

  test('is found again from what the clock shows, unless the clock shows it twice', () => {
    const overlaps = changes.filter(({ type }) => type === 'overlap');
    fc.assert(
      fc.property(zone, second('2026-01-01T00:00:00Z', '2027-12-31T23:59:59Z'), (name, instant) => {
        // the second of two: the stretch after the change that repeats what was shown before it
        fc.pre(
          !overlaps.some(
            ({ zone: other, at, minutes }) =>
              other === name && instant >= Date.parse(at) && instant < Date.parse(at) + minutes * 60_000,
          ),
        );
        expect(instantOf(name, wallAt(name, instant))).toBe(instant);
      }),
      { numRuns: 1_000 },
    );
  });

  test('that is the second with its wall clock time is told from the first', () => {
    for (const { zone: name, at, minutes } of changes.filter(({ type }) => type === 'overlap')) {
      const instant = Date.parse(at) + 60_000;
      expect(instantOf(name, wallAt(name, instant))).toBe(instant - minutes * 60_000);
    }
  });

  test('of two centuries, in any zone, is shown as the clock shows it, and found or found earlier', () => {
    const any = fc.constantFrom(...Intl.supportedValuesOf('timeZone'));
    fc.assert(
      fc.property(any, second('1890-01-01T00:00:00Z', '2090-01-01T00:00:00Z'), (name, instant) => {
        const shown = wallAt(name, instant);
        expect(shown).toEqual(wall(clockText(name, instant)));
        const found = instantOf(name, shown);
        expect(found).toBeLessThanOrEqual(instant);
        expect(wallAt(name, found)).toEqual(shown);
      }),
      { numRuns: 1_000 },
    );
  });

  test('is told to people with its zone', () => {
    expect(sayInstant('Europe/Berlin', Date.parse('2026-03-29T01:00:00Z'))).toBe(
      '2026-03-29 03:00 Europe/Berlin',
    );
  });
});

describe('days', () => {
  test.each([
    ['1970-01-01', 'thu'],
    ['1969-12-31', 'wed'],
    ['2026-03-29', 'sun'],
    ['2028-02-29', 'tue'],
  ])('%s is a %s', (text, expected) => {
    expect(weekdayOf(parseCivilDay(text) ?? Number.NaN)).toBe(expected);
  });

  test.each([
    '2026-02-29',
    '2026-04-31',
    '2026-13-01',
    '2026-00-10',
    '2026-1-1',
    '0050-01-01',
    '',
    '2026-01-01 ',
  ])('`%s` is none', (text) => {
    expect(parseCivilDay(text)).toBeUndefined();
  });

  test('are counted one by one', () => {
    fc.assert(
      fc.property(fc.integer({ min: -30_000, max: 60_000 }), (day) => {
        expect(civilDay(dateOf(day))).toBe(day);
        expect(weekdayOf(day + 7)).toBe(weekdayOf(day));
      }),
    );
  });
});
