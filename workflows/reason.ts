/** From a failed activity or child to a reason, whether it was a cancellation, and from a reason to a failure. */
import {
  ActivityFailure,
  ApplicationFailure,
  ChildWorkflowFailure,
  isCancellation,
  TimeoutFailure,
} from '@temporalio/workflow';
import type { Asked } from '../domain/journal.js';
import { failureClasses, isFailureType, type Reason } from '../domain/failure.js';

/** Walks to the innermost failure that carries a type of ours. */
export function reasonOf(error: unknown): Reason {
  for (let e: unknown = error; e instanceof Error; e = e.cause) {
    if (e instanceof ApplicationFailure && isFailureType(e.type)) {
      const hint = hintOf(e);
      return { type: e.type, message: e.message, ...(hint === undefined ? {} : { hint }) };
    }
    if (isCancellation(e)) return { type: 'Interrupted', message: 'cancelled' };
  }
  for (let e: unknown = error; e instanceof Error; e = e.cause) {
    if (e instanceof TimeoutFailure) {
      return {
        type: 'Timeout',
        message: `${whatFailed(error)} ran out of time`,
        hint: 'see whether the worker runs and answers: `rotate doctor`',
      };
    }
  }
  return {
    type: 'Internal',
    message: error instanceof Error ? error.message : 'a value that is no error was thrown',
  };
}

/** What a failed activity asks a person for. */
export function askedOf(error: unknown): Asked {
  for (let e: unknown = error; e instanceof Error; e = e.cause) {
    if (!(e instanceof ApplicationFailure) || !isFailureType(e.type)) continue;
    const first: unknown = e.details?.[0];
    if (typeof first !== 'object' || first === null || !('details' in first)) return {};
    const { details } = first;
    if (typeof details !== 'object' || details === null || !('act' in details)) return {};
    return typeof details.act === 'string' ? { act: details.act } : {};
  }
  return {};
}

function whatFailed(error: unknown): string {
  if (error instanceof ActivityFailure) return error.activityType;
  if (error instanceof ChildWorkflowFailure) return error.workflowType ?? 'a child workflow';
  return 'it';
}

function hintOf({ details }: ApplicationFailure): string | undefined {
  const first: unknown = details?.[0];
  if (typeof first !== 'object' || first === null || !('hint' in first)) return undefined;
  return typeof first.hint === 'string' ? first.hint : undefined;
}

/** What a workflow throws for `reason`, of which the class says whether it is tried again. */
export function failure(reason: Reason): ApplicationFailure {
  return ApplicationFailure.create({
    type: reason.type,
    message: reason.message,
    nonRetryable: failureClasses[reason.type] === 'final',
    details: [reason],
  });
}
