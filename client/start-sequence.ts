/** Several rotations that follow one another; a workflow starts each when the one before it is done. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkflowExecutionStatusName } from '@temporalio/client';
import { RotateError } from '../domain/failure.js';
import { rotationId, sequenceId } from '../domain/ids.js';
import type { StartRequest } from '../domain/start.js';
import { taskQueue, workflowTypes, type SequenceRequest } from '../workflows/messages.js';
import type { RotationRef } from './rotation-ref.js';
import { makeRequest } from './requests.js';
import { call, interrupted, type Session } from './session.js';
import { withoutRecipient } from './start-rotation.js';

export interface SequenceRef {
  workflowId: string;
  /** In order; each is there once the one before it is done. */
  rotations: RotationRef[];
}

/** @throws RotateError TemporalUnreachable (it may have started: the hint says how to look), NotAllowed */
export async function startSequence(
  session: Session,
  id: string,
  rotations: readonly StartRequest[],
): Promise<SequenceRef> {
  const refs = rotations.map((start): RotationRef => {
    const { environment } = start.plan.plan;
    return { id: start.id, environment, workflowId: rotationId(environment, start.id) };
  });
  const [first] = refs;
  if (first === undefined) throw new RotateError('Internal', 'a sequence of no rotations');
  const workflowId = sequenceId(first.environment, id);
  const request: SequenceRequest = makeRequest(workflowId, { rotations: rotations.map(withoutRecipient) });
  try {
    await call(session, (client) =>
      client.workflow.start<(request: SequenceRequest) => Promise<unknown>>(workflowTypes.sequence, {
        workflowId,
        taskQueue,
        args: [request],
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
      }),
    );
  } catch (error) {
    if (error instanceof RotateError && error.type === 'TemporalUnreachable')
      throw new RotateError('TemporalUnreachable', `${error.message}: the rotations may have started`, {
        hint: `look with \`rotate status ${first.id}\` before you start them again`,
        cause: error,
      });
    throw error;
  }
  return { workflowId, rotations: refs };
}

/**
 * Waits until the sequence has started the rotation.
 * @returns false when it ended without
 * @throws RotateError TemporalUnreachable, Interrupted
 */
export async function whenStarted(
  session: Session,
  sequence: SequenceRef,
  ref: RotationRef,
  pollMs = 300,
): Promise<boolean> {
  for (;;) {
    // Asked in this order: what the sequence has started before it ended is there when we look.
    const state = await stateOf(session, sequence.workflowId);
    if ((await stateOf(session, ref.workflowId)) !== undefined) return true;
    if (state !== 'RUNNING') return false;
    try {
      await sleep(pollMs, undefined, { signal: session.signal });
    } catch (error) {
      throw interrupted(error);
    }
  }
}

async function stateOf(
  session: Session,
  workflowId: string,
): Promise<WorkflowExecutionStatusName | undefined> {
  try {
    const { status } = await call(session, (client) => client.workflow.getHandle(workflowId).describe());
    return status.name;
  } catch (error) {
    if (error instanceof RotateError && error.type === 'UnknownRotation') return undefined;
    throw error;
  }
}
