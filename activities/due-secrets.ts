/** What is due now, for a person who asks for all of it: he decides, whatever window or freeze there is. */
import type { SecretFacts } from '../domain/due-verdict.js';
import { formatSecretRef, type SecretSpec } from '../domain/spec.js';
import { standingOf } from '../domain/standing.js';
import { inParallel } from './common.js';
import { factsOf, lookUps } from './known.js';
import type { Pulse, Services, Snapshot } from './ports.js';

export interface DueSecrets {
  secrets: SecretSpec[];
  /** Sentences: what is due and cannot be started now, and why. */
  leftOut: string[];
}

/** @param candidates of any environment */
export async function dueSecrets(
  services: Services,
  { config }: Snapshot,
  candidates: readonly SecretSpec[],
  pulse: Pulse,
): Promise<DueSecrets> {
  const now = new Date().toISOString();
  const due: DueSecrets = { secrets: [], leftOut: [] };
  for (const { name: environment } of config.environments) {
    const own = candidates.filter((s) => s.environment === environment);
    if (own.length === 0) continue;
    const records = await services.repo.records(environment, pulse.signal);
    const facts = await inParallel(lookUps, own, (s) => factsOf(services, config, s, records));
    for (const [i, secret] of own.entries()) {
      const known = facts[i];
      if (known === undefined) continue;
      const state = standingOf(config, secret, known, now)?.state ?? 'ok';
      if (state === 'ok') continue;
      const obstacle = obstacleTo(known);
      if (obstacle === undefined) due.secrets.push(secret);
      else due.leftOut.push(`${formatSecretRef(secret)} is due and left out: ${obstacle}`);
    }
  }
  return due;
}

/** Why it cannot be started now; undefined when it can. */
export function obstacleTo({
  parked,
  running,
  givenUp,
  lastEnd,
  lastSuccess,
}: SecretFacts): string | undefined {
  if (parked !== undefined) return `its rotation ${parked} waits for a person`;
  if (running !== undefined) return `its rotation ${running} is under way`;
  const aborted =
    lastEnd?.state === 'failed' &&
    (lastSuccess === undefined || Date.parse(lastEnd.endedAt) > Date.parse(lastSuccess));
  if (aborted) return 'its last rotation was aborted; start it by name, with --take-over';
  return givenUp === undefined
    ? undefined
    : `rotation ${givenUp} was given up and still holds it; start it by name, with --take-over`;
}
