/**
 * What a watcher sees of the journal: the six steps with their hosts, and the
 * events. Kept apart from the decisions, which never look at it.
 */
import type { Command, Journal } from './journal.js';
import type { Reason } from './failure.js';
import { rotationNotices, type RotationNotice } from './notification.js';
import { isDrop } from './undo.js';
import type { HostStatus, RotationEvent, RotationStatus, StepStatus } from './status.js';
import {
  isEndState,
  stepNames,
  type EndState,
  type RotationState,
  type StepName,
  type StepState,
} from './steps.js';
import { waitingFor } from './waiting.js';

/** Events kept in the journal; a watcher that lags further behind sees the states, not each event. */
const keptEvents = 200;

/** Events that a continued run starts with: enough for a watcher who looks twice a second. */
const continuedEvents = 60;

export function initialSteps(): StepStatus[] {
  return stepNames.map((name) => ({ name, state: 'pending', attempts: 0, hosts: [] }));
}

/** The step that a forward command belongs to. */
export function stepOf(command: Command): StepName {
  if (isDrop(command)) return 'revoke';
  switch (command.do) {
    case 'claim':
    case 'preflight':
    case 'generate':
      return 'generate';
    case 'apply':
      return command.purpose === 'provision' || command.purpose === 'withdraw' ? 'generate' : 'revoke';
    case 'encrypt':
    case 'unpublish':
      return 'encrypt';
    case 'build':
    case 'copy':
    case 'advance':
    case 'restore':
      return 'deploy';
    case 'merge':
    case 'soak':
      return 'verify';
    case 'drain':
    case 'prove':
    case 'rebase':
    case 'tidy':
      return 'revoke';
    default:
      return command satisfies never;
  }
}

export function showRegistered(j: Journal, command: Command, now: string): void {
  const step = stepOf(command);
  // A step that comes later has begun: those before it are over.
  for (const name of stepNames) {
    if (name === step) break;
    const earlier = stepStatus(j, name);
    // The issuer is told beside what is encrypted.
    const beside = name === 'generate' && j.secrets.some((s) => s.provision === 'begun');
    if (earlier.state === 'running' && !isHostStep(name) && !beside) setStep(j, name, 'done', now);
  }
  const status = stepStatus(j, step);
  if (status.state !== 'running') {
    status.attempts += 1;
    setStep(j, step, 'running', now);
  }
}

export function showSucceeded(j: Journal, command: Command, now: string): void {
  if (j.mode === 'undo') return showUndone(j, command, now);
  if (isDrop(command)) {
    if (command.do === 'advance') settleHosts(stepStatus(j, 'revoke'), 'done', now);
    return;
  }
  if (command.do === 'preflight') settleHosts(stepStatus(j, 'generate'), 'done', now);
  if (command.do === 'encrypt') setStep(j, 'encrypt', 'done', now);
  if (command.do === 'apply' && command.purpose === 'provision') {
    if (j.secrets.every((s) => s.provision === 'done')) setStep(j, 'generate', 'done', now);
  }
  if (j.tidied && j.proved.later) setStep(j, 'revoke', 'done', now);
  if (command.do === 'advance') showAdvanced(j, now);
  if (command.do === 'soak' && j.soak.done) setStep(j, 'verify', 'done', now);
}

/** A wave is through; perhaps with a host that failed and was tolerated. */
export function showAdvanced(j: Journal, now: string): void {
  if (!j.hosts.every((h) => h.verified || h.skipped || h.failed !== undefined)) return;
  setStep(j, 'deploy', 'done', now);
  // When no host came so far, it ends as skipped.
  if (j.hosts.some((h) => h.verified)) setStep(j, 'restart', 'done', now);
}

function showUndone(j: Journal, command: Command, now: string): void {
  const undo = (step: StepName): void => {
    const state = stepStatus(j, step).state;
    if (state === 'done' || state === 'running') setStep(j, step, 'undone', now);
  };
  if (command.do === 'apply' && command.purpose === 'reenable') undo('revoke');
  if (command.do === 'restore') (['verify', 'restart', 'deploy'] as const).forEach(undo);
  if (command.do === 'unpublish') undo('encrypt');
  if (command.do === 'apply' && command.purpose === 'withdraw') undo('generate');
}

export function showFailed(j: Journal, command: Command, now: string, reason: Reason): void {
  if (command.do === 'advance' && !isDrop(command)) {
    // The hosts tell which of the three steps failed; nothing told: the first of them.
    const failed = (['deploy', 'restart', 'verify'] as const).filter((name) =>
      stepStatus(j, name).hosts.some((h) => h.state === 'failed'),
    );
    for (const name of failed.length > 0 ? failed : (['deploy'] as const))
      setStep(j, name, 'failed', now, reason.message);
    return;
  }
  setStep(j, stepOf(command), 'failed', now, reason.message);
}

/** A host's progress in one of the steps, as a wave reports it. */
export function showHost(j: Journal, step: StepName, host: HostStatus, now: string): void {
  const status = stepStatus(j, step);
  let known = status.hosts.find((h) => h.name === host.name);
  if (known?.state === host.state && known.message === host.message) return;
  if (known === undefined) {
    known = { name: host.name, state: 'pending' };
    status.hosts.push(known);
  }
  setHost(known, host.state, now);
  if (host.message === undefined) delete known.message;
  else known.message = host.message;
  if (host.state === 'running' && status.state !== 'running' && j.mode === 'forward') {
    status.attempts += 1;
    setStep(j, step, 'running', now);
  }
  event(j, now, {
    type: 'host',
    step,
    stepState: host.state,
    host: host.name,
    ...(host.message === undefined ? {} : { message: host.message }),
  });
}

export function showState(j: Journal, state: RotationState, now: string, message?: string): void {
  if (j.state === state && message === undefined) return;
  j.state = state;
  event(j, now, { type: 'state', state, ...(message === undefined ? {} : { message }) });
}

export function note(j: Journal, now: string, message: string): void {
  event(j, now, { type: 'note', message });
}

/** What becomes of a step that is still running when the rotation ends so. */
const endOfRunning: Readonly<Record<EndState, StepState>> = {
  done: 'done',
  'rolled-back': 'undone',
  refused: 'undone',
  // Given up in the middle: nobody saw it through, in neither direction.
  failed: 'failed',
};

/** At the end no step, and no host in it, is left pending or running. */
export function endSteps(j: Journal, end: EndState, now: string): void {
  for (const status of j.steps) {
    if (status.state === 'pending') setStep(j, status.name, 'skipped', now);
    else if (status.state === 'running') {
      if (end === 'failed') settleHosts(status, 'failed', now);
      setStep(j, status.name, endOfRunning[end], now);
    } else if (status.state === 'done' && end === 'rolled-back') setStep(j, status.name, 'undone', now);
    settleHosts(status, endOfRunning[end], now);
  }
}

/** What `rotate status` prints. */
export function statusOf(j: Journal): RotationStatus {
  const reason = j.parked?.reason ?? j.reason;
  const waits = waitingFor(j);
  return {
    id: j.id,
    environment: j.environment,
    secrets: j.secrets.map((s) => s.name),
    state: j.state,
    ...(waits === undefined ? {} : { waitingFor: waits }),
    ...(reason === undefined ? {} : { reason }),
    by: j.by,
    startedAt: j.startedAt,
    ...(j.endedAt === undefined ? {} : { endedAt: j.endedAt }),
    steps: j.steps,
    ...(isEndState(j.state) ? { proof: j.proof } : {}),
  };
}

/** Events after number `after` that are still kept. */
export function eventsAfter(j: Journal, after: number): RotationEvent[] {
  return j.events.filter((e) => e.n > after);
}

/**
 * What people are to be told now, and the journal that remembers it; undefined: nothing new. A state that was told is
 * told again only after something else: a park that tries again by itself and fails for the same reason is no news.
 */
export function newsOf(j: Journal): { event: RotationNotice; journal: Journal } | undefined {
  const notice = j.told === undefined && j.state === 'running' ? 'started' : noticeOf(j.state);
  if (notice === undefined) return undefined;
  const reason = j.parked?.reason;
  const told = `${notice} ${reason === undefined ? '' : `${reason.type}: ${reason.message}`}`.trim();
  if (told === j.told) return undefined;
  return { event: notice, journal: { ...j, told, notices: j.notices + 1 } };
}

function noticeOf(state: RotationState): RotationNotice | undefined {
  return rotationNotices.find((notice) => notice === state);
}

/** The journal as a continued run gets it. */
export function forNextRun(j: Journal): Journal {
  return { ...j, events: j.events.slice(-continuedEvents) };
}

/** Bytes of proof that a memo may hold: lists of rotations carry every memo. */
const memoProofLimit = 8 * 1024;

/** The status for when no worker answers: without hosts, and without the proof where that is long. */
export function memoOf(j: Journal): RotationStatus {
  const { proof, waitingFor: waits, ...status } = statusOf(j);
  const short = proof !== undefined && JSON.stringify(proof).length <= memoProofLimit;
  const { hosts: _, ...waitsFor } = waits ?? {};
  return {
    ...status,
    ...('what' in waitsFor ? { waitingFor: waitsFor } : {}),
    steps: status.steps.map((s) => ({ ...s, hosts: [] })),
    ...(short ? { proof } : {}),
  };
}

function isHostStep(name: StepName): boolean {
  return name === 'deploy' || name === 'restart';
}

function stepStatus(j: Journal, name: StepName): StepStatus {
  const status = j.steps.find((s) => s.name === name);
  if (status === undefined) throw new Error(`the journal has no step ${name}`);
  return status;
}

function setStep(j: Journal, name: StepName, state: StepState, now: string, message?: string): void {
  const status = stepStatus(j, name);
  if (status.state === state) return;
  status.state = state;
  if (state === 'running') {
    status.startedAt ??= now;
    delete status.endedAt;
  } else {
    if (state !== 'skipped') {
      // Its beginning may have been told too late, with its end.
      status.attempts = Math.max(1, status.attempts);
      status.startedAt ??= now;
      status.endedAt = now;
    }
    // Where the step failed the hosts that failed say so themselves; the others were not seen through.
    settleHosts(status, state === 'failed' ? 'skipped' : state, now);
  }
  event(j, now, {
    type: 'step',
    step: name,
    stepState: state,
    ...(message === undefined ? {} : { message }),
  });
}

/** Nothing goes on any more on the hosts of a step. */
function settleHosts(status: StepStatus, state: StepState, now: string): void {
  for (const host of status.hosts) {
    if (host.state !== 'running') continue;
    setHost(host, state, now);
    delete host.message;
  }
}

/** Tried once more, it has begun once more: what is of interest is how long it takes now. */
function setHost(host: HostStatus, state: StepState, now: string): void {
  if (state === 'running') {
    if (host.state !== 'running') host.startedAt = now;
    delete host.endedAt;
  } else {
    host.startedAt ??= now;
    host.endedAt = now;
  }
  host.state = state;
}

function event(j: Journal, at: string, e: Omit<RotationEvent, 'n' | 'at'>): void {
  j.eventCount += 1;
  j.events.push({ n: j.eventCount, at, ...e });
  if (j.events.length > keptEvents) j.events.splice(0, j.events.length - keptEvents);
}
