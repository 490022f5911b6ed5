/** Which secrets are meant by a tag, an environment or by what is due, and the batches that they make. */
import { batchesOf, comesAfter } from '../domain/batches.js';
import { asRotateError, RotateError } from '../domain/failure.js';
import type { DigestedPlan } from '../domain/plan.js';
import type { ConfigSpec, SecretSpec } from '../domain/spec.js';
import type { Plans, PlansRequest, Unplanned } from './api.js';
import { beating } from './common.js';
import { dueSecrets } from './due-secrets.js';
import { mainSnapshot, mixable, planAt } from './plan.js';
import type { Pulse, Services, Snapshot } from './ports.js';

/** The plans of all batches, in the order in which they are to be carried out. */
export async function makePlans(services: Services, request: PlansRequest): Promise<Plans> {
  return beating(async (pulse) => {
    const snapshot = await mainSnapshot(services, pulse);
    const { environment, tags, due } = request;
    const chosen = snapshot.config.secrets
      .filter((s) => environment === undefined || s.environment === environment)
      .filter((s) => tags === undefined || s.tags.some((tag) => tags.includes(tag)));
    if (chosen.length === 0) throw nothingMeant(snapshot.config, request);
    const { secrets, leftOut } =
      due === true ? await dueSecrets(services, snapshot, chosen, pulse) : { secrets: chosen, leftOut: [] };
    return { plans: await planBatches(services, snapshot, secrets, pulse), leftOut };
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

/**
 * As {@link planBatches}, without those that cannot be planned and those that come after them: one mistake must not
 * hold up all that a schedule rotates.
 */
export async function planWhatCan(
  services: Services,
  snapshot: Snapshot,
  secrets: readonly SecretSpec[],
  pulse: Pulse,
): Promise<{ plans: DigestedPlan[]; unplanned: Unplanned[] }> {
  try {
    return { plans: await planBatches(services, snapshot, secrets, pulse), unplanned: [] };
  } catch (error) {
    if (asRotateError(error) === undefined) throw error;
  }
  const unplanned: Unplanned[] = [];
  for (const secret of secrets) {
    try {
      await planAt(services, snapshot, [secret], pulse);
    } catch (error) {
      const known = asRotateError(error);
      if (known === undefined) throw error;
      unplanned.push({ secret: secret.name, reason: known.message });
    }
  }
  const all = snapshot.config.secrets;
  const failed = secrets.filter((s) => unplanned.some(({ secret }) => secret === s.name));
  const rest: SecretSpec[] = [];
  for (const secret of secrets.filter((s) => !failed.includes(s))) {
    const before = failed.find((other) => comesAfter(all, secret, other));
    if (before === undefined) rest.push(secret);
    else unplanned.push({ secret: secret.name, reason: `it comes after ${before.name}` });
  }
  return { plans: await planBatches(services, snapshot, rest, pulse), unplanned };
}

function nothingMeant(config: ConfigSpec, { environment, tags }: PlansRequest): RotateError {
  const environments = config.environments.map(({ name }) => name).toSorted();
  if (environment !== undefined && !environments.includes(environment))
    return new RotateError('UnknownSecret', `unknown environment \`${environment}\``, {
      hint: `environments: ${environments.join(', ') || 'none is declared'}`,
    });
  const where = environment === undefined ? '' : ` of \`${environment}\``;
  if (tags === undefined)
    return new RotateError('UnknownSecret', `there is no secret${where}`, {
      hint: 'declare one under `secrets` in rotate.yaml',
    });
  const known = [...new Set(config.secrets.flatMap((s) => s.tags))].toSorted();
  return new RotateError(
    'UnknownSecret',
    `no secret${where} has ${tags.length > 1 ? 'one of the tags' : 'the tag'} ${tags.join(', ')}`,
    { hint: `tags: ${known.join(', ') || 'none is used'}` },
  );
}
