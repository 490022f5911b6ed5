/**
 * The status as Temporal itself knows it, without a worker: the memo that the
 * rotation keeps up to date, corrected by how its workflow ended.
 */
import type { WorkflowExecutionInfo } from '@temporalio/client';

import type { Reason } from '../domain/failure.js';
import type { RotationStatus } from '../domain/status.js';
import { isEndState } from '../domain/steps.js';
import { statusMemo } from '../workflows/messages.js';

/** Whether what was decoded is a status. The codec has authenticated it; an older version may have had another shape. */
export function isRotationStatus(value: unknown): value is RotationStatus {
  return (
    typeof value === 'object' &&
    value !== null &&
    'id' in value &&
    typeof value.id === 'string' &&
    'state' in value &&
    typeof value.state === 'string' &&
    'secrets' in value &&
    Array.isArray(value.secrets) &&
    'steps' in value &&
    Array.isArray(value.steps)
  );
}

/** Undefined when there is none, or none that can be read. */
export function memoStatus(info: Pick<WorkflowExecutionInfo, 'memo'>): RotationStatus | undefined {
  const status = info.memo?.[statusMemo];
  return isRotationStatus(status) ? status : undefined;
}

/** How a workflow ended that did not end by itself; undefined while it runs or when it did. */
export function brokenOff(
  info: { status: Pick<WorkflowExecutionInfo['status'], 'name'> },
  failure?: Reason,
): Reason | undefined {
  const hint = 'look at hosts, issuer and repo, put things right, then `rotate start … --take-over`';
  switch (info.status.name) {
    case 'TERMINATED':
      return { type: 'Interrupted', message: 'the rotation was terminated in Temporal', hint };
    case 'CANCELLED':
      return { type: 'Interrupted', message: 'the rotation was cancelled in Temporal', hint };
    case 'TIMED_OUT':
      return { type: 'Timeout', message: 'the rotation timed out in Temporal', hint };
    case 'FAILED':
      return failure ?? { type: 'Internal', message: 'the workflow of the rotation failed', hint };
    default:
      return undefined;
  }
}

/** `status` of a rotation whose workflow was broken off: nothing goes on, whatever it said last. */
export function endedBy(status: RotationStatus, reason: Reason, closed: Date | undefined): RotationStatus {
  if (isEndState(status.state)) return status;
  const untouched = status.steps.every((step) => step.state === 'pending');
  return {
    ...status,
    state: untouched ? 'refused' : 'failed',
    reason,
    ...(closed === undefined ? {} : { endedAt: closed.toISOString() }),
  };
}
