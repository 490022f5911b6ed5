/**
 * What a schedule has to start at one moment: decided from the schedule, the freezes and what is known of each
 * secret, and from nothing else.
 *
 * - `every`: a secret is due when so long has passed since its last success; at once when it was never rotated.
 * - `calendar`: it is due from each time on, until a success.
 * - What runs or is parked is not started again; what was aborted, or is still held by a rotation that was terminated,
 *   waits for a person (`--take-over`); what was undone waits for the next opening (without a window: a day), so that a
 *   fleet is not shaken again and again; what was refused has changed nothing, and is tried at each look.
 * - Nothing starts in a freeze, nor outside of the window or of the time that a calendar leaves (openings.ts).
 */
import { latestOccurrence, nextOccurrence } from './calendar.js';
import type { DueQuestion, DueState, DueVerdict, Gate, SecretFacts } from './due-verdict.js';
import { sayGate, tellSecret } from './due-words.js';
import { type Frozen, frozen } from './freeze.js';
import { type Opening, searchDays } from './opening.js';
import { type Openings, openingsOf } from './openings.js';
import type { FreezeSpec, ScheduleSpec } from './schedule.js';
import { formatInstant } from './zoned-time.js';

const dayMs = 86_400_000;

/** Instants are milliseconds since the epoch. */
interface Moment {
  now: number;
  /** Undefined when anything may start at any time. */
  openings: Openings | undefined;
  /** That is under way, else the next one. */
  opening: Opening | undefined;
}

/**
 * The answer of a schedule: what is to be started now, and of each secret how it stands and when it will be started.
 * @throws RangeError when a time is none, or the engine does not know a zone that the schedule names
 */
export function dueNow({ schedule, freezes, secrets, ...times }: DueQuestion): DueVerdict {
  const now = Date.parse(times.now);
  const since = times.since === undefined ? -Infinity : Date.parse(times.since);
  const { environment } = schedule;
  const openings = openingsOf(schedule);
  const moment: Moment = { now, openings, opening: openings?.at(now) };
  const gate = gateOf(moment, frozen(freezes, environment, now));
  const mayStart = (from: number): number | undefined =>
    firstStart(from, openings, (instant) => frozen(freezes, environment, instant));

  const dated = secrets.map((facts) => {
    const dueAt = dueTime(schedule, facts, since, now);
    return { facts, dueAt, countedFrom: countedFrom(dueAt, since, now) };
  });
  const passed = passedBetween(openings, Math.min(...dated.map((each) => each.countedFrom)), now);
  const told = dated.map((each) => {
    const { state, from } = judge(each.facts, each.dueAt, moment);
    return tellSecret(schedule, gate, {
      ...each,
      state,
      retryAt: from,
      passed: idle(state) ? passed.filter((opening) => opening.from >= each.countedFrom) : [],
      next: from === undefined ? undefined : mayStart(from),
    });
  });

  const nexts = told.flatMap(({ next }) => (next === undefined ? [] : [next])).toSorted();
  return {
    schedule: schedule.name,
    environment,
    at: formatInstant(now),
    gate,
    start: gate.state === 'open' ? told.filter(({ state }) => state === 'due').map(({ name }) => name) : [],
    secrets: told,
    ...(nexts[0] === undefined ? {} : { next: nexts[0] }),
  };
}

/** Why the schedule may not start anything at `now` (RFC 3339), for a person; undefined when it may. */
export function whyClosed(
  schedule: ScheduleSpec,
  freezes: readonly FreezeSpec[],
  now: string,
): string | undefined {
  const { gate } = dueNow({ schedule, freezes, secrets: [], now });
  return gate.state === 'open' ? undefined : sayGate(schedule, gate);
}

function gateOf({ now, openings, opening }: Moment, freeze: Frozen | undefined): Gate {
  if (freeze !== undefined) {
    const { reason } = freeze.freeze;
    return {
      state: 'frozen',
      until: formatInstant(freeze.until),
      ...(reason === undefined ? {} : { reason }),
    };
  }
  if (openings === undefined) return { state: 'open' };
  if (opening === undefined) return { state: 'outside-window' };
  return opening.from <= now
    ? { state: 'open', until: formatInstant(opening.to) }
    : { state: 'outside-window', opens: formatInstant(opening.from) };
}

/** When the secret became due, or will be. -Infinity: nobody knows since when. Infinity: never, as far as is looked. */
function dueTime({ rhythm }: ScheduleSpec, { lastSuccess }: SecretFacts, since: number, now: number): number {
  const success = lastSuccess === undefined ? -Infinity : Date.parse(lastSuccess);
  if (rhythm.type === 'every') return lastSuccess === undefined ? since : success + rhythm.everyMs;
  const { calendar } = rhythm;
  const after = Math.max(success, since);
  const first =
    after === -Infinity
      ? (latestOccurrence(calendar, now) ?? nextOccurrence(calendar, now))
      : nextOccurrence(calendar, after);
  return first ?? Infinity;
}

/** From when on openings that pass count as missed. */
function countedFrom(dueAt: number, since: number, now: number): number {
  const from = Math.max(dueAt, since);
  return Number.isFinite(from) ? from : now;
}

/** How a secret stands, and from when it could be started if it were open then; undefined when that is unknown. */
function judge(facts: SecretFacts, dueAt: number, moment: Moment): { state: DueState; from?: number } {
  const { parked, running, givenUp } = facts;
  const end = endSinceSuccess(facts);
  if (dueAt > moment.now) {
    // that a person rotates it before it is due is no news, and when it is due after that is not known yet
    const unknown = dueAt === Infinity || [parked, running, givenUp].some((id) => id !== undefined);
    const from = unknown ? undefined : startableFrom(dueAt, end, moment.openings);
    return { state: 'not-due', ...(from === undefined ? {} : { from }) };
  }
  // what is parked is under way as well, and that it waits for a person is the news
  if (parked !== undefined) return { state: 'parked' };
  if (running !== undefined) return { state: 'busy' };
  if (end?.state === 'failed' || givenUp !== undefined) return { state: 'blocked' };
  const from = startableFrom(moment.now, end, moment.openings);
  if (from === undefined) return { state: 'put-off' };
  return { state: from > moment.now ? 'put-off' : 'due', from };
}

function endSinceSuccess({ lastEnd, lastSuccess }: SecretFacts): SecretFacts['lastEnd'] {
  if (lastEnd === undefined || lastSuccess === undefined) return lastEnd;
  return Date.parse(lastEnd.endedAt) > Date.parse(lastSuccess) ? lastEnd : undefined;
}

/** From when on, not before `at`, what ended so is tried again: what was undone not in the same opening. */
function startableFrom(
  at: number,
  end: SecretFacts['lastEnd'],
  openings: Openings | undefined,
): number | undefined {
  if (end?.state === 'failed') return undefined;
  if (end?.state !== 'rolled-back') return at;
  const undone = Date.parse(end.endedAt);
  if (openings === undefined) return Math.max(at, undone + dayMs);
  const opening = openings.at(at);
  if (opening === undefined || undone < opening.from) return at;
  return openings.at(opening.to)?.from;
}

function idle(state: DueState): boolean {
  return state === 'due' || state === 'put-off' || state === 'blocked';
}

/** Openings that have closed since `from`, of the last five years; the first may have begun before. */
function passedBetween(openings: Openings | undefined, from: number, now: number): Opening[] {
  const passed: Opening[] = [];
  const first = Math.max(from, now - searchDays * dayMs);
  let opening = first < now ? openings?.at(first) : undefined;
  while (opening !== undefined && opening.to <= now) {
    passed.push(opening);
    opening = openings?.at(opening.to);
  }
  return passed;
}

/** The first instant from `from` on that is in an opening and not frozen; undefined when there is none for five years. */
function firstStart(
  from: number,
  openings: Openings | undefined,
  frozenAt: (instant: number) => Frozen | undefined,
): number | undefined {
  const until = frozenAt(from)?.until;
  if (until !== undefined) return firstStart(until, openings, frozenAt);
  if (openings === undefined) return from;
  const opening = openings.at(from);
  if (opening === undefined) return undefined;
  return opening.from <= from ? from : firstStart(opening.from, openings, frozenAt);
}
