/** What is decided of a secret, as it is told: times in text, and a sentence for a person in the zone of the schedule. */
import { formatDuration } from './duration.js';
import type { DueSecret, DueState, Gate, SecretFacts } from './due-verdict.js';
import type { Opening } from './opening.js';
import { type ScheduleSpec, zoneOf } from './schedule.js';
import { formatInstant, sayInstant } from './zoned-time.js';

/** In milliseconds since the epoch. */
export interface Decided {
  facts: SecretFacts;
  state: DueState;
  /** ±Infinity when unknown. */
  dueAt: number;
  /** From when it could be started if that were open; undefined when unknown. */
  retryAt: number | undefined;
  passed: readonly Opening[];
  next: number | undefined;
}

export function tellSecret(schedule: ScheduleSpec, gate: Gate, decided: Decided): DueSecret {
  const { facts, state, dueAt, passed, next } = decided;
  const rotation = facts.parked ?? facts.running;
  const [first] = passed;
  return {
    name: facts.name,
    state,
    ...(Number.isFinite(dueAt) ? { dueAt: formatInstant(dueAt) } : {}),
    missed: passed.length,
    ...(first === undefined ? {} : { firstMissed: formatInstant(first.from) }),
    ...(rotation === undefined ? {} : { rotation }),
    ...(next === undefined ? {} : { next: formatInstant(next) }),
    reason: sentence(schedule, gate, decided),
  };
}

function sentence(schedule: ScheduleSpec, gate: Gate, decided: Decided): string {
  const { facts, state, dueAt, retryAt } = decided;
  const say = sayIn(schedule);
  const ended = facts.lastEnd === undefined ? '' : ` ${say(Date.parse(facts.lastEnd.endedAt))}`;
  const missed = sayMissed(schedule, decided, say);
  switch (state) {
    case 'parked':
      return `rotation ${facts.parked} is parked and waits for a person`;
    case 'busy':
      return `rotation ${facts.running} is under way`;
    case 'not-due':
      return Number.isFinite(dueAt)
        ? `${sayRhythm(schedule, facts, say)}; due ${say(dueAt)}`
        : 'its calendar does not come round within five years';
    case 'blocked':
      return `${sayDue(schedule, decided, say)}; ${sayGivenUp(facts, ended)}, so a person has to start the next one, with --take-over${missed}`;
    case 'put-off':
      return `${sayDue(schedule, decided, say)}; its last rotation was undone${ended}; tried again ${retryAt === undefined ? 'when it opens next' : `from ${say(retryAt)}`}${missed}`;
    default:
      return `${sayDue(schedule, decided, say)}; ${sayGate(schedule, gate)}${missed}`;
  }
}

/** One that was terminated in Temporal has no record: all that is known of it is what it still holds. */
function sayGivenUp({ lastEnd, givenUp }: SecretFacts, ended: string): string {
  return lastEnd?.state === 'failed' || givenUp === undefined
    ? `its last rotation was aborted${ended}`
    : `rotation ${givenUp} was given up and still holds it`;
}

type Say = (instant: number) => string;

function sayIn(schedule: ScheduleSpec): Say {
  return (instant) => sayInstant(zoneOf(schedule), instant);
}

function sayRhythm({ rhythm }: ScheduleSpec, { lastSuccess }: SecretFacts, say: Say): string {
  if (lastSuccess === undefined) return 'never rotated';
  const every = rhythm.type === 'every' ? `, to be rotated every ${formatDuration(rhythm.everyMs)}` : '';
  return `last rotated ${say(Date.parse(lastSuccess))}${every}`;
}

function sayDue(schedule: ScheduleSpec, { facts, dueAt }: Decided, say: Say): string {
  const rhythm = sayRhythm(schedule, facts, say);
  const never = schedule.rhythm.type === 'every' && facts.lastSuccess === undefined;
  return never || !Number.isFinite(dueAt) ? rhythm : `${rhythm}; due since ${say(dueAt)}`;
}

/** Whether the schedule may start anything, for a person. */
export function sayGate(schedule: ScheduleSpec, gate: Gate): string {
  const { rhythm } = schedule;
  const say = sayIn(schedule);
  switch (gate.state) {
    case 'open':
      return 'may start now';
    case 'frozen':
      return `frozen until ${say(Date.parse(gate.until))}${gate.reason === undefined ? '' : ` (${gate.reason})`}`;
    default: {
      const what = rhythm.type === 'calendar' ? 'its next time' : 'its window';
      if (gate.opens === undefined) return `waits for ${what}, which does not come within five years`;
      return `waits for ${what}, ${rhythm.type === 'calendar' ? '' : 'which opens '}${say(Date.parse(gate.opens))}`;
    }
  }
}

function sayMissed({ rhythm }: ScheduleSpec, { passed }: Decided, say: Say): string {
  const [first] = passed;
  if (first === undefined) return '';
  const what = rhythm.type === 'calendar' ? 'time' : 'window';
  return passed.length === 1
    ? `; one ${what} has passed without a success, ${say(first.from)}`
    : `; ${passed.length} ${what}s have passed without a success, the first ${say(first.from)}`;
}
