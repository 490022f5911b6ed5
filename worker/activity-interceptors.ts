/**
 * What stands around each activity: arguments that the codec did not believe are
 * refused, and what the activity throws becomes the failure that its workflow decides
 * by. (Left to itself the SDK names a failure after the error's class.)
 */
import { activityInfo, CompleteAsyncError } from '@temporalio/activity';
import { CancelledFailure } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';

import { toTemporalFailure } from '../codec/failure-converter.js';
import { RotateError } from '../domain/failure.js';
import { describeRefusal, refusalOf } from '../domain/refused-payload.js';

export const activityInterceptors: ActivityInterceptorsFactory = () => ({
  inbound: {
    execute: async (input, next) => {
      try {
        const { activityType, heartbeatDetails } = activityInfo();
        const refusal = refusalOf([...input.args, heartbeatDetails]);
        if (refusal !== undefined) {
          const { type, message, hint } = describeRefusal(refusal, `what activity ${activityType} was given`);
          throw new RotateError(type, message, { hint });
        }
        return await next(input);
      } catch (error) {
        if (passesThrough(error)) throw error;
        throw toTemporalFailure(error);
      }
    },
  },
});

/** What the SDK itself must see to tell that an activity was cancelled, or will be completed by others. */
function passesThrough(error: unknown): boolean {
  return (
    error instanceof CancelledFailure ||
    error instanceof CompleteAsyncError ||
    (error instanceof Error && error.name === 'AbortError')
  );
}
