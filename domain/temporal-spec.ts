/**
 * When Temporal wakes to look whether something is due, as plain data, in the words of Temporal's own `ScheduleSpec`.
 * A look that finds nothing due does nothing, so there may be more of them than are needed, and must not be fewer.
 *
 * Temporal matches the literal wall clock: a time that the clock skips is not woken at, one that comes twice is at
 * the second, or at both. So a window that lies within an hour which comes twice may be missed.
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
  minuteOfDay,
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
const minuteMs = 60_000;

/** Minutes that clocks are put forward by in one night, at most (Antarctica/Troll). */
const longestGap = 120;

/**
 * The looks of a schedule: hourly; with a window, when it opens and then hourly while it is open, more often where it is
 * short; with a calendar, at its times and once more after that.
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
  const opens = minuteOfDay(window.from);
  const looks = [0, ...laterLooks(opens, windowMinutes(window), Math.ceil(jitterMs / minuteMs))].map(
    (later) => opens + later,
  );
  return [...new Set(looks.map((look) => look % 60))].flatMap((minute) =>
    splitDays(
      looks.filter((look) => look % 60 === minute).map((look) => (look - minute) / 60),
      (nextDay) =>
        dayFields({
          months: allMonths,
          dates: allDates,
          days: nextDay ? window.days.map(dayAfter) : window.days,
        }),
      minute,
    ),
  );
}

/**
 * Looks after that at which a window opens, in minutes from then: hourly from when the jitter is over. Where the clock
 * skips the first look, a later one must be in what is left of the window, jitter included. So a short window is looked
 * at whenever a gap may end, which is at a full or half hour; and where a gap of an hour may leave fewer than two looks,
 * there is one in the last minute, as it cuts the jitter of the one before it.
 * @param opens minute of the day
 * @param length of the window, in minutes
 * @param jitter in minutes, less than `length`
 */
function laterLooks(opens: number, length: number, jitter: number): number[] {
  const upTo = (step: number, first: number): number[] => {
    const found: number[] = [];
    for (let later = first; later < length; later += step) found.push(later);
    return found;
  };
  const looks = new Set(upTo(60, Math.max(60, Math.ceil(jitter / 60) * 60)));
  if (length <= longestGap)
    for (const later of upTo(30, 30 - (opens % 30))) if (later >= jitter) looks.add(later);
  const last = length - 1;
  if (jitter > 0 && jitter < last && [...looks].filter((later) => later >= 60).length < 2) {
    if (![...looks].some((later) => later < last)) looks.add(jitter);
    looks.add(last);
  }
  return [...looks].toSorted((a, b) => a - b);
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
    // Temporal takes no hours for midnight.
    ...(same.length === 0 ? [] : [{ ...fieldsOf(false), hour: same, minute }]),
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
