/**
 * From what Temporal throws back to a RotateError, for the client and for activities
 * that look at a failure. (The converter itself must hand the SDK a TemporalFailure.)
 */
import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ChildWorkflowFailure,
  TerminatedFailure,
  TimeoutFailure,
} from '@temporalio/common';

import { RotateError, asRotateError } from '../domain/failure.js';
import { readDetails } from './failure-converter.js';

/**
 * The RotateError that `error` carries, or one that says what Temporal says. Wrappers (activity, child workflow,
 * the client's WorkflowFailedError) are looked through.
 */
export function toRotateError(error: unknown): RotateError {
  const own = asRotateError(error);
  if (own !== undefined) return own;
  if (error instanceof ApplicationFailure) {
    const details = readDetails(error);
    if (details === undefined)
      return error.type === 'Forged'
        ? new RotateError('Forged', error.message, { cause: error })
        : new RotateError('Internal', error.message, { cause: error });
    const { type, ...rest } = details;
    return new RotateError(type, error.message, { ...rest, cause: error });
  }
  if (error instanceof TimeoutFailure)
    return new RotateError('Timeout', 'the worker did not do it in time', {
      hint: 'see whether it runs and what it logs: `rotate doctor`',
      cause: error,
    });
  if (error instanceof CancelledFailure) return new RotateError('Interrupted', 'cancelled', { cause: error });
  if (error instanceof TerminatedFailure)
    return new RotateError('Interrupted', 'terminated by someone with access to Temporal', { cause: error });
  const wrapper =
    error instanceof ActivityFailure || error instanceof ChildWorkflowFailure || hasCause(error);
  if (wrapper && error instanceof Error && error.cause !== undefined) return toRotateError(error.cause);
  return new RotateError('Internal', error instanceof Error ? error.message : String(error), {
    cause: error,
  });
}

/** WorkflowFailedError and WorkflowUpdateFailedError of @temporalio/client, which is not imported for its weight. */
function hasCause(error: unknown): boolean {
  return error instanceof Error && ['WorkflowFailedError', 'WorkflowUpdateFailedError'].includes(error.name);
}
