/**
 * Begins what only a worker can answer before Temporal's SDK is there: the worker is at it while the SDK is loaded.
 * Field numbers are of temporal/api/workflowservice/v1/request_response.proto.
 */
import { hostname } from 'node:os';

import { ulid } from 'ulid';

import { encodePayload } from '../codec/payload-message.js';
import { makePayloadCodec } from '../codec/payload-codec.js';
import { writeFields } from '../codec/protobuf.js';
import { taskQueue } from '../workflows/messages.js';
import type { OpenOptions } from './open.js';
import { quickLine, soon } from './quick-line.js';
import { unaryCall } from './unary-call.js';

const method = '/temporal.api.workflowservice.v1.WorkflowService/StartWorkflowExecution';

export interface Question {
  /** Of the workflow. */
  type: string;
  workflowId: string;
  input: unknown;
  /** Milliseconds until the server gives it up. */
  timeoutMs: number;
}

/**
 * Starts the workflow, as the SDK would.
 * @returns whether it was started; false also where nobody knows: ask again under the same id, for the one that may be there
 * @throws RotateError BadConfig (keys, temporal.toml)
 */
export async function quickAsk(options: OpenOptions, question: Question): Promise<boolean> {
  const line = await quickLine(options);
  if (line === undefined) return false;
  const { namespace } = line.endpoint;
  const { type, workflowId, timeoutMs } = question;
  const plain = {
    metadata: { encoding: Buffer.from('json/plain') },
    data: Buffer.from(JSON.stringify(question.input)),
  };
  const [input] = await makePayloadCodec(line.codecKeys, { onRefusal: 'throw' }).encode([plain], {
    type: 'workflow',
    namespace,
    workflowId,
  });
  if (input === undefined) return false;
  const request = writeFields([
    [1, namespace],
    [2, workflowId],
    [3, writeFields([[1, type]])],
    [4, writeFields([[1, taskQueue]])],
    [5, writeFields([[1, encodePayload(input)]])],
    [6, writeFields([[1, Math.ceil(timeoutMs / 1_000)]])],
    [9, `${process.pid}@${hostname()}`],
    [10, ulid()],
  ]);
  return (await unaryCall(line.endpoint, method, request, soon(options.signal))) !== undefined;
}
