/**
 * What Temporal tries again: activities of a rotation, and of its waves, that have failed and wait for their next
 * attempt or have begun it. The workflow does not know of them, so no status can tell.
 */
import type { WorkflowExecutionDescription } from '@temporalio/client';

import { RotateError, type Reason } from '../domain/failure.js';
import { workflowTypes } from '../workflows/messages.js';
import type { RotationRef } from './rotation-ref.js';
import { call, type Session } from './session.js';

export interface Retry {
  /** E.g. `converge`. */
  activity: string;
  /** Unique in the rotation, and the same for all attempts. */
  key: string;
  /** The next attempt, or the one under way; the first is 1. */
  attempt: number;
  /** Why the one before failed. */
  reason: Reason;
  /** When it is tried; absent while it is. RFC 3339. */
  nextAt?: string;
}

const deadlineMs = 3_000;

/** @throws RotateError as {@link call}, when the rotation itself cannot be described */
export async function findRetries(session: Session, ref: RotationRef): Promise<Retry[]> {
  const rotation = await describe(session, ref.workflowId);
  const waves = (rotation.raw.pendingChildren ?? []).filter(
    (child) => child.workflowTypeName === workflowTypes.wave,
  );
  const all = await Promise.all([
    readRetries(session, rotation),
    ...waves.map(({ workflowId }) => retriesOfWave(session, workflowId ?? '')),
  ]);
  return all.flat();
}

async function retriesOfWave(session: Session, workflowId: string): Promise<Retry[]> {
  try {
    return await readRetries(session, await describe(session, workflowId));
  } catch (error) {
    // It has ended meanwhile, and has been deleted: nothing of it is tried any more.
    if (error instanceof RotateError && error.type === 'UnknownRotation') return [];
    throw error;
  }
}

function describe(session: Session, workflowId: string): Promise<WorkflowExecutionDescription> {
  return call(session, (client) => client.workflow.getHandle(workflowId).describe(), { deadlineMs });
}

async function readRetries(
  session: Session,
  { raw, workflowId }: WorkflowExecutionDescription,
): Promise<Retry[]> {
  const failed = (raw.pendingActivities ?? []).filter(
    ({ attempt, lastFailure }) => (attempt ?? 1) > 1 && lastFailure != null,
  );
  if (failed.length === 0) return [];
  const [{ decodeOptionalFailureToOptionalError }, { optionalTsToDate }, { toRotateError }] =
    await Promise.all([
      import('@temporalio/common/lib/internal-non-workflow/index.js'),
      import('@temporalio/common/lib/time.js'),
      import('../codec/read-failure.js'),
    ]);
  const { client, endpoint } = session.connection;
  const reasonOf = async (activityId: string, failure: (typeof failed)[number]['lastFailure']) => {
    const { namespace } = endpoint;
    const context = { type: 'activity', namespace, workflowId, activityId, isLocal: false } as const;
    try {
      const { loadedDataConverter } = client.options;
      return toRotateError(await decodeOptionalFailureToOptionalError(loadedDataConverter, failure, context));
    } catch (error) {
      // What cannot be believed is not shown; that it is tried again is true all the same.
      return toRotateError(error);
    }
  };
  return Promise.all(
    failed.map(async ({ activityId, activityType, attempt, lastFailure, nextAttemptScheduleTime }) => {
      const nextAt = optionalTsToDate(nextAttemptScheduleTime)?.toISOString();
      return {
        activity: activityType?.name ?? 'an activity',
        key: `${workflowId}#${activityId ?? ''}`,
        attempt: attempt ?? 1,
        reason: (await reasonOf(activityId ?? '', lastFailure)).toReason(),
        ...(nextAt === undefined ? {} : { nextAt }),
      };
    }),
  );
}
