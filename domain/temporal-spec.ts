/**
 * When Temporal wakes to look whether something is due, as plain data, in the words of Temporal's own `ScheduleSpec`.
 * A look that finds nothing due does nothing, so there may be more of them than are needed, and must not be fewer.
 *
 * Temporal matches the literal wall clock: a time that the clock skips is not woken at, one that comes twice is at
 * the second, or at both.
 * It also cuts jitter at the next look, which is why none follows within the jitter of the first. The definition of
 * a zone is Temporal's own.
 */
import { catchupMs, secondLookHours } from './openings.js';
import {
  type CalendarSpec,
  type ScheduleSpec,
  type Weekday,
  type WindowSpec,
  allDates,
  allMonths,
  weekdays,
} from './schedule.js';
import { windowMinutes } from './window.js';

const monthNames = [
  'JANUARY',
  'FEBRUARY',
  'MARCH',
  'APRIL',
  'MAY',
  'JUNE',
  'JULY',
  'AUGUST',
  'SEPTEMBER',
  'OCTOBER',
  'NOVEMBER',
  'DECEMBER',
] as const;

const dayNames = {
  mon: 'MONDAY',
  tue: 'TUESDAY',
  wed: 'WEDNESDAY',
  thu: 'THURSDAY',
  fri: 'FRIDAY',
  sat: 'SATURDAY',
  sun: 'SUNDAY',
} as const satisfies Record<Weekday, string>;

/** A field that is absent matches all; a time matches when every field does. */
export interface TemporalCalendar {
  month?: (typeof monthNames)[number][];
  dayOfMonth?: number[];
  dayOfWeek?: (typeof dayNames)[Weekday][];
  /** Rising. */
  hour: number[];
  minute: number;
}

export interface TemporalSpec {
  calendars?: TemporalCalendar[];
  intervalMs?: number;
  /** Of the intervals, from the epoch. */
  offsetMs?: number;
  /** Of the calendars. */
  zone: string;
  jitterMs: number;
  catchupWindowMs: number;
}

const hourMs = 3_600_000;

/**
 * The looks of a schedule: hourly; with a window, when it opens and then hourly while it is open; with a calendar,
 * at its times and once more after that.
 */
export function temporalSpec({ rhythm, jitterMs }: ScheduleSpec): TemporalSpec {
  const common = { jitterMs, catchupWindowMs: catchupMs };
  if (rhythm.type === 'calendar') {
    const { calendar } = rhythm;
    return { calendars: calendarLooks(calendar, jitterMs), zone: calendar.zone, ...common };
  }
  const { window } = rhythm;
  if (window === undefined) return { intervalMs: hourMs, offsetMs: 0, zone: 'UTC', ...common };
  return { calendars: windowLooks(window, jitterMs), zone: window.zone, ...common };
}

function windowLooks(window: WindowSpec, jitterMs: number): TemporalCalendar[] {
  const hours = [0];
  for (let later = Math.max(1, Math.ceil(jitterMs / hourMs)); later * 60 < windowMinutes(window); later++)
    hours.push(later);
  const { hour, minute } = window.from;
  return splitDays(
    hours.map((later) => hour + later),
    (nextDay) =>
      dayFields({
        months: allMonths,
        dates: allDates,
        days: nextDay ? window.days.map(dayAfter) : window.days,
      }),
    minute,
  );
}

function calendarLooks(calendar: CalendarSpec, jitterMs: number): TemporalCalendar[] {
  const { hour, minute } = calendar.at;
  return splitDays(
    [hour, hour + secondLookHours(jitterMs)],
    (nextDay) => dayFields(nextDay ? daysAfter(calendar) : calendar),
    minute,
  );
}

/** Hours from 24 on are of the next day. */
function splitDays(
  hours: readonly number[],
  fieldsOf: (nextDay: boolean) => Omit<TemporalCalendar, 'hour' | 'minute'>,
  minute: number,
): TemporalCalendar[] {
  const same = hours.filter((hour) => hour < 24);
  const next = hours.filter((hour) => hour >= 24).map((hour) => hour - 24);
  return [
    { ...fieldsOf(false), hour: same, minute },
    ...(next.length === 0 ? [] : [{ ...fieldsOf(true), hour: next, minute }]),
  ];
}

type Days = Pick<CalendarSpec, 'months' | 'dates' | 'days'>;

function dayFields({ months, dates, days }: Days): Omit<TemporalCalendar, 'hour' | 'minute'> {
  const month = monthNames.filter((_name, i) => months.includes(i + 1));
  const dayOfWeek = weekdays.filter((day) => days.includes(day)).map((day) => dayNames[day]);
  return {
    ...(month.length === allMonths.length ? {} : { month }),
    ...(dates.length === allDates.length ? {} : { dayOfMonth: [...dates] }),
    ...(dayOfWeek.length === weekdays.length ? {} : { dayOfWeek }),
  };
}

function dayAfter(day: Weekday): Weekday {
  return weekdays[(weekdays.indexOf(day) + 1) % 7] ?? day;
}

/** Fields that match at least the days after those of a calendar: how long a month is, fields cannot say. */
function daysAfter({ months, dates, days }: CalendarSpec): Days {
  const mayEndMonth = dates.some((date) => date >= 28);
  const nextMonths = mayEndMonth ? months.map((month) => (month % 12) + 1) : [];
  return {
    months: allMonths.filter((month) => months.includes(month) || nextMonths.includes(month)),
    dates: allDates.filter((date) => (date === 1 ? mayEndMonth : dates.includes(date - 1))),
    days: days.map(dayAfter),
  };
}
