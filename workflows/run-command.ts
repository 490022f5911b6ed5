/**
 * Runs one command of a rotation as activities. Decides nothing: what to do is
 * `decide`'s, what came of it is written down by `record`.
 */
import type { HostScope, RotationScope } from '../activities/api.js';
import type { Fence } from '../domain/fence.js';
import type { ApplyPurpose, CommandFacts, Outcome } from '../domain/journal.js';
import { overlapOf } from '../domain/plan.js';
import type { ProofLine } from '../domain/status.js';
import { applying, building, copying, evaluating, preflighting, publishing } from './budgets.js';
import {
  allWithBoth,
  commitOf,
  contentOf,
  done,
  hostOf,
  issuersAtOnce,
  known,
  passOf,
  scopeOf,
  secretIn,
  since,
  withBoth,
  withIssuer,
  withOld,
  type CommandRun,
} from './command-run.js';
import { telling } from './host-report.js';
import { forEachAtMost } from './pool.js';
import { proveAll, proveDisabled, soakRound } from './run-checks.js';
import { runPreflight } from './run-preflight.js';
import { runWave } from './run-wave.js';
import { takeClaims } from './take-claims.js';

const minute = 60_000;

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
      return command.purpose === 'disabled'
        ? proveDisabled(run, scope)
        : proveAll(run, scope, command.purpose);
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
  const { old, fresh, existing, confirmed, confirmedActs, provision } = secretIn(journal, name);
  const confirmedBy = confirmed?.[purpose];
  const acts = confirmedActs?.[purpose];
  const applied = await applying(undoing ? budgets.undo : budgets.apply).apply({
    scope,
    secret: { name, old: known(old, `old value of ${name}`), ...(fresh === undefined ? {} : { fresh }) },
    purpose,
    fence,
    ...(existing === undefined ? {} : { existing }),
    // While it is being swapped, everything that is open is the old value's and is left alone.
    ...(purpose === 'provision' || provision !== 'done' ? {} : since(journal, name)),
    ...(confirmedBy === undefined ? {} : { confirmedBy }),
    ...(acts === undefined ? {} : { confirmedActs: acts }),
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
