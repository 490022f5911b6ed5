/**
 * Runs one command of a rotation as activities. Decides nothing: what to do is
 * `decide`'s, what came of it is written down by `record`.
 */
import {
  executeChild,
  ParentClosePolicy,
  sleep,
  startChild,
  workflowInfo,
  ApplicationFailure,
} from '@temporalio/workflow';
import type { HostScope, RotationScope, SealedSecret } from '../activities/api.js';
import { claimsOf } from '../domain/claims.js';
import { failureClasses, type Reason } from '../domain/failure.js';
import type { Fence } from '../domain/fence.js';
import type { Command, CommandFacts, HostJournal, Journal, Outcome } from '../domain/journal.js';
import type { ProofLine } from '../domain/status.js';
import { applying, building, checking, copying, preflighting, publishing } from './budgets.js';
import type { claim } from './claim.js';
import { telling, type HostReport } from './host-report.js';
import { forEachAtMost } from './pool.js';
import { reasonOf } from './reason.js';
import { runPreflight } from './run-preflight.js';
import type { wave, WaveHost } from './wave.js';

/** Hosts in one child workflow. */
const hostsPerWave = 50;
const minute = 60_000;

export interface CommandRun {
  journal: Journal;
  command: Command;
  seq: number;
  report: HostReport;
}

/** @throws whatever its activities throw; partial facts of waves come back as a failed outcome instead */
export async function runCommand(run: CommandRun): Promise<Outcome> {
  const { journal, command } = run;
  const scope = scopeOf(journal);
  const fence: Fence = { epoch: journal.epoch, seq: run.seq };
  const { budgets } = journal.plan.policy;
  switch (command.do) {
    case 'claim':
      await takeClaims(journal);
      return done();
    case 'preflight':
      return done(await runPreflight(journal, scope, run.seq, run.report));
    case 'generate': {
      const secret = withOld(journal, command.secret);
      const { fresh } = await preflighting().generate({ scope, secret });
      return done({ secrets: [{ name: command.secret, fresh }] });
    }
    case 'apply': {
      const undoing = command.purpose === 'reenable' || command.purpose === 'withdraw';
      const secret = withBoth(journal, command.secret);
      const applied = await applying(undoing ? budgets.undo : budgets.apply).apply({
        scope,
        secret,
        purpose: command.purpose,
        fence,
      });
      return done({ at: applied.at });
    }
    case 'encrypt': {
      const secrets = allWithBoth(journal);
      const { commit } = await publishing(budgets.repo).publish({
        scope,
        secrets,
        digest: journal.digest,
        fence,
      });
      return done({ commit });
    }
    case 'build':
      return buildAll(run, scope, command.hosts);
    case 'copy':
      return copyAll(run, scope, command.hosts);
    case 'advance':
    case 'restore':
      return runWave(run, scope, fence, command.do, command.hosts);
    case 'merge': {
      const { merged } = await publishing(budgets.repo).merge({
        scope,
        commit: known(journal.repo.commit, 'commit'),
        secrets: allWithBoth(journal),
        digest: journal.digest,
        fence,
      });
      return done({ merged });
    }
    case 'soak':
      return soakRound(run, scope);
    case 'drain': {
      const proof: ProofLine[] = [];
      for (const s of journal.secrets) {
        const secret = withBoth(journal, s.name);
        proof.push(...(await applying(budgets.drain).checkUsers({ scope, secret })).proof);
      }
      return done({ proof });
    }
    case 'prove':
      if (command.purpose === 'healthy') return verifyAll(run, scope);
      return proveAll(run, scope, command.purpose);
    case 'unpublish':
      await publishing(budgets.undo).unpublish({
        scope,
        ...(journal.repo.commit === undefined ? {} : { commit: journal.repo.commit }),
        mayBeMerged: journal.repo.merge !== 'none',
        secrets: allWithBoth(journal),
        fence,
      });
      return done();
    case 'tidy': {
      const hosts = journal.hosts
        .filter((h) => h.switched !== 'none' || h.fresh !== undefined)
        .map((h) => h.name);
      await publishing(minute).tidy({ scope, hosts, done: journal.mode === 'forward', fence });
      return done();
    }
    default:
      return command satisfies never;
  }
}

function done(facts?: CommandFacts): Outcome {
  return facts === undefined ? { ok: true } : { ok: true, facts };
}

export function scopeOf(journal: Journal): RotationScope {
  return {
    id: journal.id,
    environment: journal.environment,
    secrets: journal.secrets.map((s) => s.name),
    base: journal.repo.base ?? journal.plan.commit,
  };
}

/** An inconsistency of our own is final: trying again would not help. */
function known<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw failure({ type: 'Internal', message: `the journal has no ${what}` });
  return value;
}

export function failure(reason: Reason): ApplicationFailure {
  return ApplicationFailure.create({
    type: reason.type,
    message: reason.message,
    nonRetryable: failureClasses[reason.type] === 'final',
    details: [reason],
  });
}

function withOld(journal: Journal, name: string): SealedSecret {
  const secret = journal.secrets.find((s) => s.name === name);
  return { name, old: known(secret?.old, `old value of ${name}`) };
}

function withBoth(journal: Journal, name: string): Required<SealedSecret> {
  const secret = journal.secrets.find((s) => s.name === name);
  return { ...withOld(journal, name), fresh: known(secret?.fresh, `new value of ${name}`) };
}

function allWithBoth(journal: Journal): Required<SealedSecret>[] {
  return journal.secrets.map((s) => withBoth(journal, s.name));
}

async function takeClaims(journal: Journal): Promise<void> {
  for (const id of claimsOf(journal)) await takeClaim(id, journal.takeOver);
}

/** How often a claim that nobody seems to hold, yet cannot be taken, is tried: its holder is just letting go. */
const claimTries = 5;
const betweenClaimTriesMs = 300;

/** @throws ApplicationFailure Busy, Blocked */
async function takeClaim(id: string, takeOver: boolean): Promise<void> {
  const me = workflowInfo().workflowId;
  for (let tries = 1; ; tries += 1) {
    if (await startClaim(id, me)) return;
    const held = await preflighting().lookUpHolder({ claim: id, release: takeOver });
    if (held.holder === me) return;
    const holder = held.holder.split('/').at(-1) ?? held.holder;
    if (held.running) {
      throw failure({
        type: 'Busy',
        message: `rotation ${holder} is under way for the same secret`,
        hint: `\`rotate watch ${holder}\` shows it`,
      });
    }
    if (tries < claimTries) {
      if (!held.released) await sleep(betweenClaimTriesMs);
      continue;
    }
    if (held.released) throw failure({ type: 'Busy', message: 'other rotations start for the same secret' });
    throw failure({
      type: 'Blocked',
      message: `rotation ${holder} was given up and still holds the secret`,
      hint: `look at \`rotate status ${holder}\`, put things right, then start again with --take-over`,
    });
  }
}

/** False when someone holds it. */
async function startClaim(id: string, holder: string): Promise<boolean> {
  try {
    await startChild<typeof claim>('claim', {
      workflowId: id,
      args: [holder],
      parentClosePolicy: ParentClosePolicy.ABANDON,
    });
    return true;
  } catch (error) {
    // Its class is not exported to workflow code; the name is part of the SDK's interface.
    if (error instanceof Error && error.name === 'WorkflowExecutionAlreadyStartedError') return false;
    throw error;
  }
}

async function buildAll(run: CommandRun, scope: RotationScope, hosts: readonly string[]): Promise<Outcome> {
  const commit = known(run.journal.repo.commit, 'commit');
  const built: NonNullable<CommandFacts['hosts']> = [];
  await forEachAtMost(2, hosts, (name) =>
    telling(run.report, name, async () => {
      run.report(name, 'building');
      const { toplevel } = await building().build({ scope: { ...scope, host: name }, commit });
      built.push({ name, fresh: toplevel });
      run.report(name, 'built');
    }),
  );
  return done({ hosts: built });
}

async function copyAll(run: CommandRun, scope: RotationScope, hosts: readonly string[]): Promise<Outcome> {
  const commit = known(run.journal.repo.commit, 'commit');
  await forEachAtMost(run.journal.plan.policy.parallel, hosts, (name) =>
    telling(run.report, name, async () => {
      const toplevel = known(hostOf(run.journal, name).fresh, `build for ${name}`);
      run.report(name, 'copying');
      await copying().copy({ scope: { ...scope, host: name }, commit, toplevel });
      run.report(name, 'copied');
    }),
  );
  return done();
}

function hostOf(journal: Journal, name: string): HostJournal {
  return known(
    journal.hosts.find((h) => h.name === name),
    `host ${name}`,
  );
}

async function runWave(
  run: CommandRun,
  scope: RotationScope,
  fence: Fence,
  direction: 'advance' | 'restore',
  names: readonly string[],
): Promise<Outcome> {
  const { journal } = run;
  const { policy } = journal.plan;
  const all: WaveHost[] = names.map((name) => {
    const host = hostOf(journal, name);
    return {
      name,
      old: known(host.old, `old system of ${name}`),
      fresh: known(host.fresh, `new system of ${name}`),
      files: host.files,
    };
  });
  const chunks = Array.from({ length: Math.ceil(all.length / hostsPerWave) }, (_, i) =>
    all.slice(i * hostsPerWave, (i + 1) * hostsPerWave),
  );
  const me = workflowInfo();
  const failedBefore = journal.hosts.filter((h) => h.failed !== undefined).length;
  // All are waited for, also when one breaks off: nothing may be switched any more when the undo begins.
  const settled = await Promise.allSettled(
    chunks.map((hosts, i) =>
      executeChild<typeof wave>('wave', {
        workflowId: `${me.workflowId}/${direction}/${run.seq}.${i}`,
        args: [
          {
            scope,
            direction,
            hosts,
            commit: known(journal.repo.commit, 'commit'),
            secrets: allWithBoth(journal),
            fence,
            parallel: Math.max(1, Math.floor(policy.parallel / chunks.length)),
            maxFailures: Math.max(0, policy.maxFailures - failedBefore),
            budgetMs: direction === 'advance' ? policy.budgets.converge : policy.budgets.undo,
            parent: me.workflowId,
          },
        ],
      }),
    ),
  );
  const results = settled.flatMap((s) => (s.status === 'fulfilled' ? [s.value] : []));
  const outcomes = results.flatMap((r) => r.hosts);
  const facts: CommandFacts = { hosts: outcomes, proof: results.flatMap((r) => r.proof) };
  const failed = outcomes.filter((h) => h.failed !== undefined);
  const [first] = failed;
  const broken = settled.find((s) => s.status === 'rejected');
  if (first === undefined && broken !== undefined)
    return { ok: false, reason: reasonOf(broken.reason), facts };
  if (first?.failed === undefined && outcomes.length === names.length) return done(facts);
  const reason: Reason =
    first?.failed === undefined
      ? { type: 'Interrupted', message: 'stopped before every host was reached' }
      : { ...first.failed, message: `${failed.map((h) => h.name).join(', ')}: ${first.failed.message}` };
  return { ok: false, reason, facts };
}

/** One round: wait, then the same checks as after the switch. At least one, however short the soak. */
async function soakRound(run: CommandRun, scope: RotationScope): Promise<Outcome> {
  const { journal } = run;
  const { soakMs } = journal.plan.policy;
  const startedAt = Date.parse(journal.soak.startedAt ?? new Date().toISOString());
  const left = startedAt + soakMs - Date.now();
  const interval = Math.max(minute, soakMs / 100);
  if (left > 0) await sleep(Math.min(left, interval));
  const checked = await verifyAll(run, scope);
  if (!checked.ok) return checked;
  return done({ finished: Date.now() >= startedAt + soakMs });
}

async function verifyAll(run: CommandRun, scope: RotationScope): Promise<Outcome> {
  const { journal } = run;
  const hosts = journal.hosts.filter((h) => h.verified && !h.lossAccepted);
  await forEachAtMost(journal.plan.policy.parallel, hosts, async (host) => {
    const at: HostScope = { ...scope, host: host.name };
    await checking().verify({
      scope: at,
      files: host.files,
      commit: known(journal.repo.commit, 'commit'),
      secrets: allWithBoth(journal),
      value: 'fresh',
      justSwitched: false,
    });
  });
  return done();
}

async function proveAll(
  run: CommandRun,
  scope: RotationScope,
  purpose: 'before' | 'disabled' | 'destroyed' | 'later',
): Promise<Outcome> {
  const { journal } = run;
  const proof: ProofLine[] = [];
  const consumers = journal.plan.waves.flat().filter((h) => h.units.length > 0);
  const hosts = consumers
    .map((h) => hostOf(journal, h.name))
    .filter((h) => !h.lossAccepted)
    .map((h) => h.name);
  for (const s of journal.secrets) {
    const proved = await applying(journal.plan.policy.budgets.apply).prove({
      scope,
      secret: withBoth(journal, s.name),
      purpose,
      hosts,
    });
    proof.push(...proved.proof);
  }
  return done({ proof });
}
