/** The keys of `schedules` and `freezes` in `rotate.yaml`, and what their values mean; as rotate-shapes.ts for the rest. */
import { z } from 'zod';
import { type CivilDay, parseCivilDay } from '../domain/civil-day.js';
import { type TimeOfDay, type Weekday, weekdays } from '../domain/schedule.js';
import { durationSchema, lineSchema, nameSchema } from './scalars.js';
import { zoneSchema } from './zones.js';

const longestMs = 3_650 * 86_400_000;

/** Between an hour and ten years, in milliseconds: what `every` and `maxAge` may be. */
export function ageSchema() {
  return durationSchema(3_600_000, '1h').refine((ms) => ms <= longestMs, { error: 'must be at most 3650d' });
}

function timeSchema(pattern: RegExp, example: string) {
  return z
    .string()
    .regex(pattern, { error: `must be a time of day such as \`"${example}"\`` })
    .transform((text): TimeOfDay => {
      const [hour, minute] = text.split(':').map(Number);
      return { hour: hour ?? 0, minute: minute ?? 0 };
    });
}

const timeOfDay = timeSchema(/^([01]\d|2[0-3]):[0-5]\d$/, '02:30');
/** The end of something may be the end of the day. */
const endOfDay = timeSchema(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/, '05:00');

/** A list of numbers in a range, rising, each once. */
function numbers(max: number, what: string) {
  const error = { error: `must be a ${what}, 1 to ${max}` };
  return z
    .array(z.int(error).min(1, error).max(max, error))
    .min(1)
    .transform((list) => [...new Set(list)].toSorted((a, b) => a - b));
}

const dayList = z
  .array(z.enum(weekdays))
  .min(1)
  .transform((list): Weekday[] => weekdays.filter((day) => list.includes(day)));

export const windowShape = {
  days: dayList.optional().describe('Days of the week on which it opens. Default: every day.'),
  from: timeOfDay.describe('When it opens.'),
  to: endOfDay.describe(
    'When it closes; on the day after, where this is not later than `from`. "24:00" is the end of the day.',
  ),
  zone: zoneSchema.describe('Time zone of these times, an IANA name such as `Europe/Berlin`.'),
};

export const calendarShape = {
  months: numbers(12, 'month').optional().describe('Numbers of months. Default: every month.'),
  dates: numbers(31, 'day of the month')
    .optional()
    .describe('Days of the month; a month without that day is left out. Default: every day.'),
  days: dayList.optional().describe('Days of the week; with `dates`, both must be so. Default: every day.'),
  at: timeOfDay.describe('The time of day.'),
  zone: zoneSchema.describe('Time zone of this time, an IANA name such as `Europe/Berlin`.'),
};

export const scheduleShape = {
  environment: nameSchema.describe('The environment whose secrets it rotates.'),
  secrets: z
    .array(nameSchema)
    .min(1)
    .optional()
    .describe('Names of secrets. Default: all of the environment, unless there are `tags`.'),
  tags: z.array(nameSchema).min(1).optional().describe('Secrets with one of these tags, beside those named.'),
  every: ageSchema().optional().describe('A secret is due when so long has passed since its last success.'),
  jitter: durationSchema()
    .prefault('0')
    .describe('The start is put off by a random time up to this, so that not all start at once.'),
  reason: lineSchema.optional().describe('Kept in the record of each rotation.'),
};

/** A day, or an instant in milliseconds since the epoch. */
export type Bound = { day: CivilDay } | { instant: number };

const boundPattern =
  /^(\d{4}-\d{2}-\d{2})(T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,3})?(Z|[+-]\d{2}:\d{2}))?$/;

const boundSchema = z
  .string()
  .transform((text, context): Bound => {
    const [, date = '', time] = boundPattern.exec(text) ?? [];
    const day = parseCivilDay(date);
    const bound = time === undefined ? { day: day ?? Number.NaN } : { instant: Date.parse(text) };
    if (day === undefined || Object.values(bound).some(Number.isNaN)) {
      context.addIssue({
        code: 'custom',
        message: 'must be a date such as `2026-12-20`, or a time such as `2026-12-20T18:00:00+01:00`',
      });
    }
    return bound;
  })
  .meta({ pattern: boundPattern.source });

export const freezeShape = {
  from: boundSchema.describe('The first day, or the time at which it begins.'),
  to: boundSchema.describe('The last day, which belongs to it, or the time at which it ends.'),
  zone: zoneSchema.optional().describe('Time zone of the days; needed for days, refused for times.'),
  environments: z.array(nameSchema).min(1).optional().describe('Default: all environments.'),
  reason: lineSchema.optional().describe('Why; told to those who wait.'),
};
