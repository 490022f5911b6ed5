/** What only the worker can see: the plan of a rotation, and the state of the fleet. Both change nothing. */
import { ulid } from 'ulid';

import type { PlanRequest, Plans, PlansRequest } from '../activities/api.js';
import type { DoctorReport } from '../domain/doctor.js';
import type { DigestedPlan } from '../domain/plan.js';
import { taskQueue, workflowTypes } from '../workflows/messages.js';
import { requireListening } from './listening.js';
import { call, type Session } from './session.js';

export type { PlanRequest, Plans, PlansRequest };

/** What `doctor` looks at: everything, or these. */
export interface ReportRequest {
  environment?: string;
  hosts?: string[];
}

/** Milliseconds for a plan or a report; hosts that do not answer take their time. */
const patienceMs = 5 * 60_000;

/** @throws RotateError NoWorker, TemporalUnreachable; and what the worker finds wrong with the request */
export function requestPlan(session: Session, request: PlanRequest): Promise<DigestedPlan> {
  return inspect<DigestedPlan>(session, workflowTypes.inspectPlan, request);
}

/** Plans of all batches, in order. @throws as {@link requestPlan} */
export function requestPlans(session: Session, request: PlansRequest): Promise<Plans> {
  return inspect<Plans>(session, workflowTypes.inspectPlans, request);
}

/** @throws RotateError NoWorker, TemporalUnreachable */
export function requestReport(session: Session, request: ReportRequest): Promise<DoctorReport> {
  return inspect<DoctorReport>(session, workflowTypes.inspectFleet, request);
}

async function inspect<Output>(
  session: Session,
  type: string,
  input: PlanRequest | PlansRequest | ReportRequest,
): Promise<Output> {
  const workflowId = `inspect/${ulid()}`;
  // Asked at once; that nobody listens is known long before it is given up.
  const listening = requireListening(session);
  const answer = call(
    session,
    (client) =>
      client.workflow.execute<(input: PlanRequest | PlansRequest | ReportRequest) => Promise<Output>>(type, {
        workflowId,
        taskQueue,
        args: [input],
        workflowExecutionTimeout: patienceMs,
      }),
    { deadlineMs: patienceMs + 5_000 },
  );
  // Who does not listen cannot have failed at it.
  answer.catch(() => {});
  try {
    await listening;
  } catch (error) {
    await withdraw(session, workflowId);
    throw error;
  }
  return answer;
}

/** Leaves nothing behind for a worker that comes later; where that is not possible, it ends by itself. */
async function withdraw(session: Session, workflowId: string): Promise<void> {
  const terminate = call(
    session,
    (client) => client.workflow.getHandle(workflowId).terminate('no worker listens'),
    { deadlineMs: 2_000 },
  );
  await terminate.catch(() => {});
}
