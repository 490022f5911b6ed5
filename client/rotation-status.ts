/** Where a rotation stands, told by its worker, or by the memo when no worker answers. */
import type { WorkflowExecutionDescription } from '@temporalio/client';

import { RotateError, type FailureType, type Reason } from '../domain/failure.js';
import type { RotationEvent, RotationStatus } from '../domain/status.js';
import { eventsQuery, type EventsAnswer } from '../workflows/messages.js';
import type { RotationRef } from './rotation-ref.js';
import { brokenOff, endedBy, isRotationStatus, memoStatus } from './memo-status.js';
import { call, type Session } from './session.js';

export interface Reading {
  status: RotationStatus;
  /** What came after the event that was asked for; always empty from the memo. */
  events: RotationEvent[];
  /** `memo`: no worker answered, and this is the last that is known. */
  from: 'worker' | 'memo';
}

export interface ReadingOptions {
  /** Number of the last event seen; default: no event is wanted. */
  after?: number;
  /** Milliseconds that a worker has to answer in. Default 3,000. */
  patienceMs?: number;
}

/** What the memo cannot make good. */
const hopeless: readonly FailureType[] = [
  'NotAllowed',
  'UnknownRotation',
  'WrongKey',
  'Forged',
  'Interrupted',
];

/** @throws RotateError UnknownRotation, TemporalUnreachable, NotAllowed, WrongKey; NoWorker when not even a memo is there */
export async function readRotation(
  session: Session,
  ref: RotationRef,
  options: ReadingOptions = {},
): Promise<Reading> {
  const what = `rotation ${ref.id} in ${ref.environment}`;
  const [description, answer] = await Promise.all([
    call(session, (client) => client.workflow.getHandle(ref.workflowId).describe(), {
      what,
      deadlineMs: 5_000,
    }),
    query(session, ref, options),
  ]);
  const reading = answer instanceof RotateError ? fromMemo(description, ref, answer) : answer;
  if (description.status.name === 'RUNNING' || description.status.name === 'COMPLETED') return reading;
  const failure = description.status.name === 'FAILED' ? await failureOf(session, ref) : undefined;
  const reason = brokenOff(description, failure);
  if (reason === undefined) return reading;
  return { ...reading, status: endedBy(reading.status, reason, description.closeTime) };
}

async function query(
  session: Session,
  ref: RotationRef,
  { after = Number.MAX_SAFE_INTEGER, patienceMs = 3_000 }: ReadingOptions,
): Promise<Reading | RotateError> {
  try {
    const { status, events } = await call(
      session,
      (client) => client.workflow.getHandle(ref.workflowId).query<EventsAnswer, [number]>(eventsQuery, after),
      { deadlineMs: patienceMs },
    );
    if (!isRotationStatus(status)) {
      return new RotateError('Internal', 'the worker answered with no status', {
        hint: 'use the same version of rotate as the worker',
      });
    }
    return { status, events, from: 'worker' };
  } catch (error) {
    if (error instanceof RotateError && !hopeless.includes(error.type)) return error;
    throw error;
  }
}

function fromMemo(
  description: WorkflowExecutionDescription,
  { id }: RotationRef,
  error: RotateError,
): Reading {
  const status = memoStatus(description);
  // That time was over is all that a query without a worker comes to: Temporal itself has answered.
  const why = error.type === 'TemporalUnreachable' ? '' : `: ${error.message}`;
  if (status === undefined)
    throw new RotateError('NoWorker', `no worker tells where rotation ${id} stands${why}`, {
      hint: 'start one: `rotate worker`, or `rotate dev` for a try',
      cause: error,
    });
  return { status, events: [], from: 'memo' };
}

/** Why the workflow failed. */
async function failureOf(session: Session, ref: RotationRef): Promise<Reason> {
  try {
    await call(session, (client) => client.workflow.getHandle(ref.workflowId).result());
  } catch (error) {
    if (error instanceof RotateError) return error.toReason();
    throw error;
  }
  return {
    type: 'Internal',
    message: 'the workflow of the rotation failed',
    hint: "see the worker's log",
  };
}
