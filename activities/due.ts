/** What schedules and age limits ask for now, with what is known of each secret. Looks only. */
import { ageOf } from '../domain/age.js';
import { placesBefore } from '../domain/batches.js';
import { dueNow, whyClosed } from '../domain/due.js';
import { makeNotification, notificationId, type Notification } from '../domain/notification.js';
import type { ScheduleSpec } from '../domain/schedule.js';
import { type ConfigSpec, formatSecretRef, type SecretSpec } from '../domain/spec.js';
import { lastSuccess } from '../domain/facts.js';
import type { Assessment, DueActivities } from './api.js';
import { beating, inParallel, kindOf } from './common.js';
import { factsOf, lookUps } from './known.js';
import { mainSnapshot } from './plan.js';
import type { Pulse, Services } from './ports.js';
import { planWhatCan } from './select.js';

export function dueActivities(services: Services): DueActivities {
  return {
    assess: ({ environment, schedule, since }) =>
      beating(async (pulse) => assess(services, environment, schedule, since, pulse)),

    mayStart: ({ environment, schedule: name }) =>
      beating(async (pulse) => {
        const { config } = await mainSnapshot(services, pulse);
        const schedule = findSchedule(config, environment, name);
        if (schedule === undefined) return { closed: 'main does not declare the schedule any more' };
        const closed = whyClosed(schedule, config.freezes, new Date().toISOString());
        return closed === undefined ? {} : { closed };
      }),

    async stateOf({ rotation }) {
      const state = await services.claims.stateOf(rotation);
      return state === undefined ? {} : { state };
    },

    findOld: ({ environment }) =>
      beating(async (pulse) => {
        const snapshot = await mainSnapshot(services, pulse);
        const records = await services.repo.records(environment, pulse.signal);
        const now = new Date().toISOString();
        const secrets = snapshot.config.secrets.filter((s) => s.environment === environment);
        return {
          notices: secrets.flatMap((secret) => ageNotice(secret, lastSuccess(records, secret.name), now)),
        };
      }),
  };
}

async function assess(
  services: Services,
  environment: string,
  name: string,
  since: string | undefined,
  pulse: Pulse,
): Promise<Assessment> {
  const snapshot = await mainSnapshot(services, pulse);
  const { config } = snapshot;
  const schedule = findSchedule(config, environment, name);
  if (schedule === undefined) return { declared: false, batches: [], people: [], unplanned: [] };
  const secrets = config.secrets.filter(
    (s) => s.environment === environment && schedule.secrets.includes(s.name),
  );
  const records = await services.repo.records(environment, pulse.signal);
  const facts = await inParallel(lookUps, secrets, (secret) => factsOf(services, config, secret, records));
  const verdict = dueNow({
    schedule,
    freezes: config.freezes,
    secrets: facts,
    now: new Date().toISOString(),
    ...(since === undefined ? {} : { since }),
  });
  const start = secrets.filter((s) => verdict.start.includes(s.name));
  const people = start.filter((s) => kindOf(services, s).source === 'person');
  const { plans, unplanned } = await planWhatCan(
    services,
    snapshot,
    start.filter((s) => !people.includes(s)),
    pulse,
  );
  return {
    declared: true,
    verdict,
    batches: plans,
    comesAfter: placesBefore(
      plans.map(({ plan }) => plan.secrets),
      config.secrets,
    ),
    people: people.map((s) => s.name),
    unplanned,
    ...(schedule.reason === undefined ? {} : { why: schedule.reason }),
  };
}

function findSchedule(
  { schedules }: Pick<ConfigSpec, 'schedules'>,
  environment: string,
  name: string,
): ScheduleSpec | undefined {
  return schedules.find((s) => s.environment === environment && s.name === name);
}

/** Told once when it comes near, and once when it is over. */
function ageNotice(secret: SecretSpec, success: string | undefined, now: string): Notification[] {
  const age = ageOf(secret, success, now);
  if (age === undefined || age.state === 'ok') return [];
  const name = formatSecretRef(secret);
  const text =
    age.state === 'never'
      ? `${name} has an age limit and was never rotated`
      : age.state === 'overdue'
        ? `${name} is ${age.daysOver} days past its age limit, since ${age.dueAt}`
        : `${name} reaches its age limit in ${age.daysLeft} days, at ${age.dueAt}`;
  return [
    makeNotification({
      id: notificationId('age', secret.environment, secret.name, age.state, 'dueAt' in age ? age.dueAt : ''),
      event: 'due-soon',
      at: now,
      environment: secret.environment,
      secrets: [secret.name],
      text,
    }),
  ];
}
