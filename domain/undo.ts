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
 */
import type { Command, HostJournal, Journal } from './journal.js';

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
  const hosts = journal.hosts.filter((h) => mayHoldNew(h) && !h.skipped).map((h) => h.name);
  if (hosts.length > 0) plan.push({ do: 'restore', hosts });
  if (journal.repo.branch !== 'none' && journal.repo.unpublish !== 'done') plan.push({ do: 'unpublish' });
  for (const s of journal.secrets) {
    if (s.provision !== 'none' && s.withdraw !== 'done') {
      plan.push({ do: 'apply', secret: s.name, purpose: 'withdraw' });
    }
  }
  return plan;
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

/** Hosts that keep the old value from being revoked: not verified with the new one, and their loss not accepted. */
export function hostsHoldingOld(journal: Journal): HostJournal[] {
  return journal.hosts.filter((h) => !h.verified && !h.lossAccepted);
}
