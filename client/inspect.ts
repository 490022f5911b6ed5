/** What only the worker can see: the plan of a rotation, and the state of the fleet. Both change nothing. */
import { setTimeout as sleep } from 'node:timers/promises';

import { ulid } from 'ulid';

import type { PlanRequest, Plans, PlansRequest } from '../activities/api.js';
import type { DoctorReport } from '../domain/doctor.js';
import type { DigestedPlan } from '../domain/plan.js';
import { taskQueue, workflowTypes } from '../workflows/messages.js';
import { requireListening } from './listening.js';
import type { OpenOptions } from './open.js';
import { quickAsk } from './quick-ask.js';
import { call, type Session } from './session.js';

export type { PlanRequest, Plans, PlansRequest };

/** What `doctor` looks at: everything, or these. */
export interface ReportRequest {
  environment?: string;
  hosts?: string[];
}

/** Milliseconds for a plan or a report; hosts that do not answer take their time. */
const patienceMs = 5 * 60_000;
/** Milliseconds without an answer until it is asked whether anybody listens. */
const silenceMs = 500;
/** Milliseconds that {@link askForPlan} may hold up who asks: a server nearby has taken the question by then. */
const sendMs = 150;

/** What was asked without a session. */
export interface Asked {
  workflowId: string;
  /** Whether the server is known to have it. */
  started: boolean;
}

/**
 * Asks for a plan before there is a session: a worker makes it while the session is opened, which takes as long. What
 * goes wrong is for the session to say.
 */
export async function askForPlan(options: OpenOptions, request: PlanRequest | PlansRequest): Promise<Asked> {
  const type = 'secrets' in request ? workflowTypes.inspectPlan : workflowTypes.inspectPlans;
  const workflowId = newId();
  const asking = quickAsk(options, { type, workflowId, input: request, timeoutMs: patienceMs }).catch(
    () => false,
  );
  const asked = await Promise.race([asking, sleep(sendMs, undefined)]);
  return { workflowId, started: asked === true };
}

/** @throws RotateError NoWorker, TemporalUnreachable; and what the worker finds wrong with the request */
export function requestPlan(session: Session, request: PlanRequest, asked?: Asked): Promise<DigestedPlan> {
  return inspect<DigestedPlan>(session, workflowTypes.inspectPlan, request, asked);
}

/** Plans of all batches, in order. @throws as {@link requestPlan} */
export function requestPlans(session: Session, request: PlansRequest, asked?: Asked): Promise<Plans> {
  return inspect<Plans>(session, workflowTypes.inspectPlans, request, asked);
}

/** @throws RotateError NoWorker, TemporalUnreachable */
export function requestReport(session: Session, request: ReportRequest): Promise<DoctorReport> {
  return inspect<DoctorReport>(session, workflowTypes.inspectFleet, request);
}

async function inspect<Output>(
  session: Session,
  type: string,
  input: PlanRequest | PlansRequest | ReportRequest,
  asked?: Asked,
): Promise<Output> {
  const workflowId = asked?.workflowId ?? newId();
  const answer = call(
    session,
    ({ workflow }): Promise<Output> =>
      asked?.started === true
        ? workflow.getHandle<() => Promise<Output>>(workflowId).result()
        : workflow.execute<(input: PlanRequest | PlansRequest | ReportRequest) => Promise<Output>>(type, {
            workflowId,
            taskQueue,
            args: [input],
            workflowExecutionTimeout: patienceMs,
            // It may have come to the server although that has not said so.
            workflowIdConflictPolicy: 'USE_EXISTING',
          }),
    { deadlineMs: patienceMs + 5_000 },
  );
  if (await isQuiet(answer)) {
    try {
      await requireListening(session);
    } catch (error) {
      await withdraw(session, workflowId);
      throw error;
    }
  }
  return answer;
}

function newId(): string {
  return `inspect/${ulid()}`;
}

/** Who answers soon need not be asked whether he listens. */
async function isQuiet(answer: Promise<unknown>): Promise<boolean> {
  const answered = answer.then(
    () => false,
    () => false,
  );
  return Promise.race([answered, sleep(silenceMs, true, { ref: false })]);
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
