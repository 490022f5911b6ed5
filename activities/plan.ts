/** The plan: what a rotation would do, computed at one commit; changes nothing. */
import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { comesAfter, type Mixable, mixProblem, type Ordered } from '../domain/batches.js';
import { RotateError } from '../domain/failure.js';
import type { DigestedPlan, Plan, PlannedHost, PlannedSecret } from '../domain/plan.js';
import { type ConfigSpec, type SecretSpec, formatSecretRef } from '../domain/spec.js';
import { cutWaves } from '../domain/waves.js';
import type { PlanRequest } from './api.js';
import { beating, credentialAt, hostOf, inParallel, kindOf, sharesFile, unitsOn } from './common.js';
import type { Pulse, Services, Snapshot } from './ports.js';

export async function makePlan(services: Services, request: PlanRequest): Promise<DigestedPlan> {
  return beating(async (pulse) => {
    const snapshot = await mainSnapshot(services, pulse);
    const secrets = request.secrets.map((name) =>
      services.repo.resolveSecret(snapshot.config, name, request.environment),
    );
    const planned = await planAt(services, snapshot, secrets, pulse);
    const [sealTo] = services.sealer.recipients;
    return sealTo === undefined ? planned : { ...planned, sealTo };
  });
}

/** The main branch as the remote has it now. @throws RotateError BadConfig when there is none */
export async function mainSnapshot(services: Services, { signal }: Pulse): Promise<Snapshot> {
  await services.repo.fetch(signal);
  const main = await services.repo.mainBranch();
  const commit = await services.repo.tip(main);
  if (commit !== undefined) return services.repo.at(commit, signal);
  throw new RotateError('BadConfig', `the remote has no branch \`${main}\``, {
    hint: 'push it, or correct `repo.branch` in rotate.yaml',
  });
}

/** @throws RotateError for what cannot be one batch, and for what rotate.yaml and the flake disagree about */
export async function planAt(
  services: Services,
  snapshot: Snapshot,
  named: readonly SecretSpec[],
  pulse: Pulse,
): Promise<DigestedPlan> {
  const [first] = named;
  if (first === undefined)
    throw new RotateError('Usage', 'no secret is named', {
      hint: 'name one; `rotate list` shows them',
    });
  const { config, commit } = snapshot;
  const secrets = inOrder(named);
  // Both evaluate Nix, and neither needs the other.
  const finding = findHolders(services, snapshot, secrets, pulse);
  // Where a secret cannot be planned, that is told.
  finding.catch(() => {});
  const planned: PlannedSecret[] = [];
  for (const secret of secrets) planned.push(await planSecret(services, snapshot, secret));
  refuseMix(services, config, secrets);

  const { policy, environment } = first;
  const notes: string[] = [];
  const holders = await finding;
  const scope = { id: '', environment, secrets: secrets.map((s) => s.name), base: commit };
  const swap = planned.some((s) => s.overlap === 'swap');
  const cut = swap
    ? issuerHostsFirst(holders, issuerHosts(services, secrets))
    : cutWaves(holders, policy.canary, policy.waves);
  const waves: PlannedHost[][] = cut.map((names) =>
    names.map((name) => ({ name, units: unitsOn(config, scope, name) })),
  );
  for (const host of waves.flat()) {
    if (host.units.length === 0)
      notes.push(`${host.name} installs the file, but no unit on it is named as a consumer`);
  }
  const missing = policy.canary.filter((h) => !holders.includes(h));
  if (missing.length > 0) notes.push(`canary ${missing.join(', ')} does not hold the secret and is left out`);
  if (swap) notes.push(...swapNotes(planned, policy.maxFailures));

  const plan: Plan = {
    version: 1,
    environment,
    commit,
    secrets: planned,
    waves,
    policy: {
      name: policy.name,
      parallel: swap ? Math.max(policy.parallel, holders.length) : policy.parallel,
      maxFailures: swap ? 0 : policy.maxFailures,
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

/** By name, so that the order in which a batch was typed makes no other plan. */
function inOrder(secrets: readonly SecretSpec[]): SecretSpec[] {
  return [...new Set(secrets)].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** What decides which secrets go together. */
export function mixable(services: Services, secret: SecretSpec): Mixable & Ordered {
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
    pool: kind.pool?.(secret.settings),
  };
}

/** What a batch must not mix. @throws RotateError BadConfig naming two that do not go together, and why */
function refuseMix(services: Services, config: ConfigSpec, secrets: readonly SecretSpec[]): void {
  const members = secrets.map((secret) => mixable(services, secret));
  for (const [i, member] of members.entries()) {
    for (const other of members.slice(i + 1)) {
      const why = mixProblem(member, other);
      if (why === undefined) continue;
      throw new RotateError(
        'BadConfig',
        `${formatSecretRef(member)} and ${formatSecretRef(other)} cannot be rotated in one batch: ${why}`,
        { hint: 'rotate them one after the other' },
      );
    }
  }
  for (const member of members) {
    const before = members.find((other) => comesAfter(config.secrets, member, other));
    if (before === undefined) continue;
    throw new RotateError(
      'BadConfig',
      `${formatSecretRef(member)} is to be rotated after ${formatSecretRef(before)}, so that the two cannot be one batch`,
      { hint: `rotate ${formatSecretRef(before)} first` },
    );
  }
}

function issuerHosts(services: Services, secrets: readonly SecretSpec[]): Set<string> {
  return new Set(secrets.flatMap((secret) => kindOf(services, secret).issuerHosts(secret.settings)));
}

/** No waves but this: where the issuer's own host has the file, others cannot do without it while it restarts. */
function issuerHostsFirst(holders: readonly string[], issuers: ReadonlySet<string>): string[][] {
  return [holders.filter((h) => issuers.has(h)), holders.filter((h) => !issuers.has(h))].filter(
    (wave) => wave.length > 0,
  );
}

function swapNotes(planned: readonly PlannedSecret[], maxFailures: number): string[] {
  const issuer = planned.some((s) => s.kill !== 'deploy');
  return [
    issuer
      ? 'the issuer knows one value at a time: new logins fail from the moment it takes the new value until the last consumer has restarted, some 5 to 30 seconds; sessions that are open go on. All hosts are switched at once; the record says how long it was'
      : 'hosts accept what they have installed, and nothing else: from the first switch to the last restart they disagree, some 5 to 30 seconds, and what the old value has signed is refused afterwards. All hosts are switched at once; the record says how long it was',
    ...(maxFailures > 0 ? ['one host that fails undoes it, whatever maxFailures says'] : []),
  ];
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
  const retirement = kind.retirement(secret.settings);
  return {
    environment: secret.environment,
    name: secret.name,
    kind: secret.kind,
    overlap: kind.overlap(secret.settings),
    kill: kind.kill,
    source: kind.source,
    canDisable: kind.canDisable(secret.settings),
    retire: retirement.by,
    ...(retirement.by === 'deploy' ? { keepOldMs: retirement.keepOldMs } : {}),
    file: secret.file,
    consumers: [...new Set(secret.consumers.flatMap((c) => c.hosts))].sort(),
    sharesFile: sharesFile(snapshot.config, secret),
    recipients,
    ...(current.account === undefined ? {} : { account: current.account }),
    endpoints: [...kind.endpoints(secret.settings)],
    effects: kind.describe(secret.settings, current.account),
  };
}

/** Each takes a core, and on a real NixOS a gigabyte. */
const evaluationsAtOnce = Math.min(4, availableParallelism());

/** Every host whose own configuration installs one of the files; sorted. */
async function findHolders(
  services: Services,
  snapshot: Snapshot,
  secrets: readonly SecretSpec[],
  pulse: Pulse,
): Promise<string[]> {
  const { config } = snapshot;
  const named = new Set(secrets.flatMap((s) => s.consumers.flatMap((c) => c.hosts)));
  const environments = new Set(secrets.map((s) => s.environment));
  const candidates = config.hosts.filter((h) => environments.has(h.environment) || named.has(h.name));
  const evaluated = await inParallel(evaluationsAtOnce, candidates, async (host) => {
    const evaluation = await services.fleet.evaluate(hostOf(config, host.name), snapshot, pulse);
    return [host.name, new Set(evaluation.secrets.map((s) => s.file))] as const;
  });
  const installs = new Map(evaluated);
  for (const secret of secrets) {
    const consumers = new Set(secret.consumers.flatMap((c) => c.hosts));
    const wrong = [...consumers].filter((h) => installs.get(h)?.has(secret.file) !== true);
    if (wrong.length > 0) {
      throw new RotateError(
        'BadConfig',
        `${formatSecretRef(secret)}: ${wrong.join(', ')} is named as a consumer, but its configuration does not install ${secret.file}`,
        {
          hint: `add an \`age.secrets.<name>.file\` for it to the configuration of ${wrong.join(', ')}, or take ${wrong.length > 1 ? 'them' : 'it'} out of \`consumers\``,
        },
      );
    }
    if (![...installs.values()].some((files) => files.has(secret.file)))
      throw new RotateError('BadConfig', `${formatSecretRef(secret)}: no host installs ${secret.file}`, {
        hint: 'add an `age.secrets.<name>.file` for it to the configuration of a host',
      });
  }
  const files = new Set(secrets.map((s) => s.file));
  return [...installs]
    .filter(([, installed]) => [...files].some((file) => installed.has(file)))
    .map(([name]) => name)
    .sort();
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
