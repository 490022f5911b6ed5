/** Rotations that a person has asked for together and that cannot be one batch. */
import { defineQuery, setHandler, workflowInfo } from '@temporalio/workflow';
import { requestObjection } from '../domain/request.js';
import { sequenceQuery, type SequencePart, type SequenceRequest } from './messages.js';
import { failure } from './reason.js';
import { runSequence } from './run-sequence.js';

export async function sequence(request: SequenceRequest): Promise<SequencePart[]> {
  const { workflowId, startTime } = workflowInfo();
  const bad = requestObjection(request, workflowId, startTime.toISOString(), []);
  if (bad !== undefined) throw failure(bad);
  let parts: readonly SequencePart[] = [];
  setHandler(defineQuery<readonly SequencePart[]>(sequenceQuery), () => parts);
  return runSequence(request.body.rotations, {
    endWhenParked: false,
    seen: (now) => {
      parts = now.map((part) => ({ ...part }));
    },
  });
}
