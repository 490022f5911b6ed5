/** One line an event, for logs, pipes and screen readers: each says all that it is about. */
import type { Retry } from '../../client/retries.js';
import type { RotationEvent, RotationStatus } from '../../domain/status.js';
import { oneLine } from './text.js';
import { retryFacts, waitWords } from './waiting-words.js';

/** When, which rotation, which step or the rotation itself, on which host, its state, and what it says. */
export function eventLine(id: string, event: RotationEvent): string {
  const message = event.message === undefined ? [] : [event.message];
  const parts = {
    state: ['rotation', event.state ?? '', ...message],
    step: [event.step ?? '', event.stepState ?? '', ...message],
    host: [event.step ?? '', event.host ?? '', event.stepState ?? '', ...message],
    note: ['note', ...message],
  }[event.type];
  return line(event.at, id, parts);
}

/** What no event tells: until when it waits. Undefined when it does not. @param now milliseconds since the epoch */
export function waitLine(status: RotationStatus, now: number): string | undefined {
  if (status.state !== 'waiting' || status.waitingFor === undefined) return undefined;
  return line(new Date(now).toISOString(), status.id, ['rotation', waitWords(status, now)]);
}

/** What the rotation itself does not know: that an activity is tried again. @param now milliseconds since the epoch */
export function retryLine(id: string, retry: Retry, now: number): string {
  return line(new Date(now).toISOString(), id, ['retry', retryFacts(retry)]);
}

function line(at: string, id: string, parts: readonly string[]): string {
  return oneLine([at.replace(/\.\d+Z$/, 'Z'), id, ...parts].join('  '));
}
