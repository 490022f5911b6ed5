/** Starts a rotation. Its id is chosen here, so that a start whose answer was lost can still be looked up. */
import { RotateError } from '../domain/failure.js';
import { rotationId } from '../domain/ids.js';
import { statusOf } from '../domain/progress.js';
import { startJournal, type StartRequest } from '../domain/start.js';
import { statusMemo, taskQueue, workflowTypes, type RotationInput } from '../workflows/messages.js';
import type { RotationRef } from './find-rotation.js';
import { makeRequest } from './requests.js';
import { call, type Session } from './session.js';

/**
 * Starts the workflow `rotation/<environment>/<id>`; the memo answers for it until a worker takes it.
 * @throws RotateError TemporalUnreachable (it may have started: the hint says how to look), NotAllowed
 */
export async function startRotation(session: Session, request: StartRequest): Promise<RotationRef> {
  const { environment } = request.plan.plan;
  const workflowId = rotationId(environment, request.id);
  const input: RotationInput = { request: makeRequest(workflowId, request) };
  const status = statusOf(startJournal(request, new Date().toISOString()));
  try {
    await call(session, (client) =>
      client.workflow.start<(input: RotationInput) => Promise<unknown>>(workflowTypes.rotation, {
        workflowId,
        taskQueue,
        args: [input],
        memo: { [statusMemo]: status },
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
      }),
    );
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
