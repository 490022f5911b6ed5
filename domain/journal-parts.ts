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

/** `structuredClone` is absent in the workflow sandbox; a journal is plain JSON. */
export function structuredCopy(journal: Journal): Journal {
  const copy: Journal = JSON.parse(JSON.stringify(journal));
  return copy;
}
