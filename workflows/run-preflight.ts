/**
 * Preflight: everything that can be found out before anything changes. Refuses by
 * throwing; what it learned (the base, the old systems, the highest fence) is what
 * the rest of the rotation builds on.
 */
import { highestFence, type Fence } from '../domain/fence.js';
import type { CommandFacts, InstalledFile, Journal } from '../domain/journal.js';
import type { ProofLine } from '../domain/status.js';
import type { HostScope, RotationScope, SealedSecret } from '../activities/api.js';
import { building, evaluating, preflighting, publishing } from './budgets.js';
import { issuersAtOnce } from './command-run.js';
import { forEachAtMost } from './pool.js';
import { telling, type HostReport } from './host-report.js';

export async function runPreflight(
  journal: Journal,
  scope: RotationScope,
  seq: number,
  report: HostReport,
): Promise<CommandFacts> {
  const quick = preflighting();
  const slow = evaluating();
  const repo = await slow.inspectRepo({ scope, plan: journal.plan, digest: journal.digest });
  const based: RotationScope = { ...scope, base: repo.base };
  const secrets: SealedSecret[] = repo.secrets;
  const learned: NonNullable<CommandFacts['secrets']> = [];
  const fences: Fence[] = [repo.fence];
  const proof: ProofLine[] = [];

  const lookAtIssuers = (): Promise<void> =>
    forEachAtMost(issuersAtOnce, secrets, async (secret) => {
      const seen = await quick.inspectIssuer({ scope: based, secret });
      fences.push(seen.fence);
      learned.push({
        name: secret.name,
        old: seen.old ?? secret.old,
        ...(seen.existing === undefined ? {} : { existing: seen.existing }),
      });
    });

  const hosts: { name: string; old: string; files: InstalledFile[] }[] = [];
  const names = journal.hosts.map((h) => h.name);
  const at = (host: string): HostScope => ({ ...based, host });
  const parallel = journal.plan.policy.parallel;
  const lookAtHosts = (): Promise<void> =>
    forEachAtMost(parallel, names, (name) =>
      telling(report, name, async () => {
        report(name, 'looking at the host');
        const seen = await slow.inspectHost(at(name));
        fences.push(seen.fence);
        hosts.push({ name, old: seen.running, files: seen.files });
      }),
    );

  let trial = '';
  const makeTrial = async (): Promise<void> => {
    trial = (await quick.makeTrial({ scope: based })).commit;
  };

  const looks = [lookAtIssuers, lookAtHosts, makeTrial];
  await forEachAtMost(looks.length, looks, (look) => look());

  const consumers = names.filter((name) =>
    journal.plan.waves.flat().some((h) => h.name === name && h.units.length > 0),
  );
  const tryOldValues = (): Promise<void> =>
    forEachAtMost(parallel, consumers, (name) =>
      telling(report, name, async () => {
        report(name, 'trying the old value');
        proof.push(...(await quick.takeBaseline({ scope: at(name), secrets })).proof);
      }),
    );

  const builds = building();
  // Builds are heavy and serial in effect: the two of one host at once keep both cores and the link busy.
  const tryHosts = (): Promise<void> =>
    forEachAtMost(1, hosts, (host) =>
      telling(report, host.name, async () => {
        report(host.name, 'comparing with the base, and rehearsing');
        const rehearsal = builds.rehearse({ scope: at(host.name), trial });
        // On a host that runs something else a rehearsal fails as well, and says less.
        rehearsal.catch(() => {});
        await builds.compareHost({ scope: at(host.name), running: host.old });
        await rehearsal;
        report(host.name, 'ready');
      }),
    );

  const trials = [tryOldValues, tryHosts];
  await forEachAtMost(trials.length, trials, (each) => each());

  // The last look and the first mark: a rotation of the same secret on another Temporal server, which no claim here
  // can see, has computed the same epoch, and only one of the two gets it.
  const epoch = highestFence(fences).epoch + 1;
  await publishing(journal.plan.policy.budgets.repo).reserve({ scope: based, fence: { epoch, seq } });
  return { base: repo.base, epoch, secrets: learned, hosts, proof };
}
