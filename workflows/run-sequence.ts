/** Several rotations, one after the other: what comes later may rest on what came before. */
import { isCancellation, ParentClosePolicy, sleep, startChild, uuid4 } from '@temporalio/workflow';
import { rotationId } from '../domain/ids.js';
import { statusOf } from '../domain/progress.js';
import { requestLifetimeMs, type Request } from '../domain/request.js';
import { startJournal, type StartRequest } from '../domain/start.js';
import type { RotationState } from '../domain/steps.js';
import { assessing } from './budgets.js';
import { searchAttributes, statusMemo, type SequencePart } from './messages.js';
import type { rotation } from './rotation.js';

export interface SequenceOptions {
  /** A rotation that asks for a person ends the sequence; else it is waited for. */
  endWhenParked: boolean;
  /**
   * Of each part, the places of those that it comes after. One that was refused has changed nothing, so it holds up
   * only what comes after it. Default: all that are before it.
   */
  comesAfter?: readonly (readonly number[])[];
  /** Asked before each part but the first: when it says no, this part and those behind it are not started. */
  goOn?: (part: SequencePart) => Promise<boolean>;
  /** Called when the state of a part is known. */
  seen?: (parts: readonly SequencePart[]) => void;
}

/** How often a rotation that goes on is looked at, in milliseconds: soon at first, then seldom. */
const firstLookMs = 15_000;
const lastLookMs = 10 * 60_000;

/** Stops with the first that is not `done`, but for one that was refused; what was started goes on by itself in any case. */
export async function runSequence(
  starts: readonly StartRequest[],
  { endWhenParked, comesAfter, goOn, seen = () => {} }: SequenceOptions,
): Promise<SequencePart[]> {
  const parts: SequencePart[] = starts.map(({ id, plan }) => ({
    id,
    secrets: plan.plan.secrets.map((s) => s.name),
  }));
  for (const [i, start] of starts.entries()) {
    const part = parts[i];
    if (part === undefined) break;
    const before = comesAfter?.[i]?.map((place) => parts[place]) ?? parts.slice(0, i);
    if (before.some((other) => other?.state !== 'done')) continue;
    if (i > 0 && goOn !== undefined && !(await goOn(part))) break;
    part.state = 'running';
    seen(parts);
    part.state = await carryOut(start, endWhenParked);
    seen(parts);
    if (part.state !== 'done' && part.state !== 'refused') break;
  }
  return parts;
}

async function carryOut(start: StartRequest, endWhenParked: boolean): Promise<RotationState> {
  const workflowId = rotationId(start.plan.plan.environment, start.id);
  const now = new Date().toISOString();
  const child = await startChild<typeof rotation>('rotation', {
    workflowId,
    args: [{ request: requestFor(workflowId, start) }],
    parentClosePolicy: ParentClosePolicy.ABANDON,
    memo: { [statusMemo]: statusOf(startJournal(start, now)) },
    typedSearchAttributes: [
      {
        key: { name: searchAttributes.environment, type: 'KEYWORD' },
        value: start.plan.plan.environment,
      },
    ],
  });
  // What was terminated in Temporal has not succeeded either.
  const ended = child.result().then(
    (status) => status.state,
    (error: unknown) => {
      if (isCancellation(error)) throw error;
      return 'failed' as const;
    },
  );
  if (!endWhenParked) return ended;
  for (let pause = firstLookMs; ; pause = Math.min(pause * 2, lastLookMs)) {
    const state = await Promise.race([ended, sleep(pause).then(() => undefined)]);
    if (state !== undefined) return state;
    const seen = await lookAt(workflowId);
    if (seen === 'needs-attention') return seen;
  }
}

/** Undefined where nobody can tell; then its end is waited for. */
async function lookAt(rotation: string): Promise<RotationState | undefined> {
  try {
    return (await assessing().stateOf({ rotation })).state;
  } catch (error) {
    if (isCancellation(error)) throw error;
    return undefined;
  }
}

/** As a client makes one; the codec seals it in our name. */
function requestFor(workflowId: string, body: StartRequest): Request<StartRequest> {
  return {
    workflowId,
    nonce: uuid4(),
    expiresAt: new Date(Date.now() + requestLifetimeMs).toISOString(),
    body,
  };
}
