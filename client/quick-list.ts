/**
 * The rotations that Temporal knows, by one call and without its SDK, which takes longer to load than all else that
 * `rotate status` does. Field numbers and names are of temporal/api/workflowservice/v1/request_response.proto and
 * temporal/api/workflow/v1/message.proto.
 */
import type { CodecKeyring } from '../codec/keyring.js';
import { makePayloadCodec } from '../codec/payload-codec.js';
import { decodePayload } from '../codec/payload-message.js';
import { bytesOf, everyOf, numberOf, readFields, textOf, writeFields } from '../codec/protobuf.js';
import type { Endpoint } from './endpoint.js';
import { collectRotations, type ListedWorkflow, type RotationList } from './list-rotations.js';
import type { OpenOptions } from './open.js';
import { quickLine, soon } from './quick-line.js';
import { rotationsQuery } from './rotation-ref.js';
import { unaryCall } from './unary-call.js';

const method = '/temporal.api.workflowservice.v1.WorkflowService/ListWorkflowExecutions';

/**
 * @returns undefined where it cannot tell: ask through a session
 * @throws RotateError BadConfig (keys, temporal.toml)
 */
export async function quickList(
  options: OpenOptions,
  filter: { environment?: string } = {},
): Promise<RotationList | undefined> {
  const line = await quickLine(options);
  if (line === undefined) return undefined;
  const { codecKeys, endpoint } = line;
  const signal = soon(options.signal);
  const found: ListedWorkflow[] = [];
  let page: Uint8Array = new Uint8Array();
  do {
    const answer = await unaryCall(endpoint, method, request(endpoint, page), signal);
    if (answer === undefined) return undefined;
    try {
      const { executions, nextPage } = readAnswer(answer);
      for (const execution of executions) found.push(await listed(execution, codecKeys, endpoint));
      page = nextPage;
    } catch {
      // Not as we know it; the SDK may be newer.
      return undefined;
    }
  } while (page.length > 0);
  return collectRotations(found, filter);
}

function request({ namespace }: Endpoint, page: Uint8Array): Uint8Array {
  return writeFields([
    [1, namespace],
    [3, page],
    [4, rotationsQuery],
  ]);
}

function readAnswer(answer: Uint8Array): { executions: Uint8Array[]; nextPage: Uint8Array } {
  const fields = readFields(answer);
  return { executions: everyOf(fields, 1), nextPage: bytesOf(fields, 2) };
}

/** WorkflowExecutionStatus, by its number, as the SDK names it. */
const statuses: readonly ListedWorkflow['status']['name'][] = [
  'UNSPECIFIED',
  'RUNNING',
  'COMPLETED',
  'FAILED',
  'CANCELLED',
  'TERMINATED',
  'CONTINUED_AS_NEW',
  'TIMED_OUT',
  'PAUSED',
];

/** A WorkflowExecutionInfo. */
async function listed(
  message: Uint8Array,
  codecKeys: CodecKeyring,
  { namespace }: Endpoint,
): Promise<ListedWorkflow> {
  const info = readFields(message);
  const workflowId = textOf(readFields(bytesOf(info, 1)), 1);
  const closed = bytesOf(info, 4);
  return {
    workflowId,
    status: { name: statuses[numberOf(info, 5)] ?? 'UNKNOWN' },
    ...(closed.length === 0 ? {} : { closeTime: timestamp(closed) }),
    memo: await readMemo(bytesOf(info, 10), codecKeys, { type: 'workflow', namespace, workflowId }),
  };
}

/** google.protobuf.Timestamp */
function timestamp(message: Uint8Array): Date {
  const fields = readFields(message);
  return new Date(numberOf(fields, 1) * 1_000 + Math.floor(numberOf(fields, 2) / 1_000_000));
}

async function readMemo(
  message: Uint8Array,
  codecKeys: CodecKeyring,
  context: { type: 'workflow'; namespace: string; workflowId: string },
): Promise<Record<string, unknown>> {
  // What it cannot believe becomes a marker, so that one foreign workflow does not spoil the rest.
  const codec = makePayloadCodec(codecKeys, { onRefusal: 'mark' });
  const memo = new Map<string, unknown>();
  for (const entry of everyOf(readFields(message), 1)) {
    const fields = readFields(entry);
    const [payload] = await codec.decode([decodePayload(bytesOf(fields, 2))], context);
    if (payload?.data != null)
      memo.set(textOf(fields, 1), JSON.parse(Buffer.from(payload.data).toString('utf8')));
  }
  return Object.fromEntries(memo);
}
