/** Preflight: refuses before anything changes. Everything here only looks. */
import { asRotateError, RotateError } from '../domain/failure.js';
import { highestFence, type Fence } from '../domain/fence.js';
import type { InstalledFile } from '../domain/journal.js';
import type { ProofLine } from '../domain/status.js';
import { formatSecretRef, type ConfigSpec, type HostSpec } from '../domain/spec.js';
import type { HostScope, Proven, RotationActivities, RotationScope, SealedSecret } from './api.js';
import { checkFromHost, type Expectation } from './check.js';
import {
  baseOf,
  beating,
  consumesOn,
  credentialAt,
  hostOf,
  inParallel,
  kindContext,
  kindOf,
  loginsAtOnce,
  pulse,
  secretOf,
  unitsOn,
} from './common.js';
import { digestOf, mainSnapshot, planAt, samePlan } from './plan.js';
import type { ActivationPlan, HostEvaluation, Pulse, Services, Snapshot } from './ports.js';
import { openCredential, sealCredential } from './sealed.js';

/** Less than this free where a closure or a job's files go is no place to begin in. */
const minimumFreeBytes = { store: 64 * 1024 * 1024, state: 1024 * 1024 };

type Preflight = Pick<
  RotationActivities,
  | 'inspectRepo'
  | 'inspectIssuer'
  | 'inspectHost'
  | 'compareHost'
  | 'takeBaseline'
  | 'makeTrial'
  | 'rehearse'
  | 'findBase'
>;

export function preflightActivities(services: Services): Preflight {
  return {
    inspectRepo: ({ scope, plan, digest }) =>
      beating(async (p) => {
        const { signal } = p;
        await services.repo.fetch(signal);
        const planned = await baseOf(services, scope);
        const secrets = scope.secrets.map((name) => secretOf(planned.config, scope.environment, name));
        const shown = await planAt(services, planned, secrets, p);
        // Both: what the run carries is what was shown, and what was shown is what would be carried out.
        if (shown.digest !== digest || digestOf(plan) !== digest) {
          throw new RotateError(
            'PlanChanged',
            'the plan that was shown is not the one that would be carried out',
            {
              hint: 'look at `rotate plan` again and start anew',
            },
          );
        }
        const base = await advanceBase(services, scope, shown.plan);
        const refs = secrets.map((s) => ({ environment: s.environment, name: s.name }));
        const fence = highestFence(await services.repo.fences(refs, signal));
        const snapshot = await services.repo.at(base, signal);
        const sealed: { name: string; old: string }[] = [];
        for (const secret of secrets) {
          const current = await credentialAt(services, snapshot, secret);
          sealed.push({ name: secret.name, old: await sealCredential(services, current) });
        }
        return { base, fence, secrets: sealed };
      }),

    async inspectIssuer({ scope, secret }) {
      const { config } = await baseOf(services, scope);
      const spec = secretOf(config, scope.environment, secret.name);
      const kind = kindOf(services, spec);
      const current = await openCredential(services, secret.old);
      const state = await kind.inspect(kindContext(services, config, spec, scope.id), spec.settings, current);
      if (state.problems.length > 0) {
        throw new RotateError(
          'IssuerMisconfigured',
          `${formatSecretRef(spec)}: ${state.problems.map((p) => p.message).join('; ')}`,
          { hint: state.problems.map((p) => p.hint).join('; ') },
        );
      }
      return {
        fence: state.fence,
        ...(state.verifier === undefined
          ? {}
          : { old: await sealCredential(services, { ...current, verifier: state.verifier }) }),
        ...(state.existing === undefined ? {} : { existing: [...state.existing] }),
      };
    },

    inspectHost: (scope) => beating((p) => inspectHost(services, scope, p)),
    compareHost: ({ scope, running }) => compareHost(services, scope, running),
    takeBaseline: ({ scope, secrets }) => takeBaseline(services, scope, secrets),

    async makeTrial({ scope }) {
      const commit = await commitTrial(services, scope, pulse().signal);
      await openAsWorker(services, scope, commit);
      return { commit };
    },

    rehearse: ({ scope, trial }) => rehearse(services, scope, trial),

    findBase: ({ scope, plan }) =>
      beating(async (p) => {
        const there = await mainSnapshot(services, p);
        const secrets = scope.secrets.map((name) => secretOf(there.config, scope.environment, name));
        const holders = (await planAt(services, there, secrets, p)).plan.waves.flat().map((h) => h.name);
        const known = plan.waves.flat().map((h) => h.name);
        const strange = holders.filter((h) => !known.includes(h));
        if (strange.length > 0)
          throw new RotateError(
            'PlanChanged',
            `${strange.join(', ')} has come to hold the secret meanwhile`,
            {
              hint: 'the old value is in its file: rotate once more when this one has ended',
            },
          );
        return { base: there.commit };
      }),
  };
}

/** Main may have moved since the plan was made; that is fine when the plan is the same there. */
async function advanceBase(
  services: Services,
  scope: RotationScope,
  shown: Parameters<typeof samePlan>[0],
): Promise<string> {
  const main = await services.repo.mainBranch();
  const tip = await services.repo.tip(main);
  if (tip === undefined || tip === scope.base) return scope.base;
  const now = await services.repo.at(tip, pulse().signal);
  const secrets = scope.secrets.map((name) => secretOf(now.config, scope.environment, name));
  const there = await planAt(services, now, secrets, pulse());
  if (samePlan(shown, there.plan)) return tip;
  const commits = await services.repo.describeCommits(scope.base, tip);
  throw new RotateError(
    'PlanChanged',
    `\`${main}\` has moved on, and the plan with it: ${commits.join('; ')}`,
    {
      hint: 'look at `rotate plan` again and start anew',
    },
  );
}

async function inspectHost(
  services: Services,
  scope: HostScope,
  p: Pulse,
): Promise<{ running: string; files: InstalledFile[]; fence: Fence }> {
  const snapshot = await baseOf(services, scope);
  const host = hostOf(snapshot.config, scope.host);
  const facts = await services.fleet.facts(host, p.signal);
  if (facts.job !== undefined) {
    throw new RotateError('HostBusy', `another switch is under way on ${host.name} (${facts.job})`, {
      host: host.name,
      hint: `wait until it has ended; \`journalctl -u ${facts.job}\` on ${host.name} tells how far it is`,
    });
  }
  for (const [where, path] of [
    ['store', '/nix/store'],
    ['state', '/var/lib/rotate'],
  ] as const) {
    if (facts.freeBytes[where] < minimumFreeBytes[where]) {
      throw new RotateError(
        'NoSpace',
        `${host.name}: ${Math.floor(facts.freeBytes[where] / 1024)} KiB are free for ${path}, ${minimumFreeBytes[where] / 1024} KiB are the least`,
        { host: host.name, hint: 'make room, e.g. with `nix-collect-garbage`' },
      );
    }
  }
  if (facts.profile !== facts.running) {
    throw new RotateError(
      'Drift',
      `${host.name} runs ${facts.running}, but its profile, which it would boot, is ${facts.profile}`,
      { host: host.name, hint: 'deploy the host (`nixos-rebuild switch`) or reboot it first' },
    );
  }
  if (facts.booted !== undefined && facts.booted !== facts.running) {
    throw new RotateError('Drift', `${host.name} runs ${facts.running}, but would boot ${facts.booted}`, {
      host: host.name,
      hint: 'deploy the host (`nixos-rebuild switch`) or reboot it first',
    });
  }
  const evaluation = await services.fleet.evaluate(host, snapshot, p);
  const files: InstalledFile[] = [];
  for (const name of scope.secrets) {
    const secret = secretOf(snapshot.config, scope.environment, name);
    const ciphertext = await snapshot.ciphertext(secret);
    await openOnHost(services, host, evaluation, { what: secret.file }, ciphertext, p);
    for (const s of evaluation.secrets.filter((e) => e.file === secret.file)) {
      files.push({ secret: name, path: s.path, owner: s.owner, group: s.group, mode: s.mode });
    }
  }
  const mine = new Set(
    scope.secrets.map((name) => formatSecretRef({ environment: scope.environment, name })),
  );
  const fence = highestFence(facts.fences.filter((f) => mine.has(f.secret)).map((f) => f.fence));
  return { running: facts.running, files, fence };
}

/** @throws RotateError HostCannotDecrypt that names the file */
async function openOnHost(
  services: Services,
  host: HostSpec,
  evaluation: HostEvaluation,
  { what, hint }: { what: string; hint?: string },
  ciphertext: Uint8Array,
  p: Pulse,
): Promise<void> {
  try {
    await services.fleet.tryOpen(host, evaluation, ciphertext, p.signal);
  } catch (error) {
    if (!(error instanceof RotateError) || error.type !== 'HostCannotDecrypt') throw error;
    const told = hint ?? error.hint;
    throw new RotateError('HostCannotDecrypt', error.message.replace('the file', what), {
      host: host.name,
      ...(told === undefined ? {} : { hint: told }),
      cause: error,
    });
  }
}

/** Proof, merging and undo open what the worker has written: the rules must name it, too. */
async function openAsWorker(services: Services, scope: RotationScope, trial: string): Promise<void> {
  const there = await services.repo.at(trial, pulse().signal);
  for (const name of scope.secrets) {
    const secret = secretOf(there.config, scope.environment, name);
    try {
      await there.read(secret);
    } catch (error) {
      if (!(error instanceof RotateError) || error.type !== 'CannotOpen') throw error;
      throw new RotateError(
        'CannotOpen',
        `the worker could not open the new ${secret.file}, encrypted as the rules say`,
        { hint: `name the worker's recipient for it in ${rulesOf(there.config, scope)}`, cause: error },
      );
    }
  }
}

function rulesOf(config: ConfigSpec, scope: RotationScope): string {
  return config.environments.find((e) => e.name === scope.environment)?.rules ?? 'the rules';
}

/** The drift gate: what else would go out with the secret? */
async function compareHost(services: Services, scope: HostScope, running: string): Promise<void> {
  await beating(async (p) => {
    const snapshot = await baseOf(services, scope);
    const host = hostOf(snapshot.config, scope.host);
    const built = await services.fleet.build(host, snapshot, p);
    if (built === running) return;
    const runs = await findDeployed(services, scope, host, running, p);
    const base = scope.base.slice(0, 12);
    const others = runs === undefined ? [] : await services.repo.describeCommits(runs, scope.base);
    throw new RotateError(
      'Drift',
      runs === undefined
        ? `${host.name} runs ${running}, which is the build of none of the last ${searchedCommits} commits up to ${base}`
        : `${host.name} runs the build of ${runs.slice(0, 12)}; undeployed since: ${others.join('; ')}`,
      {
        host: host.name,
        hint: `that work would go out with the secret: deploy ${host.name} from ${base} first, or take it back`,
      },
    );
  });
}

/** How far back the drift gate looks for what a host runs, so that it can name the commits in between. */
const searchedCommits = 8;

async function findDeployed(
  services: Services,
  scope: HostScope,
  host: HostSpec,
  running: string,
  p: Pulse,
): Promise<string | undefined> {
  for (const commit of await services.repo.ancestors(scope.base, searchedCommits)) {
    try {
      if ((await services.fleet.build(host, await services.repo.at(commit, p.signal), p)) === running)
        return commit;
    } catch (error) {
      // A commit that does not build, or whose rotate.yaml is older than ours, was not deployed by us; go on looking.
      if (p.signal.aborted) throw error;
    }
  }
  return undefined;
}

async function takeBaseline(services: Services, scope: HostScope, secrets: SealedSecret[]): Promise<Proven> {
  const { config } = await baseOf(services, scope);
  const lines = await inParallel(loginsAtOnce, secrets, async (sealed) => {
    const secret = secretOf(config, scope.environment, sealed.name);
    if (!consumesOn(secret, scope.host)) return [];
    const old = await openCredential(services, sealed.old);
    const ask = (what: Expectation): Promise<ProofLine[]> =>
      checkFromHost(services, config, secret, old, scope.host, what);
    return Promise.all([
      ask({
        expect: 'accepted',
        claim: 'the old value is accepted at the start',
        otherwise: 'OldValueRejected',
        hint: 'the value in the repo does not work even now: put that right first, then start again',
      }),
      ask({
        wrong: true,
        expect: 'refused',
        claim: 'a wrong value is refused at the start',
        otherwise: 'AcceptsAnything',
        hint: 'have the issuer check the value there, for nothing could be proven (PostgreSQL: no `trust` in pg_hba.conf)',
      }),
    ]);
  });
  return { proof: lines.flat(2) };
}

/** A commit of this worker's own with the old values encrypted again. */
async function commitTrial(services: Services, scope: RotationScope, signal: AbortSignal): Promise<string> {
  const snapshot = await baseOf(services, scope);
  const files: Record<string, Uint8Array> = {};
  for (const name of scope.secrets) {
    const secret = secretOf(snapshot.config, scope.environment, name);
    files[secret.file] = await snapshot.encrypt(secret, await snapshot.read(secret));
  }
  return services.repo.commitTrial(scope.base, files, signal);
}

/** A trial is never pushed: where another worker has made it, one of our own tells the same. */
async function trialAt(services: Services, scope: RotationScope, trial: string, p: Pulse): Promise<Snapshot> {
  try {
    return await services.repo.at(trial, p.signal);
  } catch (error) {
    if (asRotateError(error)?.details?.['missing'] !== trial) throw error;
    return services.repo.at(await commitTrial(services, scope, p.signal), p.signal);
  }
}

/** The switch without the switch: which units would it touch? */
async function rehearse(services: Services, scope: HostScope, trial: string): Promise<void> {
  await beating(async (p) => {
    const base = await baseOf(services, scope);
    const { config } = base;
    const host = hostOf(config, scope.host);
    const there = await trialAt(services, scope, trial, p);
    const evaluation = await services.fleet.evaluate(host, base, p);
    for (const name of scope.secrets) {
      const secret = secretOf(config, scope.environment, name);
      // The rules may name other keys than the file that is there was encrypted to.
      const what = `the new ${secret.file}`;
      const keys = evaluation.identityPaths.join(', ');
      const hint = `name a key of ${keys} on ${host.name} for it in ${rulesOf(config, scope)}`;
      await openOnHost(services, host, evaluation, { what, hint }, await there.ciphertext(secret), p);
    }
    const toplevel = await services.fleet.build(host, there, p);
    await services.fleet.copy(host, toplevel, p);
    const touched = await services.fleet.dryActivate(host, toplevel, p);
    const planned = new Set(unitsOn(config, scope, scope.host).map((u) => u.unit));
    const unexpected = touchedUnits(touched).filter((u) => !planned.has(u));
    if (unexpected.length > 0) {
      throw new RotateError(
        'UnexpectedUnits',
        `${host.name}: the switch would also touch ${unexpected.join(', ')}, which the plan does not name`,
        {
          host: host.name,
          hint: 'name them as consumers in rotate.yaml, or take the secret out of their restartTriggers',
        },
      );
    }
  });
}

function touchedUnits(activation: ActivationPlan): string[] {
  return [
    ...new Set([...activation.stop, ...activation.start, ...activation.restart, ...activation.reload]),
  ].sort();
}
