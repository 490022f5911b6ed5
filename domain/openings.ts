/**
 * When what is due by a schedule may start: in its window, or for a while from each time of its calendar. Where
 * there is neither, always.
 *
 * A time of a calendar stays open so long that the second look at it (temporal-spec.ts) still finds it open, even
 * when that one is put off by the whole jitter and Temporal is an hour late. Without it a time that the clock skips
 * would be lost, because Temporal does not wake at it.
 */
import { latestOccurrence, nextOccurrence } from './calendar.js';
import type { Opening } from './opening.js';
import type { CalendarSpec, ScheduleSpec } from './schedule.js';
import { openingAt } from './window.js';

const hourMs = 3_600_000;

/** How late Temporal may still start what it could not start in time, in milliseconds. */
export const catchupMs = hourMs;

export interface Openings {
  /** The one that is under way at an instant, else the next; undefined when there is none for five years. */
  at(instant: number): Opening | undefined;
}

/** Undefined when the schedule may start something at any time. */
export function openingsOf({ rhythm, jitterMs }: ScheduleSpec): Openings | undefined {
  if (rhythm.type === 'calendar') return timesOf(rhythm.calendar, jitterMs);
  const { window } = rhythm;
  if (window === undefined) return undefined;
  return { at: (instant) => openingAt(window, instant) };
}

/** Hours after a time of a calendar, and after its jitter, at which it is looked at again. */
export function secondLookHours(jitterMs: number): number {
  return Math.ceil(jitterMs / hourMs) + 1;
}

/** Milliseconds for which a time of a calendar is open: 2 h without jitter. */
export function calendarOpenMs(jitterMs: number): number {
  return secondLookHours(jitterMs) * hourMs + jitterMs + catchupMs;
}

function timesOf(calendar: CalendarSpec, jitterMs: number): Openings {
  const length = calendarOpenMs(jitterMs);
  const opening = (from: number | undefined): Opening | undefined =>
    from === undefined ? undefined : { from, to: from + length };
  return {
    at: (instant) => {
      const current = opening(latestOccurrence(calendar, instant));
      return current !== undefined && current.to > instant
        ? current
        : opening(nextOccurrence(calendar, instant));
    },
  };
}
