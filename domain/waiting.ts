/**
 * What a rotation waits for, so that a watcher can be told until when, or what to type. A pure function of the
 * journal, and only of what changes together with the state, the steps or the reason: the memo, which has it too, is
 * then written no more often.
 */
import { decide, laterThan } from './decide.js';
import type { HostJournal, Journal } from './journal.js';
import type { PersonWord, WaitingFor } from './status.js';
import { isDrop, mayHoldNew, pastUndo } from './undo.js';

/** Undefined unless the state is `waiting` or `needs-attention`. */
export function waitingFor(j: Journal): WaitingFor | undefined {
  if (j.state === 'needs-attention') return j.parked === undefined ? undefined : person(j, j.parked);
  if (j.state !== 'waiting') return undefined;
  if (!j.soak.done) {
    const { startedAt } = j.soak;
    return startedAt === undefined
      ? undefined
      : { what: 'soak', until: laterThan(startedAt, j.plan.policy.soakMs) };
  }
  // At the beginning of time every wait is still ahead.
  const next = decide(j, new Date(0).toISOString());
  if (next.type !== 'wait') return undefined;
  return { what: next.for === 'keep-old' ? 'old-value' : next.for, until: next.until };
}

function person(j: Journal, { command, reason }: NonNullable<Journal['parked']>): WaitingFor {
  const hosts = j.hosts.filter((host) => hasWork(j, host)).map(({ name }) => name);
  const back = j.mode === 'forward' && !pastUndo(j);
  const words: PersonWord[] = [
    ...(reason.type === 'NeedsPerson' ? (['confirm'] as const) : []),
    'retry',
    ...(hosts.length > 0 ? (['skip'] as const) : []),
    ...(back ? (['rollback'] as const) : []),
    'abort',
  ];
  return {
    what: 'person',
    words,
    ...(hosts.length > 0 ? { hosts } : {}),
    ...(pastUndo(j) || isDrop(command) ? { triesAgain: true } : {}),
  };
}

/** Whether something is left to do on the host, so that it can be skipped. */
function hasWork(j: Journal, host: HostJournal): boolean {
  if (j.mode === 'undo') return mayHoldNew(host);
  return j.drop === undefined ? !host.verified : host.drop?.verified !== true;
}
