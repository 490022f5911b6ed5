/** Schedules from so few parts that two of them are often the same, or nearly. */
import * as fc from 'fast-check';

import type { CalendarSpec, RhythmSpec, ScheduleSpec, WindowSpec } from '../../../domain/schedule.js';
import { allDates, allMonths, weekdays } from '../../../domain/schedule.js';

const hour = 3_600_000;

const times = fc.record({ hour: fc.constantFrom(1, 11, 23), minute: fc.constantFrom(0, 1) });
const zones = fc.constantFrom('UTC', 'Europe/Berlin');
const days = fc.constantFrom<CalendarSpec['days'][]>(
  weekdays,
  ['mon'],
  ['mon', 'tue'],
  ['mon', 'wed'],
  ['mon', 'tue', 'wed'],
  ['mon', 'tue', 'wed', 'sun'],
);
const windows: fc.Arbitrary<WindowSpec> = fc.record({ days, from: times, to: times, zone: zones });
const calendars: fc.Arbitrary<CalendarSpec> = fc.record({
  months: fc.constantFrom(allMonths, [1], [1, 2], [1, 2, 3], [1, 12], [11, 12]),
  dates: fc.constantFrom(allDates, [1], [1, 2], [1, 2, 3], [12], [11, 12]),
  days,
  at: times,
  zone: zones,
});
const everyMs = fc.constantFrom(hour, 24 * hour, 25 * hour);
const rhythm: fc.Arbitrary<RhythmSpec> = fc.oneof(
  fc.record({ type: fc.constant('every' as const), everyMs }),
  fc.record({ type: fc.constant('every' as const), everyMs, window: windows }),
  fc.record({ type: fc.constant('calendar' as const), calendar: calendars }),
);

export const rhythms: fc.Arbitrary<Pick<ScheduleSpec, 'rhythm' | 'jitterMs'>> = fc.record({
  rhythm,
  jitterMs: fc.constantFrom(0, 1, 600_000),
});

export const schedules: fc.Arbitrary<ScheduleSpec> = fc
  .record({
    name: fc.constantFrom('monthly', 'quarterly'),
    environment: fc.constantFrom('prod', 'test'),
    secrets: fc.subarray(['api-key', 'db', 'tls'], { minLength: 1 }),
    times: rhythms,
    reason: fc.constantFrom(undefined, 'policy', 'audit'),
  })
  .map(({ times: when, reason, ...named }) => ({
    ...named,
    ...when,
    ...(reason === undefined ? {} : { reason }),
  }));
