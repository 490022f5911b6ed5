/** Exit codes: what scripts rely on. Every failure type has one, so that no command can disagree with another. */
import { failureClasses, type FailureType } from '../domain/failure.js';
import type { RotationState } from '../domain/steps.js';

export const exitCodes = {
  done: 0,
  /** Refused, failed and rolled back, or findings. */
  refused: 1,
  /** Wrong use or configuration. */
  usage: 2,
  /** Failed, or parked and asking for a person. */
  failed: 3,
  /** Temporal or its worker cannot be reached, or it is not allowed. */
  unreachable: 4,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** As help and man pages tell them. */
export const exitCodeMeanings: readonly (readonly [ExitCode, string])[] = [
  [exitCodes.done, 'done'],
  [exitCodes.refused, 'refused, rolled back, or findings'],
  [exitCodes.usage, 'usage or configuration'],
  [exitCodes.failed, 'failed, or asking for a person'],
  [exitCodes.unreachable, 'Temporal or its worker cannot be reached, or not allowed'],
  [exitCodes.interrupted, 'interrupted'],
];

const special: Partial<Readonly<Record<FailureType, ExitCode>>> = {
  Usage: exitCodes.usage,
  BadConfig: exitCodes.usage,
  UnknownSecret: exitCodes.usage,
  AmbiguousSecret: exitCodes.usage,
  UnknownHost: exitCodes.usage,
  UnknownRotation: exitCodes.usage,
  UnknownSchedule: exitCodes.usage,
  BadRules: exitCodes.usage,
  BadRecipient: exitCodes.usage,
  BadFormat: exitCodes.usage,
  Internal: exitCodes.failed,
  TemporalUnreachable: exitCodes.unreachable,
  NoWorker: exitCodes.unreachable,
  NotAllowed: exitCodes.unreachable,
  WrongKey: exitCodes.unreachable,
  Forged: exitCodes.unreachable,
  Interrupted: exitCodes.interrupted,
};

/** The code of a command that failed with `type`. What is not named here was refused: nothing was changed. */
export function exitCodeOfFailure(type: FailureType): ExitCode {
  return special[type] ?? exitCodes.refused;
}

/** For tests and docs: every type with its code. */
export function failureExitCodes(): [FailureType, ExitCode][] {
  return Object.keys(failureClasses)
    .filter((type): type is FailureType => type in failureClasses)
    .map((type) => [type, exitCodeOfFailure(type)]);
}

const byState: Readonly<Record<RotationState, ExitCode>> = {
  running: exitCodes.done,
  waiting: exitCodes.done,
  done: exitCodes.done,
  refused: exitCodes.refused,
  'rolled-back': exitCodes.refused,
  'needs-attention': exitCodes.failed,
  failed: exitCodes.failed,
};

/** The code of a command that followed a rotation to `state`. */
export function exitCodeOfState(state: RotationState): ExitCode {
  return byState[state];
}
