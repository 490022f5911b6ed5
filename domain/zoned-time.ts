/**
 * Wall clock times of IANA zones, through `Intl`: the one place that knows of clock changes.
 *
 * **The rule.** A wall clock time that does not exist, because the clock was put forward over it, means the first
 * instant after that gap. One that exists twice, because the clock was put back, means the first of the two. So a
 * later wall clock time never means an earlier instant.
 *
 * Instants are milliseconds since the epoch. What is known of zones comes with the JavaScript engine, so two
 * versions of it may differ about the future.
 */
import { type CivilDay, civilDay, dateOf } from './civil-day.js';
import type { TimeOfDay } from './schedule.js';

/** What a clock in some zone shows. */
export interface WallTime {
  year: number;
  /** 1 to 12. */
  month: number;
  /** 1 to 31. */
  day: number;
  hour: number;
  minute: number;
  second: number;
}

const secondMs = 1_000;

/** No zone has ever been further from UTC (Manila was 15:56 behind until 1844). */
const farthestMs = 16 * 3_600_000;

/** Making one is a hundred times as slow as using it. */
const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  formats.set(zone, format);
  return format;
}

/**
 * What the clock shows at `instant`; fractions of a second are dropped. For years from 100 on.
 * @throws RangeError when there is no such zone
 */
export function wallAt(zone: string, instant: number): WallTime {
  const parts = formatOf(zone).formatToParts(instant);
  const shown = new Map(parts.map(({ type, value }) => [type, Number(value)]));
  const field = (type: Intl.DateTimeFormatPartTypes): number => shown.get(type) ?? Number.NaN;
  return {
    year: field('year'),
    month: field('month'),
    day: field('day'),
    hour: field('hour'),
    minute: field('minute'),
    second: field('second'),
  };
}

/**
 * The instant that a wall clock time means, by the rule above. Fields beyond their range count on: hour 24 is 0:00
 * of the next day.
 * @throws RangeError when there is no such zone
 */
export function instantOf(zone: string, wall: WallTime): number {
  const local = asUtc(wall);
  // far enough away to be on either side of a clock change that concerns this time
  const before = offsetAt(zone, local - farthestMs);
  const after = offsetAt(zone, local + farthestMs);
  const offsets = before === after ? [before] : [before, after];
  const exact = offsets
    .map((offset) => local - offset)
    .filter((instant) => offsetAt(zone, instant) === local - instant);
  if (exact.length > 0) return Math.min(...exact);
  return firstAfterChange(zone, local - after, local - before);
}

/** The instant of a time of day on `day`, by the rule above. */
export function instantOn(zone: string, day: CivilDay, { hour, minute }: TimeOfDay): number {
  return instantOf(zone, { ...dateOf(day), hour, minute, second: 0 });
}

/** The day that the calendar in the zone shows at `instant`. */
export function dayAt(zone: string, instant: number): CivilDay {
  return civilDay(wallAt(zone, instant));
}

/** For people: `2026-03-29 03:00 Europe/Berlin`. */
export function sayInstant(zone: string, instant: number): string {
  const { year, month, day, hour, minute } = wallAt(zone, instant);
  const [mm, dd, h, m] = [month, day, hour, minute].map((field) => String(field).padStart(2, '0'));
  return `${String(year).padStart(4, '0')}-${mm}-${dd} ${h}:${m} ${zone}`;
}

/** RFC 3339 in UTC. */
export function formatInstant(instant: number): string {
  return new Date(instant).toISOString();
}

function asUtc({ year, month, day, hour, minute, second }: WallTime): number {
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

/** Milliseconds that the clock is ahead of UTC. */
function offsetAt(zone: string, instant: number): number {
  return asUtc(wallAt(zone, instant)) - Math.floor(instant / secondMs) * secondMs;
}

/** The first instant with another offset than `before`, where the clock changes once until `after`. Clocks change at whole seconds. */
function firstAfterChange(zone: string, before: number, after: number): number {
  const offset = offsetAt(zone, before);
  let [low, high] = [before, after];
  while (high - low > secondMs) {
    const middle = low + Math.floor((high - low) / 2 / secondMs) * secondMs;
    if (offsetAt(zone, middle) === offset) low = middle;
    else high = middle;
  }
  return high;
}
