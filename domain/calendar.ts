/**
 * Calendars: the times at which something is due. A time is one at `at` on a day whose month, date and day of the
 * week are all among those named (unlike cron, which takes date or day). Months without a date skip it: the 31st
 * comes seven times a year, 29 February in leap years. Clock changes follow the rule of zoned-time.ts, so a day has
 * exactly one such time.
 */
import { type CivilDay, civilDay, dateOf, weekdayOf } from './civil-day.js';
import { searchDays } from './opening.js';
import type { CalendarSpec } from './schedule.js';
import { dayAt, instantOn } from './zoned-time.js';

/** The first time later than `instant` (milliseconds since the epoch); undefined when there is none for five years. */
export function nextOccurrence(calendar: CalendarSpec, instant: number): number | undefined {
  const first = dayAt(calendar.zone, instant);
  for (let day = first; day <= first + searchDays; day++) {
    if (!hasDay(calendar, day)) continue;
    const time = instantOn(calendar.zone, day, calendar.at);
    if (time > instant) return time;
  }
  return undefined;
}

/** The latest time at or before `instant`; undefined when there was none for five years. */
export function latestOccurrence(calendar: CalendarSpec, instant: number): number | undefined {
  // where the clock was put back over midnight, a time of the next day may be over
  const last = dayAt(calendar.zone, instant) + 1;
  for (let day = last; day >= last - searchDays; day--) {
    if (!hasDay(calendar, day)) continue;
    const time = instantOn(calendar.zone, day, calendar.at);
    if (time <= instant) return time;
  }
  return undefined;
}

/**
 * How a calendar comes round: `never` (30 February), `rarely` when five years may pass without it (a Friday, 13
 * June; 29 February on a Monday), else `always`. By the days of 2001 to 2056: two rounds of the 28 years in which
 * dates and days of the week repeat.
 */
export function comesRound(calendar: CalendarSpec): 'always' | 'rarely' | 'never' {
  let last: CivilDay | undefined;
  let widest = 0;
  for (
    let day = civilDay({ year: 2001, month: 1, day: 1 });
    day < civilDay({ year: 2057, month: 1, day: 1 });
    day++
  ) {
    if (!hasDay(calendar, day)) continue;
    if (last !== undefined) widest = Math.max(widest, day - last);
    last = day;
  }
  if (last === undefined) return 'never';
  return widest === 0 || widest > searchDays ? 'rarely' : 'always';
}

function hasDay({ months, dates, days }: CalendarSpec, day: CivilDay): boolean {
  const date = dateOf(day);
  return months.includes(date.month) && dates.includes(date.day) && days.includes(weekdayOf(day));
}
