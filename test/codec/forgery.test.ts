import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { Client, type WorkflowHandle } from '@temporalio/client';
import type { Payload } from '@temporalio/common';
import proto from '@temporalio/proto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { requireWorker } from '../../client/worker-alive.js';
import type { TemporalConnection } from '../../client/connection.js';
import { failureConverterPath } from '../../codec/data-converter.js';
import {
  makeCodecKeyring,
  parseCodecKeys,
  generateCodecKey,
  type CodecKeyring,
} from '../../codec/keyring.js';
import { makePayloadCodec } from '../../codec/payload-codec.js';
import { toRotateError } from '../../codec/read-failure.js';
import { isRefusedPayload } from '../../domain/refused-payload.js';
import { bundleWorkflows } from '../../worker/bundle.js';
import {
  connectWorker,
  startWorker,
  type RunningWorker,
  type WorkerConnection,
} from '../../worker/run-worker.js';
import { installRuntime } from '../../worker/runtime.js';
import { findTemporalCli } from '../../worker/temporal-cli.js';
import { freshKeys, startTestTemporal, type TestTemporal } from '../support/temporal.js';
import { activities } from './fixtures/activities.js';
import { ask, oneActivity, say, sayUnvalidated, tell, waits } from './fixtures/workflows.js';

const taskQueue = 'forgery';
const run = promisify(execFile);
const oldKey = parseCodecKeys(generateCodecKey(), 'old');
const newKey = parseCodecKeys(generateCodecKey(), 'new');
const ring = (...keys: ReturnType<typeof parseCodecKeys>): CodecKeyring => {
  const [first, ...rest] = keys;
  if (first === undefined) throw new Error('no keys');
  return makeCodecKeyring([first, ...rest]);
};
const keys = ring(...newKey, ...oldKey);
let temporal: TestTemporal;
let connection: TemporalConnection;
let native: WorkerConnection;
let worker: RunningWorker;
let bundle: { code: string };
/** Someone who reaches the port and has no key. */
let stranger: Client;
let id = 0;

beforeAll(async () => {
  installRuntime({ log: { level: 'ERROR', format: 'json', write: () => {} } });
  [temporal, bundle] = await Promise.all([
    startTestTemporal(),
    bundleWorkflows({ workflowsPath: fileURLToPath(new URL('fixtures/workflows.ts', import.meta.url)) }),
  ]);
  connection = await temporal.connect(keys);
  native = await connectWorker({ env: temporal.env });
  worker = await startMyWorker(keys);
  stranger = new Client({
    connection: connection.client.connection,
    dataConverter: {
      failureConverterPath,
      // Sends in the clear; reads with the key only so that the tests can see what was answered.
      payloadCodecs: [
        {
          encode: async (payloads) => payloads,
          decode: makePayloadCodec(keys, { onRefusal: 'throw' }).decode,
        },
      ],
    },
  });
}, 60_000);

afterAll(async () => {
  await worker?.stop();
  await native?.close();
  await connection?.close();
  await temporal?.stop();
});

function startMyWorker(
  codecKeys: CodecKeyring,
  queue = taskQueue,
  implemented: object = activities,
): Promise<RunningWorker> {
  return startWorker({
    connection: native.connection,
    namespace: 'default',
    taskQueue: queue,
    activities: implemented,
    codecKeys,
    bundle,
  });
}

const next = (queue = taskQueue) => ({ taskQueue: queue, workflowId: `f${(id += 1)}` });

async function failureOf(promise: Promise<unknown>): Promise<{ type: string; message: string }> {
  return promise.then(
    (value) => {
      throw new Error(`did not fail, but gave ${JSON.stringify(value)}`);
    },
    (error: unknown) => toRotateError(error).toReason(),
  );
}

/** The sealed arguments with which a workflow was started, as anyone with access to the port can read them. */
async function startPayloads(handle: WorkflowHandle): Promise<Payload[]> {
  const { events } = await handle.fetchHistory();
  return [...(events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [])];
}

/** Starts a workflow with `payloads` as they are. */
async function startRaw(workflowId: string, workflowType: string, payloads: Payload[]): Promise<void> {
  await connection.client.workflowService.startWorkflowExecution({
    namespace: 'default',
    workflowId,
    workflowType: { name: workflowType },
    taskQueue: { name: taskQueue },
    input: { payloads },
    requestId: workflowId,
  });
}

/** Starts a workflow whose only activity task a stranger takes and answers; how the workflow then fails. */
async function withStolenTask(
  queue: string,
  answer: (taskToken: Uint8Array) => Promise<unknown>,
): Promise<{ type: string; message: string }> {
  // A worker without activities does not poll for them, so the task is there for the thief.
  const workflows = await startMyWorker(keys, queue, {});
  const handle = await connection.client.workflow.start(oneActivity, { ...next(queue), args: ['x'] });
  const task = await connection.client.withDeadline(Date.now() + 10_000, () =>
    connection.client.workflowService.pollActivityTaskQueue({
      namespace: 'default',
      taskQueue: { name: queue, kind: proto.temporal.api.enums.v1.TaskQueueKind.TASK_QUEUE_KIND_NORMAL },
      identity: 'thief',
    }),
  );
  await answer(task.taskToken);
  const failure = await failureOf(handle.result());
  await workflows.stop();
  return failure;
}

describe('someone without a key who reaches the port', () => {
  test('starts a workflow: it fails at once, and no activity runs', async () => {
    const options = next();
    await stranger.workflow.start('oneActivity', { ...options, args: ['let me in'] });
    const handle = connection.client.workflow.getHandle(options.workflowId);
    expect(await failureOf(handle.result())).toMatchObject({
      type: 'Forged',
      message: 'the request came without encryption and was refused',
    });
    const { events } = await handle.fetchHistory();
    expect(events?.some((event) => event.activityTaskScheduledEventAttributes != null)).toBe(false);
  });

  test('sends a signal, an update, a query: each is refused and the workflow goes on', async () => {
    const options = next();
    const handle = await connection.client.workflow.start(waits, { ...options, args: ['mine'] });
    const forged = stranger.workflow.getHandle(options.workflowId);
    await forged.signal(tell, 'go');
    expect(await failureOf(forged.executeUpdate(say, { args: ['x'] }))).toMatchObject({ type: 'Forged' });
    expect(await failureOf(forged.executeUpdate(sayUnvalidated, { args: ['x'] }))).toMatchObject({
      type: 'Forged',
    });
    await expect(forged.query('ask', 'x')).rejects.toThrow('Encoded failure');
    expect(await handle.executeUpdate(say, { args: ['hello'] })).toBe('got hello');
    await handle.signal(tell, 'go');
    expect(await handle.result()).toBe('mine');
  });

  test('copies a sealed request into another workflow: it is refused', async () => {
    const original = await connection.client.workflow.start(oneActivity, { ...next(), args: ['precious'] });
    await original.result();
    const { workflowId } = next();
    await startRaw(workflowId, 'oneActivity', await startPayloads(original));
    const copied = connection.client.workflow.getHandle(workflowId);
    expect(await failureOf(copied.result())).toMatchObject({ type: 'Forged' });
  });

  test('changes one bit of a sealed request: it is refused', async () => {
    const original = await connection.client.workflow.start(waits, { ...next(), args: ['precious'] });
    const payloads = await startPayloads(original);
    await original.terminate();
    for (const { data } of payloads) if (data != null) data[20] = (data[20] ?? 0) ^ 1;
    await startRaw(original.workflowId, 'waits', payloads);
    const changed = connection.client.workflow.getHandle(original.workflowId);
    expect(await failureOf(changed.result())).toMatchObject({ type: 'Forged' });
  });

  test('takes an activity task and answers it in the clear: the workflow does not believe it', async () => {
    const failure = await withStolenTask('stolen', (taskToken) =>
      connection.client.workflowService.respondActivityTaskCompleted({
        namespace: 'default',
        taskToken,
        result: {
          payloads: [
            { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('"all is well"') },
          ],
        },
      }),
    );
    expect(failure).toMatchObject({
      type: 'Forged',
      message: 'the result of activity work came without encryption and was refused',
    });
  });

  test('answers an activity task with what another activity was answered: the workflow does not believe it', async () => {
    const original = await connection.client.workflow.start(oneActivity, { ...next(), args: ['x'] });
    await original.result();
    const { events } = await original.fetchHistory();
    const completed = events?.find((event) => event.activityTaskCompletedEventAttributes != null);
    const result = completed?.activityTaskCompletedEventAttributes?.result ?? null;
    const failure = await withStolenTask('stolen2', (taskToken) =>
      connection.client.workflowService.respondActivityTaskCompleted({
        namespace: 'default',
        taskToken,
        result,
      }),
    );
    expect(failure).toMatchObject({
      type: 'Forged',
      message: 'the result of activity work does not authenticate for this workflow and was refused',
    });
  });

  test('fails an activity task with a type of ours: the workflow does not believe the reason', async () => {
    const failure = await withStolenTask('stolen3', (taskToken) =>
      connection.client.workflowService.respondActivityTaskFailed({
        namespace: 'default',
        taskToken,
        failure: { message: 'gone', applicationFailureInfo: { type: 'Superseded', nonRetryable: true } },
      }),
    );
    expect(failure).toMatchObject({ type: 'Forged' });
  });

  test('starts a workflow with the real command line: it fails at once', async () => {
    const cli = await findTemporalCli();
    const { workflowId } = next();
    const where = `--address ${temporal.server.address} --task-queue ${taskQueue}`;
    await run(cli, `workflow start ${where} --type waits --workflow-id ${workflowId} --input "x"`.split(' '));
    const handle = connection.client.workflow.getHandle(workflowId);
    expect(await failureOf(handle.result())).toMatchObject({ type: 'Forged' });
  });
});

describe('keys', () => {
  test('an older key of the ring still opens what it sealed', async () => {
    const operator = await temporal.connect(ring(...oldKey, ...newKey));
    expect(
      await operator.client.workflow.execute(oneActivity, { ...next(), args: ['from an older operator'] }),
    ).toEqual({
      got: 'from an older operator',
      result: 'from an older operator-activity-result',
    });
    await operator.close();
  });

  test('a client with another key is told so within seconds, and leaves nothing hanging', async () => {
    const other = await temporal.connect(freshKeys());
    const reason = await failureOf(requireWorker(other.client, { taskQueue }));
    expect(reason).toMatchObject({ type: 'WrongKey', message: "the codec key differs from the worker's" });
    const options = next();
    await other.client.workflow.start(oneActivity, { ...options, args: ['x'] });
    const seenByWorkersSide = await failureOf(
      connection.client.workflow.getHandle(options.workflowId).result(),
    );
    expect(seenByWorkersSide).toMatchObject({ type: 'WrongKey' });
    await other.close();
  });

  test('a worker that lost a key parks the workflows that need it, until the key is back', async () => {
    const queue = 'lost';
    const before = await startMyWorker(ring(...oldKey), queue);
    const operator = await temporal.connect(ring(...oldKey));
    const handle = await operator.client.workflow.start(waits, { ...next(queue), args: ['mine'] });
    // No command yet, so only the refusal to guess keeps the replay from ending it.
    expect(await handle.query(ask, 'hello')).toBe('mine hello');
    await before.stop();
    const without = await startMyWorker(ring(...newKey), queue);
    await handle.signal(tell, 'go');
    await expect
      .poll(async () => JSON.stringify((await handle.fetchHistory()).events), { timeout: 15_000 })
      .toContain('workflowTaskFailedEventAttributes');
    expect((await handle.describe()).status.name).toBe('RUNNING');
    await without.stop();
    const restored = await startMyWorker(ring(...newKey, ...oldKey), queue);
    expect(await connection.client.workflow.getHandle(handle.workflowId).result()).toBe('mine');
    await restored.stop();
    await operator.close();
  }, 60_000);

  test('a list shows foreign workflows without being spoilt by them', async () => {
    const { workflowId } = next('nobody');
    await stranger.workflow.start('any', { taskQueue: 'nobody', workflowId, memo: { status: 'plain' } });
    const query = `WorkflowId = "${workflowId}"`;
    await expect
      .poll(
        async () => {
          for await (const item of connection.lister.workflow.list({ query }))
            return isRefusedPayload(item.memo?.['status']);
          return undefined;
        },
        { timeout: 10_000 },
      )
      .toBe(true);
    await stranger.workflow.getHandle(workflowId).terminate();
  });
});
