/**
 * The undo, as a pure function of the journal.
 *
 * It is not "invert the last call" but "make the old credential valid and
 * deployed again", and so safe from any state: it covers whatever may have
 * happened (`begun`), in an order that keeps the invariant that every value which
 * a host may hold is accepted by its issuer:
 *
 *   1. the issuer accepts the old value again (both are valid now),
 *   2. hosts go back to the old system,
 *   3. the repo goes back to the old value,
 *   4. only then, and only if no host may still hold it, the new value is withdrawn.
 *
 * Where the issuer knows one value at a time (`swap`) the first step takes the new value away from hosts that have it:
 * the way back is a critical section like the way there, and the last step only makes sure.
 */
import type { Command, HostJournal, Journal, SecretJournal } from './journal.js';
import { overlapOf, retirementOf } from './plan.js';

/** Whether the host may run, have installed or boot with the new value. */
export function mayHoldNew(host: HostJournal): boolean {
  return host.switched !== 'none' && host.restored !== 'done';
}

/** Whether it is past the point from which only forward is possible. */
export function pastUndo(journal: Journal): boolean {
  return journal.secrets.some((s) => s.destroy !== 'none');
}

/**
 * What is left to undo, in order. Empty: nothing, the rotation is undone.
 * Commands that are `done` are not repeated.
 */
export function undoPlan(journal: Journal): Command[] {
  const plan: Command[] = [];
  for (const s of journal.secrets) {
    // Also where nothing was disabled: it raises the fence at the issuer, so that a late attempt of ours is refused.
    if (s.provision !== 'none' && s.reenable !== 'done' && s.withdraw === 'none') {
      plan.push({ do: 'apply', secret: s.name, purpose: 'reenable' });
    }
  }
  const back = journal.hosts.filter((h) => mayHoldNew(h) && !h.skipped);
  // A wave of its own is for the host of the issuer, which others cannot do without while it restarts.
  const together =
    overlapOf(journal.plan) === 'swap' ? [...new Set(back.map((h) => h.wave))].sort(byNumber) : [];
  if (together.length > 1)
    for (const wave of together)
      plan.push({ do: 'restore', hosts: back.filter((h) => h.wave === wave).map((h) => h.name) });
  else if (back.length > 0) plan.push({ do: 'restore', hosts: back.map((h) => h.name) });
  if (journal.repo.branch !== 'none' && journal.repo.unpublish !== 'done') plan.push({ do: 'unpublish' });
  for (const s of journal.secrets) {
    if (mayBeMade(s) && s.withdraw !== 'done') {
      plan.push({ do: 'apply', secret: s.name, purpose: 'withdraw' });
    }
  }
  return plan;
}

/** Whether the issuer may know the new value. */
function mayBeMade(secret: SecretJournal): boolean {
  return secret.provision !== 'none' || secret.generated !== 'none';
}

function byNumber(a: number, b: number): number {
  return a - b;
}

/** Whether `command` belongs to the second deploy: what fails there parks, and nothing is undone for it. */
export function isDrop(command: Command): boolean {
  return command.do === 'rebase' || ('drop' in command && command.drop);
}

/** Whether `command` belongs to the way back. */
export function isUndo(command: Command): boolean {
  if (command.do === 'apply') return command.purpose === 'reenable' || command.purpose === 'withdraw';
  return command.do === 'restore' || command.do === 'unpublish';
}

/** Hosts that keep the new value from being withdrawn: skipped, unproven, and their loss not accepted. */
export function hostsHoldingNew(journal: Journal): HostJournal[] {
  return journal.hosts.filter((h) => mayHoldNew(h) && !h.lossAccepted);
}

/**
 * Hosts that keep the old value from being gone: not verified with the new one (where the files have both values,
 * without the old one), and their loss not accepted.
 */
export function hostsHoldingOld(journal: Journal): HostJournal[] {
  const both = retirementOf(journal.plan) === 'deploy' && journal.drop !== undefined;
  return journal.hosts.filter((h) => !(both ? h.drop?.verified === true : h.verified) && !h.lossAccepted);
}
