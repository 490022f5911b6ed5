/** Parts of a journal, by name. */
import type { HostJournal, Journal, RepoDrop, SecretJournal } from './journal.js';

export function dropOf(j: Journal): RepoDrop {
  if (j.drop === undefined) throw new Error('the journal has no second deploy');
  return j.drop;
}

export function secretOf(j: Journal, name: string): SecretJournal {
  const secret = j.secrets.find((s) => s.name === name);
  if (secret === undefined) throw new Error(`the journal has no secret ${name}`);
  return secret;
}

export function hostsOf(j: Journal, names: readonly string[]): HostJournal[] {
  return j.hosts.filter((h) => names.includes(h.name));
}

/**
 * A copy of all that may change; the plan, which is most of a journal, never does. (`structuredClone` is absent in the
 * workflow sandbox; a journal is plain JSON.)
 */
export function structuredCopy({ plan, ...changes }: Journal): Journal {
  const copy: Omit<Journal, 'plan'> = JSON.parse(JSON.stringify(changes));
  return { ...copy, plan };
}
