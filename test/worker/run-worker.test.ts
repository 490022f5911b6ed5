import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Client } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { generateCodecKey, loadCodecKeys } from '../../codec/keyring.js';
import type { TemporalConnection } from '../../client/connection.js';
import { bundleWorkflows } from '../../worker/bundle.js';
import { connectWorker } from '../../worker/run-worker.js';
import { startTestTemporal, type TestTemporal } from '../support/temporal.js';
import { hangs, oneActivity } from '../codec/fixtures/workflows.js';

const pathOf = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
let temporal: TestTemporal;
let connection: TemporalConnection;
let client: Client;
let bundleFile: string;
let keyFile: string;
const processes: ChildProcess[] = [];

beforeAll(async () => {
  const [started, bundle] = await Promise.all([
    startTestTemporal(),
    bundleWorkflows({ workflowsPath: pathOf('../codec/fixtures/workflows.ts') }),
  ]);
  temporal = started;
  bundleFile = join(temporal.folder, 'bundle.js');
  keyFile = join(temporal.folder, 'codec.key');
  await writeFile(bundleFile, bundle.code);
  await writeFile(keyFile, generateCodecKey(), { mode: 0o600 });
  connection = await temporal.connect(await loadCodecKeys([keyFile]));
  client = connection.client;
}, 60_000);

afterAll(async () => {
  for (const child of processes) child.kill('SIGKILL');
  await connection?.close();
  await temporal?.stop();
});

interface WorkerProcess {
  child: ChildProcess;
  output: () => string;
  ended: Promise<unknown[]>;
}

async function startProcess(taskQueue: string): Promise<WorkerProcess> {
  const child = spawn(
    process.execPath,
    [
      '--import',
      pathOf('../support/resolve-sources.mjs'),
      pathOf('fixtures/worker-process.ts'),
      taskQueue,
      bundleFile,
      keyFile,
    ],
    {
      env: { ...process.env, ...temporal.env, ROTATE_LOG_LEVEL: 'debug' },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  processes.push(child);
  const ended = once(child, 'exit');
  const chunks: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => chunks.push(text));
  const output = (): string => chunks.join('');
  await expect.poll(output, { timeout: 20_000 }).toContain('ready');
  return { child, output, ended };
}

/** Waits until the workflow's activity has begun to beat. */
async function beating(workflowId: string): Promise<void> {
  await expect
    .poll(
      async () => {
        const { raw } = await client.workflow.getHandle(workflowId).describe();
        return raw.pendingActivities?.[0]?.heartbeatDetails != null;
      },
      { timeout: 10_000 },
    )
    .toBe(true);
}

describe('a worker', () => {
  test('that is killed is replaced: the next one makes the second attempt', async () => {
    const taskQueue = 'killed';
    const first = await startProcess(taskQueue);
    const handle = await client.workflow.start(hangs, { taskQueue, workflowId: 'killed', args: ['this'] });
    await beating('killed');
    first.child.kill('SIGKILL');
    await first.ended;
    const second = await startProcess(taskQueue);
    expect(await handle.result()).toBe('second attempt of this');
    second.child.kill('SIGTERM');
    await second.ended;
  }, 60_000);

  test('that is frozen is replaced, and does no harm when it thaws', async () => {
    const taskQueue = 'frozen';
    const first = await startProcess(taskQueue);
    const handle = await client.workflow.start(hangs, {
      taskQueue,
      workflowId: 'frozen',
      args: ['this'],
      // The frozen worker swallows workflow tasks too, as many as it has polls open; the default is 10 s each.
      workflowTaskTimeout: '1s',
    });
    await beating('frozen');
    first.child.kill('SIGSTOP');
    const second = await startProcess(taskQueue);
    expect(await handle.result()).toBe('second attempt of this');
    first.child.kill('SIGCONT');
    second.child.kill('SIGTERM');
    await second.ended;
    expect(
      await client.workflow.execute(oneActivity, {
        taskQueue,
        workflowId: 'thawed',
        args: ['later'],
        workflowTaskTimeout: '1s',
      }),
    ).toMatchObject({ got: 'later' });
    first.child.kill('SIGKILL');
    await first.ended;
  }, 60_000);

  test('ends on SIGTERM by itself, with exit code 0', async () => {
    const { child, output, ended } = await startProcess('ends');
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
    expect(output()).toContain('stopped');
  }, 60_000);

  test('logs neither task tokens nor what activities were given', async () => {
    const taskQueue = 'logs';
    const { child, output, ended } = await startProcess(taskQueue);
    await client.workflow.execute(oneActivity, { taskQueue, workflowId: 'logs', args: ['canary55aa'] });
    child.kill('SIGTERM');
    await ended;
    expect(output()).toContain('"workflowType":"oneActivity"');
    expect(output()).not.toMatch(/taskToken|canary55aa/);
  }, 60_000);

  test('without a server says so, also when its port accepts and never answers', async () => {
    await expect(connectWorker({ env: { TEMPORAL_ADDRESS: '127.0.0.1:1' } })).rejects.toMatchObject({
      type: 'TemporalUnreachable',
      message: 'cannot reach Temporal at 127.0.0.1:1: connection refused (ECONNREFUSED)',
    });
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const address = silent.address();
    const port = typeof address === 'object' ? address?.port : 0;
    await expect(
      connectWorker({ env: { TEMPORAL_ADDRESS: `127.0.0.1:${port}` }, timeoutMs: 300 }),
    ).rejects.toMatchObject({
      type: 'TemporalUnreachable',
      message: expect.stringContaining('does not answer as Temporal does'),
    });
    silent.close();
  }, 30_000);
});
