/** What a command needs to know of the journal: its scope, its secrets, its hosts. */
import type { NewContent, RotationScope, SealedSecret } from '../activities/api.js';
import type {
  Command,
  CommandFacts,
  HostJournal,
  Journal,
  Outcome,
  Pass,
  SecretJournal,
} from '../domain/journal.js';
import type { HostReport } from './host-report.js';
import { failure } from './reason.js';

export interface CommandRun {
  journal: Journal;
  command: Command;
  seq: number;
  report: HostReport;
}

export function done(facts?: CommandFacts): Outcome {
  return facts === undefined ? { ok: true } : { ok: true, facts };
}

/** What `command` is measured against: from the second deploy on, where that began. */
export function scopeOf(journal: Journal, command: Command): RotationScope {
  const dropped = journal.drop !== undefined && journal.mode === 'forward' && command.do !== 'rebase';
  return {
    id: journal.id,
    environment: journal.environment,
    secrets: journal.secrets.map((s) => s.name),
    base: (dropped ? journal.drop?.base : undefined) ?? journal.repo.base ?? journal.plan.commit,
  };
}

/** The commit that hosts get in the first deploy, or in the second. */
export function commitOf(journal: Journal, { drop }: Pass): string {
  return known(drop === true ? journal.drop?.commit : journal.repo.commit, 'commit');
}

/** Where the old value is retired by a second deploy, the first one lists it behind the new one. */
export function contentOf({ drop }: Pass): NewContent {
  return drop === true ? 'new' : 'both';
}

/** Of one batch. */
export const issuersAtOnce = 4;

/** Secrets that an issuer accepts or refuses; of the others only hosts do. */
export function withIssuer(journal: Journal): string[] {
  return journal.plan.secrets.filter((s) => s.kill !== 'deploy').map((s) => s.name);
}

export function secretIn(journal: Journal, name: string): SecretJournal {
  return known(
    journal.secrets.find((s) => s.name === name),
    `secret ${name}`,
  );
}

/** `swap`: what was opened before this was opened with the old value. */
export function since(journal: Journal, name: string): { since?: string } {
  const { swappedAt } = secretIn(journal, name);
  return swappedAt === undefined ? {} : { since: swappedAt };
}

export function hostOf(journal: Journal, name: string): HostJournal {
  return known(
    journal.hosts.find((h) => h.name === name),
    `host ${name}`,
  );
}

export function passOf(command: Command): Pass {
  return 'drop' in command && command.drop ? { drop: true } : {};
}

/** An inconsistency of our own is final: trying again would not help. */
export function known<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw failure({ type: 'Internal', message: `the journal has no ${what}` });
  return value;
}

export function withOld(journal: Journal, name: string): SealedSecret {
  return { name, old: known(secretIn(journal, name).old, `old value of ${name}`) };
}

export function withBoth(journal: Journal, name: string): Required<SealedSecret> {
  return { ...withOld(journal, name), fresh: known(secretIn(journal, name).fresh, `new value of ${name}`) };
}

export function allWithBoth(journal: Journal): Required<SealedSecret>[] {
  return journal.secrets.map((s) => withBoth(journal, s.name));
}
