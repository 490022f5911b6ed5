/** Days of the calendar, without a time and without a zone, as numbers that can be counted on. */
import { type Weekday, weekdays } from './schedule.js';

/** Days since 1970-01-01 in the Gregorian calendar. */
export type CivilDay = number;

export interface CivilDate {
  year: number;
  /** 1 to 12. */
  month: number;
  /** 1 to 31. */
  day: number;
}

const dayMs = 86_400_000;

/** A month or day beyond its range counts on: 2026-02-30 is 2026-03-02. */
export function civilDay(date: CivilDate): CivilDay {
  return Date.UTC(date.year, date.month - 1, date.day) / dayMs;
}

export function dateOf(day: CivilDay): CivilDate {
  const date = new Date(day * dayMs);
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
}

export function weekdayOf(day: CivilDay): Weekday {
  // 1970-01-01 was a Thursday
  return weekdays[(((day + 3) % 7) + 7) % 7] ?? 'mon';
}

/** The day of a text such as `2026-12-20`; undefined when it is none, such as `2026-02-30`. */
export function parseCivilDay(text: string): CivilDay | undefined {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (match === null) return undefined;
  const [year, month, day] = match.slice(1).map(Number);
  if (year === undefined || month === undefined || day === undefined || year < 100) return undefined;
  const counted = civilDay({ year, month, day });
  const back = dateOf(counted);
  return back.year === year && back.month === month && back.day === day ? counted : undefined;
}
