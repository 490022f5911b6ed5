/** What a client sends is bound to one workflow, used once and valid for a while; see domain/request.ts. */
import { ulid } from 'ulid';

import { requestLifetimeMs, type Request } from '../domain/request.js';

export function makeRequest<Body>(workflowId: string, body: Body, now = Date.now()): Request<Body> {
  return {
    workflowId,
    nonce: ulid(),
    expiresAt: new Date(now + requestLifetimeMs).toISOString(),
    body,
  };
}
