/** Claims as Temporal has them: who holds one, and letting go in the name of a holder that has ended. */
import type { Client } from '@temporalio/client';
import { setTimeout as sleep } from 'node:timers/promises';
import { RotateError } from '../domain/failure.js';
import type { RotationState } from '../domain/steps.js';
import { holderQuery, releaseSignal } from '../workflows/messages.js';
import { memoStatus } from './memo-status.js';

export interface ClaimHolder {
  /** Workflow id of the rotation that holds it. */
  holder: string;
  running: boolean;
}

/** The holder of the claim with this workflow id; undefined when nobody holds it. */
export async function lookUpClaim(client: Client, claim: string): Promise<ClaimHolder | undefined> {
  const handle = client.workflow.getHandle(claim);
  if (!(await isRunning(client, claim))) return undefined;
  const holder = await handle.query<string>(holderQuery);
  return { holder, running: await isRunning(client, holder) };
}

/** Releases a claim in the name of `holder`, and waits until it has ended. @throws RotateError Timeout */
export async function releaseClaim(client: Client, claim: string, holder: string): Promise<void> {
  const handle = client.workflow.getHandle(claim);
  await handle.signal(releaseSignal, holder);
  for (let i = 0; i < 100; i += 1) {
    if (!(await isRunning(client, claim))) return;
    await sleep(100);
  }
  throw new RotateError(
    'Timeout',
    `the lock of the secret was released, and its workflow ${claim} has not ended`,
    {
      hint: 'see whether a worker runs: `rotate doctor`',
    },
  );
}

/** As its memo says, which needs no worker to answer; undefined when there is no such rotation. */
export async function stateOfRotation(
  client: Client,
  workflowId: string,
): Promise<RotationState | undefined> {
  const { WorkflowNotFoundError } = await import('@temporalio/client');
  try {
    return memoStatus(await client.workflow.getHandle(workflowId).describe())?.state;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

async function isRunning(client: Client, workflowId: string): Promise<boolean> {
  const { WorkflowNotFoundError } = await import('@temporalio/client');
  try {
    return (await client.workflow.getHandle(workflowId).describe()).status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
