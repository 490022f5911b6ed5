/**
 * What a rotation does next: a pure function of its journal.
 *
 * The workflow is only its hand: it runs what this says and writes down what came
 * of it (record.ts). The exhaustive model in the tests runs the same functions
 * against every order of crash, duplicate, late attempt and cancellation.
 */
import type { Command, Journal } from './journal.js';
import type { EndState } from './steps.js';
import type { Reason } from './failure.js';
import { overlapOf, retirementOf } from './plan.js';
import { hostsHoldingNew, hostsHoldingOld, undoPlan } from './undo.js';

export type Action =
  /** Run these at once; none depends on another. */
  | { type: 'run'; commands: Command[] }
  /** Nothing to do until then. */
  | { type: 'wait'; for: 'prove-again' | 'keep-old'; until: string }
  /** A person has to say what to do. */
  | { type: 'park'; command: Command; reason: Reason }
  | { type: 'end'; state: EndState };

/** @param now RFC 3339; only waits look at it */
export function decide(journal: Journal, now: string): Action {
  if (journal.parked !== undefined) return { type: 'park', ...journal.parked };
  return journal.mode === 'undo' ? decideUndo(journal) : decideForward(journal, now);
}

function run(...commands: Command[]): Action {
  return { type: 'run', commands };
}

function decideForward(journal: Journal, now: string): Action {
  if (journal.claimed !== 'done') return run({ do: 'claim' });
  if (journal.preflight !== 'done') return run({ do: 'preflight' });

  const swap = overlapOf(journal.plan) === 'swap';
  const toGenerate = journal.secrets.filter((s) => s.fresh === undefined);
  if (toGenerate.length > 0)
    return run(...toGenerate.map((s): Command => ({ do: 'generate', secret: s.name })));
  const provision = applies(journal, 'provision');
  // Nobody reads the branch before the issuer accepts what is in it: hosts get it last.
  const before = [
    ...(swap ? [] : provision),
    ...(journal.repo.branch === 'done' ? [] : [{ do: 'encrypt' } as const]),
  ];
  if (before.length > 0) return run(...before);

  // Everything is built and copied before anything is switched: what can fail without effect fails first.
  const going = journal.hosts.filter((h) => !h.skipped && h.failed === undefined);
  const toBuild = going.filter((h) => h.fresh === undefined);
  if (toBuild.length > 0) return run({ do: 'build', hosts: toBuild.map((h) => h.name) });
  const toCopy = going.filter((h) => !h.copied);
  if (toCopy.length > 0) return run({ do: 'copy', hosts: toCopy.map((h) => h.name) });

  // The issuer knows one value at a time: everything is ready, and from here on it has to be quick.
  if (provision.length > 0)
    return run(...(journal.proved.before ? provision : [{ do: 'prove', purpose: 'before' } as const]));

  const ahead = going.filter((h) => !h.verified);
  if (ahead.length > 0) {
    const wave = Math.min(...ahead.map((h) => h.wave));
    return run({ do: 'advance', hosts: ahead.filter((h) => h.wave === wave).map((h) => h.name) });
  }

  if (journal.repo.merge !== 'done') return run({ do: 'merge' });
  if (!journal.soak.done) return run({ do: 'soak' });
  return retirementOf(journal.plan) === 'deploy' ? decideDrop(journal, now) : decideRevoke(journal, now);
}

/** The issuer refuses the old value, and then forgets it. */
function decideRevoke(journal: Journal, now: string): Action {
  const holding = hostsHoldingOld(journal);
  if (holding.length > 0 && !journal.secrets.some((s) => s.destroy !== 'none')) {
    const old =
      overlapOf(journal.plan) === 'swap'
        ? `${names(holding)} may still hold the old value, which is refused by now`
        : `the old value is not revoked: ${names(holding)} may still hold it`;
    return parkOnHosts({ do: 'drain' }, old, ', or `rotate rollback`');
  }
  if (!journal.drained) return run({ do: 'drain' });
  if (!journal.proved.before) return run({ do: 'prove', purpose: 'before' });
  if (journal.plan.secrets.some((s) => s.canDisable)) {
    const disable = applies(journal, 'disable');
    if (disable.length > 0) return run(...disable);
    if (!journal.proved.disabled) return run({ do: 'prove', purpose: 'disabled' });
  }
  const destroy = applies(journal, 'destroy');
  if (destroy.length > 0) return run(...destroy);
  return decideEnd(journal, now);
}

/** A second deploy, which leaves the old value out of the files once all that it signed has expired. */
function decideDrop(journal: Journal, now: string): Action {
  const keepOldMs = Math.max(0, ...journal.plan.secrets.map((s) => s.keepOldMs ?? 0));
  const until = laterThan(journal.soak.endedAt ?? now, keepOldMs);
  if (journal.drop === undefined) {
    // What such a host signs with the old value is refused by the others as soon as they have dropped it.
    const holding = hostsHoldingOld(journal);
    if (holding.length > 0)
      return parkOnHosts(
        { do: 'rebase' },
        `the old value is not dropped: ${names(holding)} may still have it alone`,
        ', or `rotate rollback`',
      );
    if (now < until) return { type: 'wait', for: 'keep-old', until };
    return run({ do: 'rebase' });
  }
  if (journal.drop.branch !== 'done') return run({ do: 'encrypt', drop: true });
  const going = journal.hosts.filter((h) => !h.skipped);
  // Skipped when the second deploy began, and back since.
  if (going.some((h) => h.drop === undefined)) return run({ do: 'rebase' });
  const toBuild = going.filter((h) => h.drop?.to === undefined).map((h) => h.name);
  if (toBuild.length > 0) return run({ do: 'build', hosts: toBuild, drop: true });
  const toCopy = going.filter((h) => h.drop?.copied !== true).map((h) => h.name);
  if (toCopy.length > 0) return run({ do: 'copy', hosts: toCopy, drop: true });
  const ahead = going.filter((h) => h.drop?.verified !== true);
  if (ahead.length > 0) {
    const wave = Math.min(...ahead.map((h) => h.wave));
    const hosts = ahead.filter((h) => h.wave === wave).map((h) => h.name);
    return run({ do: 'advance', hosts, drop: true });
  }
  if (journal.drop.merge !== 'done') return run({ do: 'merge', drop: true });
  const holding = hostsHoldingOld(journal);
  if (holding.length > 0)
    return parkOnHosts({ do: 'merge', drop: true }, `${names(holding)} may still accept the old value`);
  return decideEnd(journal, now);
}

/** The old value is gone: that is proven, at once and later. */
function decideEnd(journal: Journal, now: string): Action {
  if (!journal.proved.destroyed) return run({ do: 'prove', purpose: 'destroyed' });
  if (!journal.proved.later) {
    const until = laterThan(journal.destroyedAt ?? now, journal.plan.policy.proveAgainMs);
    if (now < until) return { type: 'wait', for: 'prove-again', until };
    // What was kept for an undo is of no use any more, whatever an issuer says. What hosts are compared with is kept.
    const beside = journal.tidied || retirementOf(journal.plan) === 'deploy' ? [] : [{ do: 'tidy' } as const];
    return run({ do: 'prove', purpose: 'later' }, ...beside);
  }
  if (!journal.tidied) return run({ do: 'tidy' });
  return { type: 'end', state: 'done' };
}

function decideUndo(journal: Journal): Action {
  const [next] = undoPlan(journal);
  if (next === undefined) {
    if (!journal.tidied && journal.preflight === 'done') return run({ do: 'tidy' });
    return { type: 'end', state: nothingBegan(journal) ? 'refused' : 'rolled-back' };
  }
  if (next.do === 'apply' && next.purpose === 'withdraw') {
    const holding = hostsHoldingNew(journal);
    if (holding.length > 0)
      return parkOnHosts(
        next,
        overlapOf(journal.plan) === 'swap'
          ? `${names(holding)} may still hold the new value, which is refused by now`
          : `the new value is not withdrawn: ${names(holding)} may still hold it`,
      );
  }
  return run(next);
}

/** Hosts hold it up, and a person brings them back or gives them up. */
function parkOnHosts(command: Command, message: string, orElse = ''): Action {
  const hint = `bring the host back and \`rotate retry\`, or \`rotate skip ID HOST --accept-loss\`${orElse}`;
  return { type: 'park', command, reason: { type: 'StillInUse', message, hint } };
}

/** Whether no effect was ever begun, so that the end is `refused` and not `rolled-back`. */
export function nothingBegan(journal: Journal): boolean {
  return (
    journal.secrets.every((s) => s.provision === 'none' && s.generated === 'none') &&
    journal.repo.branch === 'none' &&
    journal.hosts.every((h) => h.switched === 'none')
  );
}

function applies(journal: Journal, purpose: 'provision' | 'disable' | 'destroy'): Command[] {
  const able = new Set(
    journal.plan.secrets.filter((s) => purpose !== 'disable' || s.canDisable).map((s) => s.name),
  );
  return journal.secrets
    .filter((s) => s[purpose] !== 'done' && able.has(s.name))
    .map((s) => ({ do: 'apply', secret: s.name, purpose }));
}

function names(hosts: readonly { name: string }[]): string {
  return hosts.map((h) => h.name).join(', ');
}

/** RFC 3339 of `ms` milliseconds after `at`. */
export function laterThan(at: string, ms: number): string {
  return new Date(Date.parse(at) + ms).toISOString();
}
