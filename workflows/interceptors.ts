/**
 * Refuses, in one place for all workflows, what the codec did not believe.
 *
 * The codec marks such payloads (domain/refused-payload.ts) instead of throwing, since
 * a codec that throws makes the workflow task be tried again for ever. Here a marked
 * - start fails the workflow, before its first command;
 * - update is rejected, query fails, signal is dropped;
 * - activity result (someone else took our task) fails that activity, finally;
 * - payload that was believed before, or that only our own worker can have sealed, with a
 *   key that is gone (a start that is replayed, the start of a child or of a continued run,
 *   a child's result): the task fails and is tried again until the key is back. Losing a
 *   key parks, never guesses.
 */
import {
  ApplicationFailure,
  log,
  workflowInfo,
  type Next,
  type WorkflowInboundCallsInterceptor,
  type WorkflowInterceptors,
  type WorkflowOutboundCallsInterceptor,
} from '@temporalio/workflow';

import { failureClasses } from '../domain/failure.js';
import { describeRefusal, isRefusedPayload, refusalOf, type Refusal } from '../domain/refused-payload.js';

function failure(refusal: Refusal, what: string): ApplicationFailure {
  const { type, message, hint } = describeRefusal(refusal, what);
  return ApplicationFailure.create({
    type,
    message,
    nonRetryable: failureClasses[type] === 'final',
    details: [{ type, hint }],
  });
}

/** Fails the workflow task in a way that workflow code cannot catch, as a throw would be by its undo. Never resolves. */
function park(what: string): Promise<never> {
  void Promise.reject(new Error(`${what} was sealed with a codec key that this worker lacks`));
  return new Promise(() => {});
}

const inbound: WorkflowInboundCallsInterceptor = {
  execute: async (input, next) => {
    const refusal = refusalOf(input.args);
    if (refusal === undefined) return next(input);
    const { parent, continuedFromExecutionRunId, unsafe } = workflowInfo();
    // What is replayed was believed once, else it would have ended.
    const ours = parent !== undefined || continuedFromExecutionRunId !== undefined || unsafe.isReplaying;
    if (refusal === 'unknown-key' && ours) return park('the start of this workflow');
    throw failure(refusal, 'the request');
  },
  validateUpdate: (input, next) => {
    const refusal = refusalOf(input.args);
    if (refusal !== undefined) throw failure(refusal, `the request to ${input.name}`);
    next(input);
  },
  // Reached by updates without a validator.
  handleUpdate: async (input, next) => {
    const refusal = refusalOf(input.args);
    if (refusal !== undefined) throw failure(refusal, `the request to ${input.name}`);
    return next(input);
  },
  handleSignal: async (input, next) => {
    const refusal = refusalOf(input.args);
    if (refusal === undefined) return next(input);
    log.warn('a signal was refused', { signal: input.signalName, refusal });
  },
  handleQuery: async (input, next) => {
    const refusal = refusalOf(input.args);
    if (refusal !== undefined) throw failure(refusal, `the query ${input.queryName}`);
    return next(input);
  },
};

async function believed<Input>(
  input: Input,
  next: (input: Input) => Promise<unknown>,
  what: string,
): Promise<unknown> {
  const result = await next(input);
  if (isRefusedPayload(result)) {
    const refusal = refusalOf([result]) ?? 'forged';
    if (refusal === 'unknown-key') return park(what);
    throw failure(refusal, what);
  }
  return result;
}

const outbound: WorkflowOutboundCallsInterceptor = {
  scheduleActivity: (input, next) => believed(input, next, `the result of activity ${input.activityType}`),
  scheduleLocalActivity: (input, next) =>
    believed(input, next, `the result of activity ${input.activityType}`),
  startChildWorkflowExecution: async (
    input,
    next: Next<WorkflowOutboundCallsInterceptor, 'startChildWorkflowExecution'>,
  ) => {
    const [started, result] = await next(input);
    const checked = believed(input, () => result, `the result of workflow ${input.workflowType}`);
    // The SDK allows a caller to drop the result of a child (a claim is abandoned); a rejection then is no error.
    checked.catch(() => {});
    return [started, checked];
  },
};

export function interceptors(): WorkflowInterceptors {
  return { inbound: [inbound], outbound: [outbound] };
}
