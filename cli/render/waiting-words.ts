/** What a rotation waits for, in words: until when, what to type, or what is tried again. */
import type { Retry } from '../../client/retries.js';
import type { PersonWord, RotationStatus } from '../../domain/status.js';
import { isEndState } from '../../domain/steps.js';
import { isUndoing } from './host-rows.js';
import { count, duration, oneLine } from './text.js';

/** Columns of a terminal and time; see {@link commands} for what the columns are for. */
export interface WordsOptions {
  /** Milliseconds since the epoch. */
  now: number;
  columns?: number;
  retries?: readonly Retry[];
}

/** Retries that are told one by one. */
const toldRetries = 3;

/** Paragraphs; empty where nothing is waited for. Not for a person or an end: those are {@link outcome} and {@link commands}. */
export function waitingWords(status: RotationStatus, { now, retries = [] }: WordsOptions): string[] {
  const words: string[] = [];
  if (isUndoing(status) && status.reason !== undefined)
    words.push(`undoing: ${oneLine(status.reason.message)}`);
  if (status.state === 'waiting') words.push(waitWords(status, now));
  const latest = retries.toSorted((a, b) => b.attempt - a.attempt);
  for (const retry of latest.slice(0, toldRetries)) words.push(retryWords(retry, now));
  if (latest.length > toldRetries) words.push(`and ${latest.length - toldRetries} more are tried again`);
  return words;
}

const waits = {
  soak: ['for the soak', 'the checks go on until then, and the old value is valid'],
  'old-value': ['with the old value in the files', 'a second deploy then leaves it out'],
  'prove-again': ['to prove again that the old value is dead', 'it is gone and was refused'],
  person: ['for a person', ''],
} as const;

/** Of a rotation in the state `waiting`. */
export function waitWords({ waitingFor }: RotationStatus, now: number): string {
  if (waitingFor === undefined) return 'waits';
  const [what, meanwhile] = waits[waitingFor.what];
  const until = waitingFor.until === undefined ? '' : ` until ${momentWords(waitingFor.until, now)}`;
  return `waits ${what}${until}${meanwhile === '' ? '' : `: ${meanwhile}`}`;
}

/** `2026-11-23 12:10:00 UTC (8 min 55 s)`. */
export function momentWords(at: string, now: number): string {
  const left = Date.parse(at) - now;
  const time = at.replace('T', ' ').replace(/(\.\d+)?Z$/, ' UTC');
  return oneLine(`${time} (${left > 0 ? duration(left) : 'now'})`);
}

/** Without the time, so that each is told once where lines are told. */
export function retryFacts({ activity, attempt, reason }: Retry): string {
  return `${activity} is tried again, attempt ${attempt}: ${oneLine(reason.message)} (${reason.type})`;
}

function retryWords(retry: Retry, now: number): string {
  const left = retry.nextAt === undefined ? 0 : Date.parse(retry.nextAt) - now;
  const when = left > 0 ? `again in ${duration(left)}` : 'again now';
  return `${retry.activity} is tried ${when}, attempt ${retry.attempt}: ${oneLine(retry.reason.message)} (${retry.reason.type})`;
}

export interface PersonCommand {
  word: PersonWord;
  command: string;
  does: string;
}

const does: Readonly<Record<PersonWord, string>> = {
  confirm: 'says that you have done it',
  retry: 'tries again what failed',
  skip: 'goes on without the host',
  rollback: 'undoes the rotation',
  abort: 'stops, and leaves everything as it is',
};

/** Enough of an id to find the rotation by its end. */
const shortId = 8;

/** What a person can type now, with the id, shortened where the terminal is too narrow for it. */
export function commands(status: RotationStatus, columns = Number.POSITIVE_INFINITY): PersonCommand[] {
  const { id, reason, waitingFor } = status;
  if (status.state !== 'needs-attention') return [];
  // An older worker does not say.
  const words = waitingFor?.words ?? ['retry', 'rollback', 'abort'];
  // Hosts that may hold a value which is about to be withdrawn: skipping alone would not help.
  const loss = reason?.type === 'StillInUse' ? ' --accept-loss' : '';
  return words.flatMap((word) => {
    const hosts = word === 'skip' ? (waitingFor?.hosts ?? ['HOST']) : [''];
    return hosts.slice(0, toldHosts).map((host, i) => {
      const rest = word === 'skip' ? ` ${oneLine(host)}${loss}` : '';
      const whole = `rotate ${word} ${id}${rest}`;
      const left = hosts.length - toldHosts;
      const others = left > 0 && i === toldHosts - 1 ? `; so for ${count(left, 'other host')}` : '';
      return {
        word,
        command: whole.length <= columns ? whole : `rotate ${word} ${id.slice(-shortId)}${rest}`,
        does: `${does[word]}${others}`,
      };
    });
  });
}

/** Hosts with a command of their own. */
const toldHosts = 3;

/** The end of a rotation, or why it is parked, in a sentence. */
export function outcome(status: RotationStatus): string {
  const what = `${status.environment}/${status.secrets.join(', ')}`;
  const why = status.reason === undefined ? '' : `: ${status.reason.message}`;
  switch (status.state) {
    case 'done':
      return status.proof?.some((p) => p.result === 'not-proven') === true
        ? `${what} is rotated; not everything is proven, see the proof`
        : `${what} is rotated, and the old value is proven dead`;
    case 'rolled-back':
      return `rolled back, the old value of ${what} is valid and deployed${why}`;
    case 'refused':
      return `refused, nothing was changed${why}`;
    case 'failed':
      return `failed${why}`;
    case 'needs-attention':
      return `needs attention${why}`;
    default:
      return `${status.state}${isEndState(status.state) ? why : ''}`;
  }
}

/** Hints come from code that does not know the id: `rotate skip ID HOST` becomes what can be typed. */
export function withId(hint: string, id: string): string {
  return hint
    .replaceAll(/(?<=rotate [a-z]+ )ID\b/g, id)
    .replaceAll(/`rotate (retry|rollback|abort|confirm)`/g, `\`rotate $1 ${id}\``);
}
