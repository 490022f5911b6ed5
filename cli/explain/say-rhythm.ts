/** When a schedule rotates, in words. */
import { formatDuration } from '../../domain/duration.js';
import {
  type CalendarSpec,
  type ScheduleSpec,
  type TimeOfDay,
  type WindowSpec,
  allDates,
  allMonths,
  weekdays,
} from '../../domain/schedule.js';
import { duration } from '../render/text.js';

const monthNames = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** `every 90 days, between 01:00 and 05:00 Europe/Berlin on mon, tue`; `on the 1st of jan, apr at 02:30 UTC`. */
export function sayRhythm({ rhythm, jitterMs }: Pick<ScheduleSpec, 'rhythm' | 'jitterMs'>): string {
  const when =
    rhythm.type === 'calendar'
      ? sayCalendar(rhythm.calendar)
      : [`every ${sayEvery(rhythm.everyMs)}`, ...(rhythm.window === undefined ? [] : [sayWindow(rhythm.window)])].join(
          ', ',
        );
  return jitterMs === 0 ? when : `${when}, put off by up to ${duration(jitterMs)}`;
}

/** In words only where they lose nothing. */
function sayEvery(ms: number): string {
  const day = 86_400_000;
  return ms % day === 0 || ms < 2 * day ? duration(ms) : formatDuration(ms);
}

function sayWindow({ days, from, to, zone }: WindowSpec): string {
  return `between ${sayTime(from)} and ${sayTime(to)} ${zone}${days.length === weekdays.length ? '' : ` on ${days.join(', ')}`}`;
}

function sayCalendar({ months, dates, days, at, zone }: CalendarSpec): string {
  const everyDate = dates.length === allDates.length;
  const everyDay = days.length === weekdays.length;
  const date = everyDate ? '' : `the ${dates.map(ordinal).join(', ')}`;
  const day = days.join(', ');
  const on = everyDate ? (everyDay ? 'every day' : `on ${day}`) : everyDay ? `on ${date}` : `on ${date} when it is ${day}`;
  const month =
    months.length === allMonths.length ? '' : ` of ${months.map((n) => monthNames[n - 1] ?? '').join(', ')}`;
  return `${on}${month} at ${sayTime(at)} ${zone}`;
}

function sayTime({ hour, minute }: TimeOfDay): string {
  return [hour, minute].map((part) => String(part).padStart(2, '0')).join(':');
}

function ordinal(n: number): string {
  const teen = n > 10 && n < 20;
  return `${n}${teen ? 'th' : (['th', 'st', 'nd', 'rd'][n % 10] ?? 'th')}`;
}
