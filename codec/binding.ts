/**
 * To which workflow and activity a payload belongs.
 *
 * The binding is authenticated with the payload, so that a ciphertext that is copied
 * into another workflow, or from one activity's result into another's, is refused.
 * It comes from the SDK's serialization context; test/codec/contexts.test.ts shows on
 * a real server that both sides of every message see the same one.
 */
import type { SerializationContext } from '@temporalio/common';

/** What a Schedule appends to the workflow id that it was given, e.g. `-2026-11-23T18:00:00Z`. */
const scheduledTime = /-\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

/**
 * Canonical text for `context`; it is unambiguous, as it is JSON.
 *
 * - A schedule's arguments are sealed for the id without the time: runs of one schedule share a binding.
 * - The run id is not part of a context: a payload of an earlier run with the same workflow id still fits.
 * - Without a context (the SDK gives none to failures of whole workflow tasks): `unbound`, which fits nowhere
 *   where a context is given.
 */
export function bindingFor(context: SerializationContext | undefined): string {
  if (context === undefined) return 'unbound';
  const workflowId = context.workflowId?.replace(scheduledTime, '') ?? '';
  return context.type === 'workflow'
    ? JSON.stringify(['workflow', context.namespace, workflowId])
    : JSON.stringify(['activity', context.namespace, workflowId, context.activityId ?? '']);
}
