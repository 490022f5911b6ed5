/** Looks at the world without changing it: units and logins on hosts, what the issuer accepts, sessions that are left. */
import { sleep } from '@temporalio/workflow';
import type { HostScope, RotationScope } from '../activities/api.js';
import type { Journal, Outcome, ProofPurpose } from '../domain/journal.js';
import type { ProofLine } from '../domain/status.js';
import { applying, checking } from './budgets.js';
import {
  allWithBoth,
  commitOf,
  done,
  hostOf,
  issuersAtOnce,
  known,
  since,
  withBoth,
  withIssuer,
  type CommandRun,
} from './command-run.js';
import { forEachAtMost } from './pool.js';

const minute = 60_000;

/** One round: wait, then the same checks as after the switch. At least one, however short the soak. */
export async function soakRound(run: CommandRun, scope: RotationScope): Promise<Outcome> {
  const { journal } = run;
  const { soakMs } = journal.plan.policy;
  const startedAt = Date.parse(journal.soak.startedAt ?? new Date().toISOString());
  const left = startedAt + soakMs - Date.now();
  const interval = Math.max(minute, soakMs / 100);
  if (left > 0) await sleep(Math.min(left, interval));
  await verifyAll(run, scope);
  return done({ finished: Date.now() >= startedAt + soakMs });
}

async function verifyAll(run: CommandRun, scope: RotationScope): Promise<void> {
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
}

/** The old value is refused, and no consumer misses it. The first that is not so gives up the other look. */
export async function proveDisabled(run: CommandRun, scope: RotationScope): Promise<Outcome> {
  let proved: Outcome = done();
  const prove = async (): Promise<void> => {
    proved = await proveAll(run, scope, 'disabled');
  };
  const looks = [prove, () => verifyAll(run, scope)];
  await forEachAtMost(looks.length, looks, (look) => look());
  return proved;
}

export async function proveAll(
  run: CommandRun,
  scope: RotationScope,
  purpose: ProofPurpose,
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
