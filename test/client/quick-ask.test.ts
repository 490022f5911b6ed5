/** A question that is asked without the SDK is the one that the SDK asks. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import proto from '@temporalio/proto';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { openSession, type OpenOptions } from '../../client/open.js';
import { quickAsk, type Question } from '../../client/quick-ask.js';
import { generateCodecKey } from '../../codec/keyring.js';
import { taskQueue, workflowTypes } from '../../workflows/messages.js';
import { startTestTemporal, type TestTemporal } from '../support/temporal.js';

let temporal: TestTemporal;
let options: OpenOptions;

beforeAll(async () => {
  temporal = await startTestTemporal();
  const keyFile = join(temporal.folder, 'codec.key');
  await writeFile(keyFile, `${generateCodecKey()}\n`, { mode: 0o600 });
  options = { keyFiles: [keyFile], env: temporal.env, signal: new AbortController().signal };
});
afterAll(async () => {
  await temporal?.stop();
});

const question: Question = {
  type: workflowTypes.inspectPlan,
  workflowId: 'inspect/quick',
  input: { environment: 'été', secrets: ['db-password'] },
  timeoutMs: 300_000,
};

/** What differs between two workflows of the same kind in any case. */
const own = [
  'originalExecutionRunId',
  'firstExecutionRunId',
  'identity',
  'workflowId',
  'input',
  'workflowExecutionExpirationTime',
];

test('it starts the workflow that the SDK would start, with an input that our key opens', async () => {
  expect(await quickAsk(options, question)).toBe(true);
  const session = await openSession(options);
  try {
    const { client } = session.connection;
    await client.workflow.start(question.type, {
      workflowId: 'inspect/slow',
      taskQueue,
      args: [question.input],
      workflowExecutionTimeout: question.timeoutMs,
    });
    const started = async (workflowId: string) => {
      const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
      const found = events?.[0]?.workflowExecutionStartedEventAttributes;
      if (found == null) throw new Error(`no start of ${workflowId}`);
      const { payloadCodecs } = client.options.loadedDataConverter;
      const context = {
        type: 'workflow',
        namespace: session.connection.endpoint.namespace,
        workflowId,
      } as const;
      const [input] = (await payloadCodecs[0]?.decode(found.input?.payloads ?? [], context)) ?? [];
      const attributes =
        proto.temporal.api.history.v1.WorkflowExecutionStartedEventAttributes.fromObject(found);
      const rest = Object.entries(attributes.toJSON()).filter(
        ([key]) => !own.includes(key) && key !== 'header',
      );
      return { rest: Object.fromEntries(rest), input: Buffer.from(input?.data ?? []).toString('utf8') };
    };
    const quick = await started('inspect/quick');
    expect(quick).toEqual(await started('inspect/slow'));
    expect(JSON.parse(quick.input)).toEqual(question.input);
  } finally {
    await session.close();
  }
});

test.each([
  ['nothing listens', { TEMPORAL_ADDRESS: '127.0.0.1:1' }],
  ['there is a proxy, which is for the SDK', { http_proxy: 'http://127.0.0.1:1' }],
  ['the namespace is not there', { TEMPORAL_NAMESPACE: 'nowhere' }],
])('nothing was asked where %s', async (_, env) => {
  expect(await quickAsk({ ...options, env: { ...options.env, ...env } }, question)).toBe(false);
});
