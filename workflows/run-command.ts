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
import type { HostScope, NewContent, RotationScope, SealedSecret } from '../activities/api.js';
import { claimsOf } from '../domain/claims.js';
import { failureClasses, type Reason } from '../domain/failure.js';
import type { Fence } from '../domain/fence.js';
import type {
  ApplyPurpose,
  Command,
  CommandFacts,
  HostJournal,
  Journal,
  Outcome,
  Pass,
  SecretJournal,
} from '../domain/journal.js';
import { overlapOf } from '../domain/plan.js';
import type { ProofLine } from '../domain/status.js';
import { applying, building, checking, copying, evaluating, preflighting, publishing } from './budgets.js';
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
  const scope = scopeOf(journal, command);
  const fence: Fence = { epoch: journal.epoch, seq: run.seq };
  const { budgets } = journal.plan.policy;
  switch (command.do) {
    case 'claim':
      await takeClaims(journal);
      return done();
    case 'preflight':
      return done(await runPreflight(journal, scope, run.seq, run.report));
    case 'generate': {
      const { brought, existing } = secretIn(journal, command.secret);
      const { fresh } = await preflighting().generate({
        scope,
        secret: withOld(journal, command.secret),
        ...(brought === undefined ? {} : { brought }),
        ...(existing === undefined ? {} : { existing }),
      });
      return done({ secrets: [{ name: command.secret, fresh }] });
    }
    case 'apply':
      return applyOne(run, scope, fence, command.secret, command.purpose);
    case 'encrypt': {
      const { commit } = await publishing(budgets.repo).publish({
        scope,
        secrets: allWithBoth(journal),
        digest: journal.digest,
        fence,
        content: contentOf(command),
      });
      return done({ commit });
    }
    case 'rebase':
      return rebase(run, scope);
    case 'build':
      return buildAll(run, scope, command.hosts);
    case 'copy':
      return copyAll(run, scope, command.hosts);
    case 'advance':
    case 'restore':
      return runWave(run, scope, fence, command);
    case 'merge': {
      const { merged } = await publishing(budgets.repo).merge({
        scope,
        commit: commitOf(journal, command),
        secrets: allWithBoth(journal),
        digest: journal.digest,
        fence,
        content: contentOf(command),
      });
      return done({ merged });
    }
    case 'soak':
      return soakRound(run, scope);
    case 'drain': {
      const proof: ProofLine[] = [];
      await forEachAtMost(issuersAtOnce, withIssuer(journal), async (name) => {
        const checked = await applying(budgets.drain).checkUsers({
          scope,
          secret: withBoth(journal, name),
          ...since(journal, name),
        });
        proof.push(...checked.proof);
      });
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

/** What `command` is measured against: from the second deploy on, where that began. */
function scopeOf(journal: Journal, command: Command): RotationScope {
  const dropped = journal.drop !== undefined && journal.mode === 'forward' && command.do !== 'rebase';
  return {
    id: journal.id,
    environment: journal.environment,
    secrets: journal.secrets.map((s) => s.name),
    base: (dropped ? journal.drop?.base : undefined) ?? journal.repo.base ?? journal.plan.commit,
  };
}

/** The commit that hosts get in the first deploy, or in the second. */
function commitOf(journal: Journal, { drop }: Pass): string {
  return known(drop === true ? journal.drop?.commit : journal.repo.commit, 'commit');
}

/** Where the old value is retired by a second deploy, the first one lists it behind the new one. */
function contentOf({ drop }: Pass): NewContent {
  return drop === true ? 'new' : 'both';
}

/** Of one batch. */
const issuersAtOnce = 4;

/** Secrets that an issuer accepts or refuses; of the others only hosts do. */
function withIssuer(journal: Journal): string[] {
  return journal.plan.secrets.filter((s) => s.kill !== 'deploy').map((s) => s.name);
}

function secretIn(journal: Journal, name: string): SecretJournal {
  return known(
    journal.secrets.find((s) => s.name === name),
    `secret ${name}`,
  );
}

/** `swap`: what was opened before this was opened with the old value. */
function since(journal: Journal, name: string): { since?: string } {
  const { swappedAt } = secretIn(journal, name);
  return swappedAt === undefined ? {} : { since: swappedAt };
}

async function applyOne(
  run: CommandRun,
  scope: RotationScope,
  fence: Fence,
  name: string,
  purpose: ApplyPurpose,
): Promise<Outcome> {
  const { journal } = run;
  const { budgets } = journal.plan.policy;
  const undoing = purpose === 'reenable' || purpose === 'withdraw';
  const { old, fresh, existing, confirmed, provision } = secretIn(journal, name);
  const confirmedBy = confirmed?.[purpose];
  const applied = await applying(undoing ? budgets.undo : budgets.apply).apply({
    scope,
    secret: { name, old: known(old, `old value of ${name}`), ...(fresh === undefined ? {} : { fresh }) },
    purpose,
    fence,
    ...(existing === undefined ? {} : { existing }),
    // While it is being swapped, everything that is open is the old value's and is left alone.
    ...(purpose === 'provision' || provision !== 'done' ? {} : since(journal, name)),
    ...(confirmedBy === undefined ? {} : { confirmedBy }),
  });
  const swapped = purpose === 'provision' && overlapOf(journal.plan) === 'swap';
  return done({
    at: applied.at,
    ...(swapped ? { secrets: [{ name, swappedAt: applied.issuerAt ?? applied.at }] } : {}),
  });
}

/** The second deploy begins on what main and the hosts are by then; what it finds wrong parks. */
async function rebase(run: CommandRun, scope: RotationScope): Promise<Outcome> {
  const { journal } = run;
  const slow = evaluating();
  // A host that comes later joins what the others have begun.
  const base = journal.drop?.base ?? (await slow.findBase({ scope, plan: journal.plan })).base;
  const hosts: NonNullable<CommandFacts['drop']>['hosts'] = [];
  const names = journal.hosts.filter((h) => !h.skipped && h.drop === undefined).map((h) => h.name);
  await forEachAtMost(2, names, (name) =>
    telling(run.report, name, async () => {
      run.report(name, 'looking at the host once more');
      const at: HostScope = { ...scope, base, host: name };
      const seen = await slow.inspectHost(at);
      await building().compareHost({ scope: at, running: seen.running });
      hosts.push({ name, from: seen.running, files: seen.files });
      run.report(name, 'ready');
    }),
  );
  return done({ drop: { base, hosts } });
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
  return { name, old: known(secretIn(journal, name).old, `old value of ${name}`) };
}

function withBoth(journal: Journal, name: string): Required<SealedSecret> {
  return { ...withOld(journal, name), fresh: known(secretIn(journal, name).fresh, `new value of ${name}`) };
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
        hint: `wait until it has ended; \`rotate watch ${holder}\` shows it`,
      });
    }
    if (tries < claimTries) {
      if (!held.released) await sleep(betweenClaimTriesMs);
      continue;
    }
    if (held.released) {
      throw failure({
        type: 'Busy',
        message: 'other rotations start for the same secret',
        hint: 'see `rotate status`, and start again when they have ended',
      });
    }
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
  const commit = commitOf(run.journal, passOf(run.command));
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
  const pass = passOf(run.command);
  const commit = commitOf(run.journal, pass);
  await forEachAtMost(run.journal.plan.policy.parallel, hosts, (name) =>
    telling(run.report, name, async () => {
      const host = hostOf(run.journal, name);
      const toplevel = known(pass.drop === true ? host.drop?.to : host.fresh, `build for ${name}`);
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
  command: Extract<Command, { do: 'advance' | 'restore' }>,
): Promise<Outcome> {
  const { journal } = run;
  const { policy } = journal.plan;
  const { do: direction, hosts: names } = command;
  const pass = passOf(command);
  const all: WaveHost[] = names.map((name) => {
    const host = hostOf(journal, name);
    if (pass.drop === true) {
      const { from, to, files } = known(host.drop, `second deploy of ${name}`);
      return { name, old: from, fresh: known(to, `new system of ${name}`), files };
    }
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
            commit: commitOf(journal, pass),
            ...(pass.drop === true ? { reportAs: 'revoke' as const } : {}),
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

function passOf(command: Command): Pass {
  return 'drop' in command && command.drop ? { drop: true } : {};
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
  const hosts = consumers.map((h) => hostOf(journal, h.name)).filter((h) => !h.lossAccepted);
  const { budgets, parallel } = journal.plan.policy;
  const able = journal.plan.secrets.filter((s) => purpose !== 'disabled' || s.canDisable);
  const issued = withIssuer(journal).filter((name) => able.some((s) => s.name === name));
  await forEachAtMost(issuersAtOnce, issued, async (name) => {
    const proved = await applying(budgets.apply).prove({
      scope,
      secret: withBoth(journal, name),
      purpose,
      hosts: hosts.filter((h) => consumes(journal, h.name, name)).map((h) => h.name),
      ...since(journal, name),
    });
    proof.push(...proved.proof);
  });
  // Where there is no issuer, hosts accept what they have installed.
  const gone = journal.plan.secrets.filter((s) => s.kill === 'deploy').map((s) => s.name);
  if (gone.length > 0 && (purpose === 'destroyed' || purpose === 'later')) {
    const drop = journal.drop !== undefined;
    const holders = journal.hosts.filter((h) => !h.lossAccepted && !h.skipped);
    await forEachAtMost(parallel, holders, async (host) => {
      const files = (drop ? host.drop?.files : host.files) ?? [];
      const proved = await checking().proveGone({
        scope: { ...scope, secrets: gone, host: host.name },
        files: files.filter((f) => gone.includes(f.secret)),
        commit: commitOf(journal, drop ? { drop: true } : {}),
        secrets: gone.map((name) => withBoth(journal, name)),
        purpose,
      });
      proof.push(...proved.proof);
    });
  }
  return done({ proof });
}

/** Whether a unit on the host is planned to read the secret. */
function consumes(journal: Journal, host: string, secret: string): boolean {
  const planned = journal.plan.secrets.find((s) => s.name === secret);
  return planned?.consumers.includes(host) ?? false;
}
