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

export interface RotationStatus {
  /** The ULID. */
  id: string;
  environment: string;
  /** Names, without the environment. */
  secrets: string[];
  state: RotationState;
  reason?: Reason;
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
