/** What is due now, for a person who asks for all of it. */
import { ageOf } from '../domain/age.js';
import { dueNow } from '../domain/due.js';
import type { SecretSpec } from '../domain/spec.js';
import { inParallel } from './common.js';
import { factsOf, lastSuccess, lookUps } from './known.js';
import type { Pulse, Services, Snapshot } from './ports.js';

/** All that a schedule or an age limit asks to be rotated, whatever window or freeze there is: a person decides. */
export async function dueSecrets(
  services: Services,
  snapshot: Snapshot,
  pulse: Pulse,
): Promise<SecretSpec[]> {
  const { config } = snapshot;
  const now = new Date().toISOString();
  const due = new Set<SecretSpec>();
  for (const { name: environment } of config.environments) {
    const secrets = config.secrets.filter((s) => s.environment === environment);
    const records = await services.repo.records(environment, pulse.signal);
    for (const secret of secrets) {
      const age = ageOf(secret, lastSuccess(records, secret), now);
      if (age !== undefined && age.state !== 'ok') due.add(secret);
    }
    for (const schedule of config.schedules.filter((s) => s.environment === environment)) {
      const members = secrets.filter((s) => schedule.secrets.includes(s.name));
      const facts = await inParallel(lookUps, members, (s) => factsOf(services, s, records));
      const verdict = dueNow({ schedule, freezes: [], secrets: facts, now });
      for (const secret of members) {
        const state = verdict.secrets.find((s) => s.name === secret.name)?.state;
        if (state === 'due' || state === 'put-off') due.add(secret);
      }
    }
  }
  return [...due];
}
