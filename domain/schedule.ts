/**
 * Schedules and freezes as `rotate.yaml` declares them, resolved. Wall clock times keep their zone: what they
 * mean in instants is only known day by day (zoned-time.ts).
 */

/** As in `rotate.yaml`, Monday first. */
export const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Weekday = (typeof weekdays)[number];

export const allMonths: readonly number[] = Array.from({ length: 12 }, (_, i) => i + 1);
export const allDates: readonly number[] = Array.from({ length: 31 }, (_, i) => i + 1);

/** On a wall clock. Hour 24 (with minute 0) is the midnight that ends the day. */
export interface TimeOfDay {
  hour: number;
  minute: number;
}

/** Minutes from 00:00 on the clock's face. */
export function minuteOfDay(time: TimeOfDay): number {
  return time.hour * 60 + time.minute;
}

/** When a rotation may start. It may end later. */
export interface WindowSpec {
  /** Days on which it opens, in the order of the week; at least one. */
  days: readonly Weekday[];
  from: TimeOfDay;
  /** Not part of the window. Not later than `from`: on the day after. */
  to: TimeOfDay;
  /** IANA name. */
  zone: string;
}

/** Times of the year: those at `at` on days that are among the months, the dates and the days of the week alike. */
export interface CalendarSpec {
  /** 1 to 12, rising. */
  months: readonly number[];
  /** Days of the month, 1 to 31, rising; a month that is shorter has none of what it lacks. */
  dates: readonly number[];
  /** In the order of the week. */
  days: readonly Weekday[];
  at: TimeOfDay;
  /** IANA name. */
  zone: string;
}

/** What makes a secret due. */
export type RhythmSpec =
  /** so long after its last success, to be started in the window, where there is one */
  { type: 'every'; everyMs: number; window?: WindowSpec } | { type: 'calendar'; calendar: CalendarSpec };

export interface ScheduleSpec {
  name: string;
  environment: string;
  /** Names of secrets of the environment, tags expanded, sorted; at least one. */
  secrets: readonly string[];
  rhythm: RhythmSpec;
  /** The start is put off by a random time up to this. */
  jitterMs: number;
  /** Kept in the record of each rotation. */
  reason?: string;
}

/** The zone in which people are told its times. */
export function zoneOf(schedule: ScheduleSpec): string {
  const { rhythm } = schedule;
  return rhythm.type === 'calendar' ? rhythm.calendar.zone : (rhythm.window?.zone ?? 'UTC');
}

/** A time in which no schedule starts anything. */
export interface FreezeSpec {
  /** RFC 3339 in UTC. */
  from: string;
  /** RFC 3339 in UTC; the first instant after it. Later than `from`. */
  to: string;
  /** IANA name: in which people are told its times. */
  zone: string;
  environments: readonly string[];
  reason?: string;
}
