/**
 * How the journal changes: when a command is registered (before its first
 * attempt), and when its outcome is known; say.ts has what a person changes.
 * Pure; the journal that goes in is not changed.
 */
import type { Asked, Command, CommandFacts, Journal, Outcome } from './journal.js';
import { dropOf, hostsOf, secretOf, structuredCopy } from './journal-parts.js';
import type { Reason } from './failure.js';
import type { EndState } from './steps.js';
import { overlapOf, retirementOf } from './plan.js';
import { isDrop, isUndo, pastUndo } from './undo.js';
import {
  endSteps,
  note,
  showAdvanced,
  showFailed,
  showRegistered,
  showState,
  showSucceeded,
} from './progress.js';

/** Writes down that `command` is about to be tried: from here on its effect may have happened. */
export function register(journal: Journal, command: Command, now: string): { journal: Journal; seq: number } {
  const j = structuredCopy(journal);
  j.seq += 1;
  switch (command.do) {
    case 'claim':
      j.claimed = 'begun';
      break;
    case 'preflight':
      j.preflight = 'begun';
      break;
    case 'generate':
      if (sourceOf(j, command.secret) === 'issuer') secretOf(j, command.secret).generated = 'begun';
      break;
    case 'apply':
      secretOf(j, command.secret)[command.purpose] = 'begun';
      break;
    case 'encrypt':
      (command.drop === true ? dropOf(j) : j.repo).branch = 'begun';
      break;
    case 'advance':
      if (command.drop !== true) for (const h of hostsOf(j, command.hosts)) h.switched = 'begun';
      else {
        for (const h of hostsOf(j, command.hosts)) if (h.drop !== undefined) h.drop.switched = 'begun';
        // What the old value had signed is refused from here on: only forward.
        for (const s of j.secrets) if (s.destroy === 'none') s.destroy = 'begun';
      }
      break;
    case 'merge':
      (command.drop === true ? dropOf(j) : j.repo).merge = 'begun';
      break;
    case 'restore':
      for (const h of hostsOf(j, command.hosts)) h.restored = 'begun';
      break;
    case 'unpublish':
      j.repo.unpublish = 'begun';
      break;
    case 'soak':
      j.soak.startedAt ??= now;
      break;
    default:
  }
  // A soak is waiting, though it looks again and again.
  const waits = command.do === 'soak' && j.plan.policy.soakMs > 0;
  if (waits) showState(j, 'waiting', now);
  else if (j.state === 'waiting') showState(j, 'running', now);
  if (j.mode === 'forward') showRegistered(j, command, now);
  return { journal: j, seq: j.seq };
}

/** Writes down what became of `command`, and where the rotation turns because of it. */
export function record(journal: Journal, command: Command, outcome: Outcome, now: string): Journal {
  const j = structuredCopy(journal);
  takeFacts(j, command, outcome.facts);
  if (outcome.ok) markDone(j, command, outcome.facts ?? {}, now);
  soakAnew(j, journal);
  if (outcome.ok) {
    showSucceeded(j, command, now);
    if (command.do === 'advance') tellWindow(j, now);
    return j;
  }
  const reason = outcome.reason;
  if (outcome.cancelled === true) {
    // Asked for: what may have happened stays marked as begun, and the undo covers it.
    return j.mode === 'undo' || pastUndo(j) ? j : turnBack(j, reason, now);
  }
  note(j, now, `${describe(command)}: ${reason.message}`);
  if (command.do === 'tidy') {
    // What is left behind (a garbage collector root, a branch) is harmless, and must not hold up an end.
    j.tidied = true;
    return j;
  }
  if (j.mode === 'undo') {
    // What was forward, and failed beside something else or after a person's `rollback`, is covered by the undo.
    return isUndo(command) ? park(j, command, reason, now, outcome) : j;
  }
  if (command.do === 'advance' && !isDrop(command) && toleratedFailures(j, command.hosts, outcome.facts)) {
    showAdvanced(j, now);
    return j;
  }
  showFailed(j, command, now, reason);
  if (pastUndo(j) || isDrop(command)) return park(j, command, reason, now, outcome);
  // Someone still uses the old value: nothing is wrong with the new one, so a person decides. Or he has to do it himself.
  if (command.do === 'drain' || reason.type === 'NeedsPerson') return park(j, command, reason, now, outcome);
  return turnBack(j, reason, now);
}

/** Turns to undo; the first reason is the one that is told. */
export function turnBack(journal: Journal, reason: Reason, now: string): Journal {
  const j = structuredCopy(journal);
  j.mode = 'undo';
  j.reason ??= reason;
  delete j.parked;
  showState(j, 'running', now, `undoing: ${reason.message}`);
  return j;
}

/** Writes down that nothing is to be done for a while. */
export function rest(journal: Journal, now: string): Journal {
  if (journal.state === 'waiting') return journal;
  const j = structuredCopy(journal);
  showState(j, 'waiting', now);
  return j;
}

function park(j: Journal, command: Command, reason: Reason, now: string, { act }: Asked = {}): Journal {
  j.parked = {
    command,
    reason: { ...reason, hint: parkedHint(j, command, reason) },
    ...(act === undefined ? {} : { act }),
  };
  showState(j, 'needs-attention', now, reason.message);
  return j;
}

/** What the failure says itself, and what to type then, where it does not say that too. */
function parkedHint(j: Journal, command: Command, { type, hint }: Reason): string {
  if (hint === undefined) return whatToDo(j, command);
  // A person confirms that it is done: the message says so.
  return type === 'NeedsPerson' || hint.includes('`rotate ')
    ? hint
    : `${hint}; then \`rotate retry ${j.id}\``;
}

/** For a park whose failure has no hint of its own. */
function whatToDo(j: Journal, command: Command): string {
  const skip = command.do === 'restore' ? `, or \`rotate skip ${j.id} HOST\` to go on without it` : '';
  const rollback = j.mode === 'forward' && !pastUndo(j) ? `, or \`rotate rollback ${j.id}\`` : '';
  return `put it right, then \`rotate retry ${j.id}\`${skip}${rollback}; \`rotate abort ${j.id}\` leaves it as it is`;
}

/** Parks on what {@link decide} found. */
export function parkOn(journal: Journal, command: Command, reason: Reason, now: string): Journal {
  if (journal.parked !== undefined) return journal;
  return park(structuredCopy(journal), command, reason, now);
}

/** Writes down the end. */
export function finish(journal: Journal, state: EndState, now: string): Journal {
  const j = structuredCopy(journal);
  delete j.parked;
  j.endedAt = now;
  endSteps(j, state, now);
  showState(j, state, now, j.reason?.message);
  return j;
}

function toleratedFailures(j: Journal, hosts: readonly string[], facts: CommandFacts | undefined): boolean {
  const reported = new Set((facts?.hosts ?? []).map((h) => h.name));
  // A host whose outcome is not told (the wave itself broke off) is never tolerated.
  if (!hosts.every((h) => reported.has(h))) return false;
  return j.hosts.filter((h) => h.failed !== undefined).length <= j.plan.policy.maxFailures;
}

/** `swap`: from when the new value counts to when the last consumer runs with it, logins can fail. The record says how long. */
function tellWindow(j: Journal, now: string): void {
  const from = j.secrets.map((s) => s.swappedAt ?? '').sort()[0] ?? '';
  if (overlapOf(j.plan) !== 'swap' || from === '' || !j.hosts.every((h) => h.verified)) return;
  if (j.proof.some((p) => p.claim === windowClaim)) return;
  const to = j.hosts.map((h) => h.startedAt ?? '').reduce((a, b) => (a > b ? a : b), from);
  const seconds = Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000).toFixed(1);
  j.proof.push({
    claim: windowClaim,
    result: 'passed',
    at: now,
    evidence: `${seconds} s, from ${from} to ${to}`,
  });
}

/** In the proof of a rotation whose issuer knows one value at a time. */
export const windowClaim = 'the window of the swap';

function takeFacts(j: Journal, command: Command, facts: CommandFacts | undefined): void {
  if (facts === undefined) return;
  if (facts.proof !== undefined) j.proof.push(...facts.proof);
  if (isDrop(command)) return takeDropFacts(j, facts);
  if (facts.epoch !== undefined) j.epoch = facts.epoch;
  if (facts.base !== undefined) j.repo.base = facts.base;
  if (facts.commit !== undefined) j.repo.commit = facts.commit;
  if (facts.merged !== undefined) j.repo.merged = facts.merged;
  for (const s of facts.secrets ?? []) {
    const known = secretOf(j, s.name);
    if (s.old !== undefined) known.old = s.old;
    if (s.fresh !== undefined) known.fresh = s.fresh;
    if (s.existing !== undefined) known.existing = s.existing;
    if (s.swappedAt !== undefined) known.swappedAt = s.swappedAt;
  }
  for (const h of facts.hosts ?? []) {
    const [known] = hostsOf(j, [h.name]);
    if (known === undefined) continue;
    if (h.old !== undefined) known.old = h.old;
    if (h.fresh !== undefined) known.fresh = h.fresh;
    if (h.files !== undefined) known.files = h.files;
    if (h.copied === true) known.copied = true;
    if (h.switched === true) known.switched = 'done';
    if (h.restarted === true) known.restarted = true;
    if (h.verified === true) known.verified = true;
    if (h.restored === true) known.restored = 'done';
    if (h.startedAt !== undefined) known.startedAt = h.startedAt;
    if (h.failed !== undefined && j.mode === 'forward') known.failed = h.failed;
  }
}

/** How long the old value is kept counts from the last host that began to write with the new one. */
function soakAnew(j: Journal, before: Journal): void {
  if (!before.soak.done || retirementOf(j.plan) !== 'deploy') return;
  const known = new Set(before.hosts.filter((h) => h.verified).map((h) => h.name));
  if (j.hosts.some((h) => h.verified && !known.has(h.name))) j.soak = { rounds: j.soak.rounds, done: false };
}

function takeDropFacts(j: Journal, facts: CommandFacts): void {
  if (facts.drop !== undefined) {
    // A host that comes later joins what the others have begun.
    j.drop ??= { base: facts.drop.base, branch: 'none', merge: 'none' };
    for (const { name, from, files } of facts.drop.hosts)
      for (const h of hostsOf(j, [name]))
        h.drop = { from, files, copied: false, switched: 'none', verified: false };
  }
  if (facts.commit !== undefined) dropOf(j).commit = facts.commit;
  for (const told of facts.hosts ?? []) {
    const drop = hostsOf(j, [told.name])[0]?.drop;
    if (drop === undefined) continue;
    if (told.fresh !== undefined) drop.to = told.fresh;
    if (told.switched === true) drop.switched = 'done';
    if (told.verified === true) drop.verified = true;
  }
}

function markDone(j: Journal, command: Command, facts: CommandFacts, now: string): void {
  switch (command.do) {
    case 'claim':
      j.claimed = 'done';
      break;
    case 'preflight':
      j.preflight = 'done';
      break;
    case 'generate':
      if (sourceOf(j, command.secret) === 'issuer') secretOf(j, command.secret).generated = 'done';
      break;
    case 'rebase':
      break;
    case 'apply':
      secretOf(j, command.secret)[command.purpose] = 'done';
      if (command.purpose === 'destroy') j.destroyedAt = facts.at ?? now;
      break;
    case 'encrypt':
      (command.drop === true ? dropOf(j) : j.repo).branch = 'done';
      break;
    case 'build':
      break;
    case 'copy':
      for (const h of hostsOf(j, command.hosts)) {
        if (command.drop !== true) h.copied = true;
        else if (h.drop !== undefined) h.drop.copied = true;
      }
      break;
    case 'advance':
      for (const h of hostsOf(j, command.hosts)) {
        if (command.drop !== true) {
          h.switched = 'done';
          h.restarted = true;
          h.verified = true;
        } else if (h.drop !== undefined) {
          h.drop.switched = 'done';
          h.drop.verified = true;
        }
      }
      break;
    case 'merge':
      (command.drop === true ? dropOf(j) : j.repo).merge = 'done';
      if (command.drop === true) {
        for (const s of j.secrets) s.destroy = 'done';
        j.destroyedAt = now;
      }
      break;
    case 'soak':
      j.soak.rounds += 1;
      if (facts.finished === true) {
        j.soak.done = true;
        j.soak.endedAt = now;
      }
      break;
    case 'drain':
      j.drained = true;
      break;
    case 'prove':
      j.proved[command.purpose] = true;
      break;
    case 'restore':
      for (const h of hostsOf(j, command.hosts)) h.restored = 'done';
      break;
    case 'unpublish':
      j.repo.unpublish = 'done';
      break;
    case 'tidy':
      j.tidied = true;
      break;
    default:
      command satisfies never;
  }
}

/** The rotation is over; from here on its claims are free and nobody can turn it. */
export function letGo(journal: Journal): Journal {
  return { ...journal, released: true };
}

/** One line for a person. */
export function describe(command: Command): string {
  switch (command.do) {
    case 'apply':
      return `${command.purpose} ${command.secret}`;
    case 'rebase':
      return 'prepare to drop the old value';
    case 'generate':
      return `generate ${command.secret}`;
    case 'prove':
      return `prove (${command.purpose})`;
    case 'build':
    case 'copy':
    case 'advance':
    case 'restore':
      return `${command.do} ${command.hosts.join(', ')}`;
    default:
      return command.do;
  }
}

function sourceOf(j: Journal, name: string): 'worker' | 'issuer' | 'person' | undefined {
  return j.plan.secrets.find((s) => s.name === name)?.source;
}
