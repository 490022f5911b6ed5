/**
 * Windows: when a rotation may start. A window opens on its days at `from` and closes at `to`, on the day after
 * where `to` is not later than `from`; the day is that of the opening. Both are wall clock times and follow the rule
 * of zoned-time.ts, so a window is shorter or longer on a day when the clock changes, and does not open on one when
 * all of it is skipped: no opening is empty.
 */
import { type CivilDay, weekdayOf } from './civil-day.js';
import { type Opening, searchDays } from './opening.js';
import { type WindowSpec, minuteOfDay } from './schedule.js';
import { dayAt, instantOn } from './zoned-time.js';

/** Minutes from opening to closing on a day without a clock change: 1 to 1440. */
export function windowMinutes({ from, to }: WindowSpec): number {
  const minutes = minuteOfDay(to) - minuteOfDay(from);
  return minutes > 0 ? minutes : minutes + 24 * 60;
}

/** Whether a rotation may start at `instant` (milliseconds since the epoch). */
export function isOpen(window: WindowSpec, instant: number): boolean {
  const opening = openingAt(window, instant);
  return opening !== undefined && opening.from <= instant;
}

/** The opening that is under way at `instant`, else the next one; undefined when there is none for five years. */
export function openingAt(window: WindowSpec, instant: number): Opening | undefined {
  // one that began yesterday may still be under way; earlier ones closed before midnight at the latest
  const first = dayAt(window.zone, instant) - 1;
  for (let day = first; day <= first + searchDays; day++) {
    const opening = openingOn(window, day);
    if (opening !== undefined && opening.to > instant) return opening;
  }
  return undefined;
}

/** The latest opening that is over at `instant`; undefined when there was none for five years. */
export function openingBefore(window: WindowSpec, instant: number): Opening | undefined {
  const last = dayAt(window.zone, instant);
  for (let day = last; day >= last - searchDays; day--) {
    const opening = openingOn(window, day);
    if (opening !== undefined && opening.to <= instant) return opening;
  }
  return undefined;
}

function openingOn(window: WindowSpec, day: CivilDay): Opening | undefined {
  if (!window.days.includes(weekdayOf(day))) return undefined;
  const closes = minuteOfDay(window.to) > minuteOfDay(window.from) ? day : day + 1;
  const from = instantOn(window.zone, day, window.from);
  const to = instantOn(window.zone, closes, window.to);
  return to > from ? { from, to } : undefined;
}
