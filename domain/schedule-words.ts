/** A declared schedule in the words of a person: for lists, and for the difference before it is applied. */
import { formatDuration } from './duration.js';
import {
  allDates,
  allMonths,
  weekdays,
  type CalendarSpec,
  type ScheduleSpec,
  type TimeOfDay,
  type WindowSpec,
} from './schedule.js';

/** e.g. `every 90d, mon-thu 01:00-05:00 Europe/Berlin`. */
export function rhythmWords({ rhythm, jitterMs }: Pick<ScheduleSpec, 'rhythm' | 'jitterMs'>): string {
  const jitter = jitterMs === 0 ? '' : `, spread over ${formatDuration(jitterMs)}`;
  if (rhythm.type === 'calendar') return `${calendarWords(rhythm.calendar)}${jitter}`;
  const window = rhythm.window === undefined ? '' : `, ${windowWords(rhythm.window)}`;
  return `every ${formatDuration(rhythm.everyMs)}${window}${jitter}`;
}

function windowWords({ days, from, to, zone }: WindowSpec): string {
  return `${runs(days, weekdays)} ${clock(from)}-${clock(to)} ${zone}`;
}

function calendarWords({ months, dates, days, at, zone }: CalendarSpec): string {
  const parts = [
    days.length === weekdays.length ? '' : runs(days, weekdays),
    dates.length === allDates.length ? '' : `day ${runs(dates, allDates)}`,
    months.length === allMonths.length ? '' : `of month ${runs(months, allMonths)}`,
  ].filter((part) => part !== '');
  return `${parts.length === 0 ? 'daily' : parts.join(' ')} at ${clock(at)} ${zone}`;
}

function clock({ hour, minute }: TimeOfDay): string {
  return `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`;
}

/** `mon-thu, sat`: neighbours are drawn together. Both in the same order. */
function runs<T>(chosen: readonly T[], all: readonly T[]): string {
  const groups: T[][] = [];
  for (const [i, each] of all.entries()) {
    if (!chosen.includes(each)) continue;
    const last = groups.at(-1);
    if (last !== undefined && i > 0 && last.at(-1) === all[i - 1]) last.push(each);
    else groups.push([each]);
  }
  return groups
    .map((group) => (group.length < 3 ? group.join(', ') : `${String(group[0])}-${String(group.at(-1))}`))
    .join(', ');
}
