/**
 * Is a worker listening? Temporal lists a dead worker as a poller for minutes, so the
 * only sure sign is a workflow that answers.
 */
import type { Client } from '@temporalio/client';
import { ulid } from 'ulid';

import { RotateError } from '../domain/failure.js';
import type { ping } from '../workflows/ping.js';

export interface AliveOptions {
  taskQueue: string;
  /** Milliseconds to wait for the answer. Default 4,000. */
  timeoutMs?: number;
}

/**
 * Runs the workflow `ping` and waits for its answer, which also proves that both sides have the same codec key.
 * @throws RotateError NoWorker; WrongKey when the worker seals with a key that we lack, or the reverse
 */
export async function requireWorker(client: Client, options: AliveOptions): Promise<void> {
  const { taskQueue, timeoutMs = 4_000 } = options;
  const { WorkflowFailedError } = await import('@temporalio/client');
  const { toRotateError } = await import('../codec/read-failure.js');
  const { TimeoutFailure } = await import('@temporalio/common');
  const nonce = ulid();
  const handle = await client.workflow.start<typeof ping>('ping', {
    taskQueue,
    workflowId: `ping/${nonce}`,
    args: [nonce],
    // Ends by itself when nobody takes it, so that nothing is left behind.
    workflowExecutionTimeout: timeoutMs,
    retry: { maximumAttempts: 1 },
  });
  try {
    const answer = await handle.result();
    if (answer !== nonce)
      throw new RotateError('Forged', `whoever listens on the task queue ${taskQueue} is not our worker`, {
        hint: 'close the access of others to Temporal, then start `rotate worker`',
      });
  } catch (error) {
    if (error instanceof WorkflowFailedError && error.cause instanceof TimeoutFailure)
      throw new RotateError(
        'NoWorker',
        `no worker answered on the task queue ${taskQueue} within ${timeoutMs / 1000} s`,
        { hint: 'start one: `rotate worker`, or `rotate dev` for a try', cause: error },
      );
    throw toRotateError(error);
  }
}
