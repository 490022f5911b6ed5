/** Starts a rotation. Its id is chosen here, so that a start whose answer was lost can still be looked up. */
import type { SearchAttributePair } from '@temporalio/common';
import { RotateError } from '../domain/failure.js';
import { rotationId } from '../domain/ids.js';
import { statusOf } from '../domain/progress.js';
import { startJournal, type StartRequest } from '../domain/start.js';
import {
  searchAttributes,
  statusMemo,
  taskQueue,
  workflowTypes,
  type RotationInput,
} from '../workflows/messages.js';
import type { RotationRef } from './rotation-ref.js';
import { makeRequest } from './requests.js';
import { call, type Session } from './session.js';

/**
 * Starts the workflow `rotation/<environment>/<id>`; the memo answers for it until a worker takes it.
 * @throws RotateError TemporalUnreachable (it may have started: the hint says how to look), NotAllowed
 */
export async function startRotation(session: Session, request: StartRequest): Promise<RotationRef> {
  const { environment } = request.plan.plan;
  const workflowId = rotationId(environment, request.id);
  const input: RotationInput = { request: makeRequest(workflowId, withoutRecipient(request)) };
  const status = statusOf(startJournal(request, new Date().toISOString()));
  const start = (labelled: boolean): Promise<unknown> =>
    call(session, async (client) =>
      client.workflow.start<(input: RotationInput) => Promise<unknown>>(workflowTypes.rotation, {
        workflowId,
        taskQueue,
        args: [input],
        memo: { [statusMemo]: status },
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
        ...(labelled ? { typedSearchAttributes: [await environmentLabel(environment)] } : {}),
      }),
    );
  try {
    try {
      await start(true);
    } catch (error) {
      // A server whose operator has not registered the attribute: it is a convenience, and no reason not to rotate.
      if (!(error instanceof Error && /search attribute/i.test(`${error.message} ${causeOf(error)}`)))
        throw error;
      await start(false);
    }
  } catch (error) {
    if (error instanceof RotateError && error.type === 'TemporalUnreachable')
      throw new RotateError('TemporalUnreachable', `${error.message}: the rotation may have started`, {
        hint: `look with \`rotate status ${request.id}\` before you start it again`,
        cause: error,
      });
    throw error;
  }
  return { id: request.id, environment, workflowId };
}

/** For whom to seal is between worker and command line, and no part of what is planned. */
export function withoutRecipient(request: StartRequest): StartRequest {
  const { plan, digest } = request.plan;
  return { ...request, plan: { plan, digest } };
}

/** Lets people filter by environment in Temporal's own tools. */
async function environmentLabel(environment: string): Promise<SearchAttributePair> {
  const { defineSearchAttributeKey } = await import('@temporalio/common');
  return { key: defineSearchAttributeKey(searchAttributes.environment, 'KEYWORD'), value: environment };
}

function causeOf(error: Error): string {
  return error.cause instanceof Error ? error.cause.message : '';
}
