/**
 * The shape of a question to a schedule and of its answer ({@link dueNow} in due.ts). Times are RFC 3339, in an answer
 * in UTC; what is unknown is absent.
 */
import type { FreezeSpec, ScheduleSpec } from './schedule.js';
import type { EndState } from './steps.js';

/** What is known of a secret. */
export interface SecretFacts {
  name: string;
  /** When its last rotation that succeeded had ended. */
  lastSuccess?: string;
  /** Of its last rotation that has ended, other than refused: that one has changed nothing, and hides nothing. */
  lastEnd?: { state: EndState; endedAt: string };
  /** Id of the rotation that is under way. */
  running?: string;
  /** Id of the rotation that waits for a person. */
  parked?: string;
  /** Id of the rotation that was aborted, or terminated in Temporal, and still holds it. */
  givenUp?: string;
}

export interface DueQuestion {
  schedule: ScheduleSpec;
  freezes: readonly FreezeSpec[];
  /** Of the schedule's secrets. */
  secrets: readonly SecretFacts[];
  now: string;
  /** Since when the schedule exists: what it would have started before then was not missed. Default: for ever. */
  since?: string;
}

/** Whether anything may start. */
export type Gate =
  /** `until`: absent when it is always open */
  | { state: 'open'; until?: string }
  /** `opens`: absent when it does not within five years */
  | { state: 'outside-window'; opens?: string }
  /** `until`: when nothing is frozen any more; `reason`: as it was declared */
  | { state: 'frozen'; until: string; reason?: string };

export type DueState =
  | 'not-due'
  | 'due'
  /** due, and its rotation is under way */
  | 'busy'
  /** due, and its rotation waits for a person */
  | 'parked'
  /** due, and its last rotation was undone too short a time ago */
  | 'put-off'
  /** due, and its last rotation was aborted, or one that was given up still holds it */
  | 'blocked';

export interface DueSecret {
  name: string;
  state: DueState;
  /** Since when it is due, or when it will be. Absent: since nobody knows when, or not within five years. */
  dueAt?: string;
  /** Whole windows, or times of the calendar, that have passed since then without a success; 0 for what is busy or parked. */
  missed: number;
  /** When the first of them began. */
  firstMissed?: string;
  /** Id of its rotation that is under way or parked. */
  rotation?: string;
  /** From when it may be started, as far as can be known; the look that starts it may come an hour later, and the jitter. */
  next?: string;
  /** A sentence for a person, lowercase, without a full stop. */
  reason: string;
}

export interface DueVerdict {
  schedule: string;
  environment: string;
  /** The moment that it is about. */
  at: string;
  gate: Gate;
  /** Names of what is to be started now. */
  start: string[];
  /** In the order of the question. */
  secrets: DueSecret[];
  /** The earliest `next` of them. */
  next?: string;
}
