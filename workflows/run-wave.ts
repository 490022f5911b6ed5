/** Takes hosts to the new system, or back, in waves: child workflows, so that histories stay small. */
import { executeChild, workflowInfo } from '@temporalio/workflow';
import type { RotationScope } from '../activities/api.js';
import type { Reason } from '../domain/failure.js';
import type { Fence } from '../domain/fence.js';
import type { Command, CommandFacts, Outcome } from '../domain/journal.js';
import { allWithBoth, commitOf, done, hostOf, known, passOf, type CommandRun } from './command-run.js';
import { reasonOf } from './reason.js';
import type { wave, WaveHost } from './wave.js';

/** Hosts in one child workflow. */
const hostsPerWave = 50;

export async function runWave(
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
