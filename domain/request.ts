/**
 * What a client sends: bound to one workflow, used once, and valid for a while.
 * The codec seals and authenticates it; this binds it, so that a request which
 * somebody recorded cannot be played again.
 */
import type { Reason } from './failure.js';

export interface Request<Body> {
  /** Workflow that it is for. */
  workflowId: string;
  /** Random; each is taken once. */
  nonce: string;
  /** RFC 3339. */
  expiresAt: string;
  body: Body;
}

/** Minutes that a request is valid. */
export const requestLifetimeMs = 10 * 60_000;

/** Why the request is refused; undefined when it is good. */
export function requestObjection(
  request: unknown,
  workflowId: string,
  now: string,
  seenNonces: readonly string[],
): Reason | undefined {
  if (!isRequest(request)) return forged('the request is not sealed with a codec key of this worker');
  if (request.workflowId !== workflowId) return forged('the request was made for another workflow');
  if (seenNonces.includes(request.nonce)) return forged('the request was seen before');
  if (!(Date.parse(request.expiresAt) > Date.parse(now))) {
    return forged('the request has expired', "is the operator's clock right?");
  }
  return undefined;
}

function isRequest(value: unknown): value is Request<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    'workflowId' in value &&
    'nonce' in value &&
    'expiresAt' in value &&
    'body' in value &&
    typeof value.workflowId === 'string' &&
    typeof value.nonce === 'string' &&
    typeof value.expiresAt === 'string'
  );
}

function forged(message: string, hint = 'use the codec key of the worker (`--codec-key`)'): Reason {
  return { type: 'Forged', message, hint };
}
