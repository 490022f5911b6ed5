/** Says something to a rotation: retry, skip, rollback, abort. */
import { ulid } from 'ulid';

import { RotateError } from '../domain/failure.js';
import type { PersonRequest } from '../domain/say.js';
import { isEndState } from '../domain/steps.js';
import { sayUpdate, type SayRequest, type StatusAnswer } from '../workflows/messages.js';
import type { RotationRef } from './rotation-ref.js';
import { requireListening } from './listening.js';
import { makeRequest } from './requests.js';
import { readRotation } from './rotation-status.js';
import { call, type Session } from './session.js';

/**
 * @returns the status after it
 * @throws RotateError NoWorker; UnknownRotation; NotAllowed when it makes no sense now; UnknownHost
 */
export async function say(session: Session, ref: RotationRef, body: PersonRequest): Promise<StatusAnswer> {
  await requireListening(session);
  const { status } = await readRotation(session, ref);
  if (isEndState(status.state)) throw ended(ref, status.state);
  try {
    return await call(
      session,
      (client) =>
        client.workflow.getHandle(ref.workflowId).executeUpdate<StatusAnswer, [SayRequest]>(sayUpdate, {
          args: [makeRequest(ref.workflowId, body)],
          updateId: ulid(),
        }),
      { deadlineMs: 30_000 },
    );
  } catch (error) {
    // It ended between our look and our word.
    if (error instanceof RotateError && error.type === 'UnknownRotation') throw ended(ref, undefined);
    throw error;
  }
}

function ended(ref: RotationRef, state: string | undefined): RotateError {
  return new RotateError(
    'NotAllowed',
    `rotation ${ref.id} has ended${state === undefined ? '' : ` (${state})`}`,
    { hint: `see \`rotate status ${ref.id}\`` },
  );
}
