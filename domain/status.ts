/**
 * What scripts rely on: the shape of `rotate status ID --json`. The published
 * schema (schemas/output.schema.json) is checked against it by the tests. Times
 * are RFC 3339 in UTC; what is unknown is absent, never null.
 */
import type { Reason } from './failure.js';
import type { RotationState, StepName, StepState } from './steps.js';

export interface HostStatus {
  name: string;
  state: StepState;
  message?: string;
  /** When the step last began on it. */
  startedAt?: string;
  endedAt?: string;
}

export interface StepStatus {
  name: StepName;
  state: StepState;
  /** How often the step was begun, retries included. */
  attempts: number;
  startedAt?: string;
  endedAt?: string;
  hosts: HostStatus[];
}

/** One measured claim, kept for ever in the rotation's record. */
export interface ProofLine {
  /** e.g. `the old value is refused`. */
  claim: string;
  host?: string;
  endpoint?: string;
  result: 'passed' | 'failed' | 'not-proven';
  at: string;
  /** What was seen, e.g. `28000 role "app_a" is not permitted to log in`. No secrets. */
  evidence: string;
}

/** What a person can say to a rotation, as commands: `rotate retry ID`. The likeliest first. */
export const personWords = ['confirm', 'retry', 'skip', 'rollback', 'abort'] as const;
export type PersonWord = (typeof personWords)[number];

/** What has to come before a rotation goes on. */
export interface WaitingFor {
  /**
   * `soak`: the checks after the deploy go on for a while. `old-value`: the files keep the old value beside the new one.
   * `prove-again`: the old value is gone, and that will be proved once more. `person`: someone has to say what to do.
   */
  what: 'soak' | 'old-value' | 'prove-again' | 'person';
  /** When it is over; of a person nobody knows. */
  until?: string;
  /** Of a person: what he can say now. */
  words?: PersonWord[];
  /** Of a person who can say `skip`: the hosts that he can say it of. */
  hosts?: string[];
  /** Of a person: the rotation also tries again by itself, every quarter of an hour. */
  triesAgain?: true;
}

export interface RotationStatus {
  /** The ULID. */
  id: string;
  environment: string;
  /** Names, without the environment. */
  secrets: string[];
  state: RotationState;
  /** In the states `waiting` and `needs-attention`. */
  waitingFor?: WaitingFor;
  reason?: Reason;
  /** Who asked for it, as far as it is known: `alice@laptop`, `schedule monthly`. */
  by?: string;
  startedAt: string;
  endedAt?: string;
  steps: StepStatus[];
  /** When it has ended. */
  proof?: ProofLine[];
}

/** One line of `rotate watch ID --json`. */
export interface RotationEvent {
  /** Rises by one; a watcher asks for what came after the last that it saw. */
  n: number;
  at: string;
  type: 'state' | 'step' | 'host' | 'note';
  state?: RotationState;
  step?: StepName;
  stepState?: StepState;
  host?: string;
  message?: string;
}
