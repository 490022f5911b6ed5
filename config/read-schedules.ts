/** Reads `schedules` of `rotate.yaml`: which secrets they rotate, and when. */
import { comesRound } from '../domain/calendar.js';
import {
  type CalendarSpec,
  type RhythmSpec,
  type ScheduleSpec,
  type WindowSpec,
  allDates,
  allMonths,
  minuteOfDay,
  weekdays,
} from '../domain/schedule.js';
import { windowMinutes } from '../domain/window.js';
import type { Fields, Reader } from './fields.js';
import { nearest, unknownMessage } from './nearest.js';
import type { KeyPath } from './problem.js';
import { checkName, declareHint } from './read-fleet.js';
import { calendarShape, scheduleShape, windowShape } from './schedule-shapes.js';
import { readScheduledSecrets } from './scheduled-secrets.js';

const hourMs = 3_600_000;

/** @param environments names of all */
export function readSchedules(reader: Reader, environments: readonly string[]): ScheduleSpec[] {
  return reader
    .keys(['schedules'])
    .map((name) => readSchedule(reader, name, environments))
    .filter((schedule) => schedule !== undefined);
}

function readSchedule(
  reader: Reader,
  name: string,
  environments: readonly string[],
): ScheduleSpec | undefined {
  const path = ['schedules', name];
  checkName(reader, path);
  const fields = reader.fields(scheduleShape, path, ['window', 'calendar']);
  const { environment, jitter: jitterMs, reason } = fields;
  const window = readWindow(reader, [...path, 'window']);
  const calendar = readCalendar(reader, [...path, 'calendar']);
  checkKeys(reader, path);
  const rhythm = rhythmOf(fields, window, calendar);
  // a window with a mistake is not the same as none
  const windowRead = window !== undefined || reader.raw([...path, 'window']) === undefined;
  if (rhythm !== undefined && jitterMs !== undefined && windowRead)
    checkJitter(reader, path, rhythm, jitterMs);
  if (environment !== undefined && !environments.includes(environment)) {
    reader.problem([...path, 'environment'], unknownMessage('environment', environment, environments), {
      hint: declareHint('environment', environments),
    });
    return undefined;
  }
  const secrets =
    environment === undefined ? undefined : readScheduledSecrets(reader, path, environment, fields);
  if (environment === undefined || secrets === undefined || rhythm === undefined || jitterMs === undefined)
    return undefined;
  return { name, environment, secrets, rhythm, jitterMs, ...(reason === undefined ? {} : { reason }) };
}

/** Exactly one of `every` and `calendar`; and a calendar has no window. */
function checkKeys(reader: Reader, path: KeyPath): void {
  const has = (key: string): boolean => reader.raw([...path, key]) !== undefined;
  // a misspelt one is told as that
  const meant = reader.keys(path).some((key) => nearest(key, ['every', 'calendar']).length > 0);
  if (!meant) {
    reader.problem(path, 'says neither `every` nor `calendar`', {
      at: 'key',
      hint: 'add `every: 90d`, or a `calendar`',
    });
  }
  if (has('calendar') && has('every')) {
    reader.problem([...path, 'calendar'], '`calendar` and `every` exclude each other', {
      at: 'key',
      hint: 'remove one of them',
    });
  }
  if (has('calendar') && has('window')) {
    reader.problem([...path, 'window'], 'a `calendar` has no window: it says the time itself', {
      at: 'key',
      hint: 'remove `window`, or use `every` instead of `calendar`',
    });
  }
}

function readWindow(reader: Reader, path: KeyPath): WindowSpec | undefined {
  if (reader.raw(path) === undefined) return undefined;
  const { days = weekdays, from, to, zone } = reader.fields(windowShape, path);
  if (from !== undefined && to !== undefined && minuteOfDay(from) === minuteOfDay(to)) {
    reader.problem([...path, 'to'], 'the window closes as it opens', {
      hint: 'for whole days, from "00:00" to "24:00"',
    });
  }
  return from === undefined || to === undefined || zone === undefined ? undefined : { days, from, to, zone };
}

function readCalendar(reader: Reader, path: KeyPath): CalendarSpec | undefined {
  if (reader.raw(path) === undefined) return undefined;
  const {
    months = allMonths,
    dates = allDates,
    days = weekdays,
    at,
    zone,
  } = reader.fields(calendarShape, path);
  if (at === undefined || zone === undefined) return undefined;
  const calendar: CalendarSpec = { months, dates, days, at, zone };
  const comes = comesRound(calendar);
  if (comes !== 'always') {
    const never = comes === 'never';
    reader.problem(path, never ? 'there is no such day' : 'five years and more may pass without such a day', {
      at: 'key',
      hint: `name ${never ? 'dates that the months have' : 'more days, dates or months'}`,
    });
  }
  return calendar;
}

function rhythmOf(
  { every }: Fields<typeof scheduleShape>,
  window: WindowSpec | undefined,
  calendar: CalendarSpec | undefined,
): RhythmSpec | undefined {
  if (calendar !== undefined) return { type: 'calendar', calendar };
  if (every === undefined) return undefined;
  return { type: 'every', everyMs: every, ...(window === undefined ? {} : { window }) };
}

/** How long a start can be put off: less than the window; an hour, where it is looked at hourly; hours, not days, from a time. */
function checkJitter(reader: Reader, path: KeyPath, rhythm: RhythmSpec, jitterMs: number): void {
  const problem = (message: string, hint: string): void =>
    reader.problem([...path, 'jitter'], message, { hint });
  if (rhythm.type === 'calendar') {
    if (jitterMs > 6 * hourMs)
      problem('must be at most 6h with a calendar', 'use `every` with a longer `window`');
  } else if (rhythm.window === undefined) {
    if (jitterMs > hourMs)
      problem(
        'must be at most 1h without a window, as what is due is looked for every hour',
        'shorten it, or add a `window`',
      );
  } else if (jitterMs >= windowMinutes(rhythm.window) * 60_000) {
    problem(
      'must be shorter than the window: what is put off beyond it would not start',
      'shorten it, or widen the window',
    );
  }
}
