/** The plan: what a rotation would do, computed at one commit; changes nothing. */
import { createHash } from 'node:crypto';
import { RotateError } from '../domain/failure.js';
import type { DigestedPlan, Plan, PlannedHost, PlannedSecret } from '../domain/plan.js';
import { formatSecretRef, type SecretSpec } from '../domain/spec.js';
import { cutWaves } from '../domain/waves.js';
import type { PlanRequest } from './api.js';
import { beating, credentialAt, hostOf, kindOf, unitsOn } from './common.js';
import type { Pulse, Services, Snapshot } from './ports.js';

export async function makePlan(services: Services, request: PlanRequest): Promise<DigestedPlan> {
  return beating(async (pulse) => {
    await services.repo.fetch(pulse.signal);
    const main = await services.repo.mainBranch();
    const commit = await services.repo.tip(main);
    if (commit === undefined) {
      throw new RotateError('BadConfig', `the repo has no branch \`${main}\``, {
        hint: 'see repo.branch in rotate.yaml',
      });
    }
    const snapshot = await services.repo.at(commit, pulse.signal);
    const secrets = request.secrets.map((name) =>
      services.repo.resolveSecret(snapshot.config, name, request.environment),
    );
    return planAt(services, snapshot, secrets, pulse);
  });
}

/** @throws RotateError for what this version does not do, and for what rotate.yaml and the flake disagree about */
export async function planAt(
  services: Services,
  snapshot: Snapshot,
  secrets: readonly SecretSpec[],
  pulse: Pulse,
): Promise<DigestedPlan> {
  const [first, second] = secrets;
  if (first === undefined) throw new RotateError('Usage', 'no secret is named');
  if (second !== undefined) {
    throw new RotateError('Usage', 'rotating several secrets in one batch is not supported yet', {
      hint: 'rotate them one after the other',
    });
  }
  const { config, commit } = snapshot;
  const notes: string[] = [];
  const planned: PlannedSecret[] = [];
  for (const secret of secrets) planned.push(await planSecret(services, snapshot, secret));

  const holders = await findHolders(services, snapshot, first, pulse);
  const scope = { id: '', environment: first.environment, secrets: [first.name], base: commit };
  const { policy } = first;
  const waves: PlannedHost[][] = cutWaves(holders, policy.canary, policy.waves).map((names) =>
    names.map((name) => ({ name, units: unitsOn(config, scope, name) })),
  );
  if (holders.length === 0) throw new RotateError('BadConfig', `no host installs ${first.file}`);
  for (const host of waves.flat()) {
    if (host.units.length === 0)
      notes.push(`${host.name} installs the file, but no unit on it is named as a consumer`);
  }
  const missing = policy.canary.filter((h) => !holders.includes(h));
  if (missing.length > 0) notes.push(`canary ${missing.join(', ')} does not hold the secret and is left out`);

  const plan: Plan = {
    version: 1,
    environment: first.environment,
    commit,
    secrets: planned,
    waves,
    policy: {
      name: policy.name,
      parallel: policy.parallel,
      maxFailures: policy.maxFailures,
      stableMs: policy.stableMs,
      soakMs: policy.soakMs,
      proveAgainMs: policy.proveAgainMs,
      deadManMs: policy.deadManMs,
      budgets: policy.budgets,
    },
    notes,
  };
  return { plan, digest: digestOf(plan) };
}

async function planSecret(
  services: Services,
  snapshot: Snapshot,
  secret: SecretSpec,
): Promise<PlannedSecret> {
  const name = formatSecretRef(secret);
  const environment = snapshot.config.environments.find((e) => e.name === secret.environment);
  if (environment?.store === 'sops') {
    throw new RotateError('BadConfig', `${name}: the sops store is not supported yet`, {
      hint: 'keep it in an agenix file, or rotate it by hand until then',
    });
  }
  const kind = kindOf(services, secret);
  const overlap = kind.overlap(secret.settings);
  if (overlap === 'swap') {
    throw new RotateError('BadConfig', `${name}: rotating a single account in place is not supported yet`, {
      hint: 'give it two roles, so that old and new are valid at once; see docs/kinds/postgres.md',
    });
  }
  if (!secret.consumers.some((c) => c.hosts.length > 0)) {
    throw new RotateError(
      'BadConfig',
      `${name}: no consumer is named, so nothing could be proven from where it is used`,
      {
        hint: 'name the hosts and units that read it under `consumers`',
      },
    );
  }
  const recipients = await snapshot.recipients(secret);
  const current = await credentialAt(services, snapshot, secret);
  if (current.account === undefined && kind.needsAccount(secret.settings)) {
    throw new RotateError('BadFormat', `${name}: its file does not say which role is in use`, {
      hint: 'give `format` a template with {role}',
    });
  }
  return {
    environment: secret.environment,
    name: secret.name,
    kind: secret.kind,
    overlap,
    kill: kind.kill,
    file: secret.file,
    sharesFile: snapshot.config.secrets.some((s) => s !== secret && s.file === secret.file),
    recipients,
    ...(current.account === undefined ? {} : { account: current.account }),
    endpoints: [...kind.endpoints(secret.settings)],
    effects: kind.describe(secret.settings, current.account),
  };
}

/** Every host whose own configuration installs the file; sorted. */
async function findHolders(
  services: Services,
  snapshot: Snapshot,
  secret: SecretSpec,
  pulse: Pulse,
): Promise<string[]> {
  const { config } = snapshot;
  const named = new Set(secret.consumers.flatMap((c) => c.hosts));
  const holders: string[] = [];
  for (const host of config.hosts.filter((h) => h.environment === secret.environment || named.has(h.name))) {
    const evaluation = await services.fleet.evaluate(hostOf(config, host.name), snapshot, pulse);
    if (evaluation.secrets.some((s) => s.file === secret.file)) holders.push(host.name);
  }
  const wrong = [...named].filter((h) => !holders.includes(h));
  if (wrong.length > 0) {
    throw new RotateError(
      'BadConfig',
      `${formatSecretRef(secret)}: ${wrong.join(', ')} is named as a consumer, but its configuration does not install ${secret.file}`,
      { hint: 'is there an `age.secrets.<name>.file` for it in that host’s configuration?' },
    );
  }
  return holders.sort();
}

/** SHA-256 of the plan's canonical JSON (keys sorted), in hex. */
export function digestOf(plan: Plan): string {
  return createHash('sha256').update(canonical(plan)).digest('hex');
}

/** Whether two plans differ in nothing but the commit that they were computed at. */
export function samePlan(a: Plan, b: Plan): boolean {
  return canonical({ ...a, commit: '' }) === canonical({ ...b, commit: '' });
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, v: unknown) =>
    typeof v === 'object' && v !== null && !Array.isArray(v)
      ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1)))
      : v,
  );
}
