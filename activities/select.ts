/** Which secrets are meant by a tag, an environment or by what is due, and the batches that they make. */
import { batchesOf, type Mixable, type Ordered } from '../domain/batches.js';
import { RotateError } from '../domain/failure.js';
import type { DigestedPlan } from '../domain/plan.js';
import type { ConfigSpec, SecretSpec } from '../domain/spec.js';
import type { PlansRequest } from './api.js';
import { beating, kindOf } from './common.js';
import { dueSecrets } from './due-secrets.js';
import { mainSnapshot, planAt } from './plan.js';
import type { Pulse, Services, Snapshot } from './ports.js';

/** The plans of all batches, in the order in which they are to be carried out. */
export async function makePlans(services: Services, request: PlansRequest): Promise<DigestedPlan[]> {
  return beating(async (pulse) => {
    const snapshot = await mainSnapshot(services, pulse);
    const { environment, tags, due } = request;
    const chosen = (due === true ? await dueSecrets(services, snapshot, pulse) : snapshot.config.secrets)
      .filter((s) => environment === undefined || s.environment === environment)
      .filter((s) => tags === undefined || s.tags.some((tag) => tags.includes(tag)));
    if (chosen.length === 0 && due !== true) throw nothingMeant(snapshot.config, request);
    return planBatches(services, snapshot, chosen, pulse);
  });
}

/** Batches in the order that `after` asks for, each with its plan. */
export async function planBatches(
  services: Services,
  snapshot: Snapshot,
  secrets: readonly SecretSpec[],
  pulse: Pulse,
): Promise<DigestedPlan[]> {
  const members = secrets.map((secret) => ({ ...mixable(services, secret), secret }));
  const [sealTo] = services.sealer.recipients;
  const plans: DigestedPlan[] = [];
  for (const batch of batchesOf(members, snapshot.config.secrets)) {
    const planned = await planAt(
      services,
      snapshot,
      batch.map(({ secret }) => secret),
      pulse,
    );
    plans.push(sealTo === undefined ? planned : { ...planned, sealTo });
  }
  return plans;
}

function mixable(services: Services, secret: SecretSpec): Mixable & Ordered {
  const kind = kindOf(services, secret);
  const retirement = kind.retirement(secret.settings);
  return {
    environment: secret.environment,
    name: secret.name,
    after: secret.after,
    policy: secret.policy.name,
    overlap: kind.overlap(secret.settings),
    retire: retirement.by,
    ...(retirement.by === 'deploy' ? { keepOldMs: retirement.keepOldMs } : {}),
  };
}

function nothingMeant(config: ConfigSpec, { environment, tags }: PlansRequest): RotateError {
  const where = environment === undefined ? '' : ` of \`${environment}\``;
  if (tags === undefined) return new RotateError('UnknownSecret', `there is no secret${where}`);
  const known = [...new Set(config.secrets.flatMap((s) => s.tags))].sort();
  return new RotateError(
    'UnknownSecret',
    `no secret${where} has ${tags.length > 1 ? 'one of the tags' : 'the tag'} ${tags.join(', ')}`,
    { hint: `tags are: ${known.join(', ') || 'none'}` },
  );
}
