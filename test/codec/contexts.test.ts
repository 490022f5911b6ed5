import { DatabaseSync } from 'node:sqlite';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { WorkflowFailedError, WorkflowUpdateFailedError, type Client } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { TemporalConnection } from '../../client/connection.js';
import { toRotateError } from '../../codec/read-failure.js';
import { bundleWorkflows } from '../../worker/bundle.js';
import {
  connectWorker,
  startWorker,
  type RunningWorker,
  type WorkerConnection,
} from '../../worker/run-worker.js';
import { installRuntime } from '../../worker/runtime.js';
import { freshKeys, startTestTemporal, type TestTemporal } from '../support/temporal.js';
import { activities } from './fixtures/activities.js';
import {
  ask,
  askAndFail,
  everyDoor,
  failingWorkflow,
  hangs,
  plainThrow,
  say,
  tell,
} from './fixtures/workflows.js';

const mark = 'canary7f3e';
const taskQueue = 'contexts';
const logLines: string[] = [];
const keys = freshKeys();
let temporal: TestTemporal;
let connection: TemporalConnection;
let client: Client;
let native: WorkerConnection;
let worker: RunningWorker;
let id = 0;

beforeAll(async () => {
  installRuntime({ log: { level: 'DEBUG', format: 'json', write: (line) => void logLines.push(line) } });
  const [started, bundle] = await Promise.all([
    startTestTemporal(),
    bundleWorkflows({ workflowsPath: fileURLToPath(new URL('fixtures/workflows.ts', import.meta.url)) }),
  ]);
  temporal = started;
  connection = await temporal.connect(keys);
  client = connection.client;
  native = await connectWorker({ env: temporal.env });
  worker = await startWorker({
    connection: native.connection,
    namespace: 'default',
    taskQueue,
    activities,
    codecKeys: keys,
    bundle,
  });
}, 60_000);

afterAll(async () => {
  await worker?.stop();
  await native?.close();
  await connection?.close();
  await temporal?.stop();
});

const start = (workflowId = `w${(id += 1)}`) => ({ taskQueue, workflowId });

describe('on a real server', () => {
  test('every kind of payload is decoded by the other side', async () => {
    const options = start();
    const handle = await client.workflow.start(everyDoor, {
      ...options,
      args: [mark],
      memo: { begun: `${mark}-start-memo` },
      staticSummary: `${mark}-summary`,
      staticDetails: `${mark}-details`,
    });
    // The first run continues as new at once; what is sent to it may end with it.
    await expect.poll(() => handle.query(ask, ''), { timeout: 10_000 }).toContain('run 1');
    await handle.signal(tell, `${mark}-signal`);
    const answer = await handle.query(ask, `${mark}-query-argument`);
    const updated = await handle.executeUpdate(say, { args: [`${mark}-update-argument`] });
    const result = await handle.result();
    const described = await handle.describe();
    expect(answer).toBe(`${mark}-query-result of ${mark}-query-argument in run 1`);
    expect(updated).toBe(`${mark}-update-result`);
    expect(described.memo).toEqual({ begun: `${mark}-start-memo`, status: `${mark}-memo` });
    expect(result).toEqual({
      signal: `${mark}-signal`,
      update: `${mark}-update-argument`,
      activity: { got: `${mark}-activity-argument`, result: `${mark}-activity-argument-activity-result` },
      heartbeat: `${mark}-beat-heartbeat`,
      memo: `${mark}-memo`,
      failure: {
        type: 'IssuerAuthFailed',
        message: `${mark}-activity-failure`,
        nonRetryable: true,
        details: [
          {
            type: 'IssuerAuthFailed',
            hint: `${mark}-activity-failure-hint`,
            host: 'db-1',
            details: { fact: `${mark}-activity-failure-fact` },
          },
        ],
      },
      child: `${mark}-child-argument-child-result with memo ${mark}-child-memo`,
      childFailure: { type: 'SwitchFailed', message: `${mark}-child-failure` },
    });
  }, 30_000);

  test('a failed update, a rejected one and a failed query come back with their message', async () => {
    const handle = await client.workflow.start(everyDoor, { ...start(), args: [mark] });
    const failed = await handle.executeUpdate(say, { args: ['please fail'] }).catch((e: unknown) => e);
    const rejected = await handle.executeUpdate(say, { args: ['please reject'] }).catch((e: unknown) => e);
    const query = await handle.query(askAndFail).catch((e: unknown) => e);
    expect(failed).toBeInstanceOf(WorkflowUpdateFailedError);
    expect(toRotateError(failed).toReason()).toEqual({ type: 'Blocked', message: `${mark}-update-failure` });
    expect(toRotateError(rejected).toReason()).toEqual({ type: 'NotAllowed', message: `${mark}-rejection` });
    // Temporal has no room for a failed query's details: its message says only that it is sealed.
    expect(String(query)).toContain('Encoded failure');
    await handle.terminate(`only a reason`);
  }, 30_000);

  test('a failed workflow comes back as the error that it was', async () => {
    const handle = await client.workflow.start(failingWorkflow, {
      ...start(),
      args: [`${mark}-failure`],
      staticSummary: `${mark}-summary`,
    });
    const failed = await handle.result().catch((e: unknown) => e);
    expect(await (await handle.describe()).staticSummary()).toBe(`${mark}-summary`);
    expect(failed).toBeInstanceOf(WorkflowFailedError);
    expect(toRotateError(failed).toReason()).toEqual({
      type: 'SwitchFailed',
      message: `${mark}-failure`,
      hint: `${mark}-failure-hint`,
    });
  }, 30_000);

  test('a cancelled activity ends as cancelled, and not as a failure of its own', async () => {
    const handle = await client.workflow.start(hangs, { ...start(), args: [mark] });
    await expect
      .poll(async () => (await handle.describe()).raw.pendingActivities?.[0]?.heartbeatDetails != null, {
        timeout: 10_000,
      })
      .toBe(true);
    await handle.cancel();
    const failed = await handle.result().catch((e: unknown) => e);
    expect(toRotateError(failed).type).toBe('Interrupted');
    expect((await handle.describe()).status.name).toBe('CANCELLED');
    const { events } = await handle.fetchHistory();
    expect(events?.some((event) => event.activityTaskCanceledEventAttributes != null)).toBe(true);
  }, 30_000);

  test('a plain throw, which fails the workflow task, is stored sealed too', async () => {
    const handle = await client.workflow.start(plainThrow, { ...start(), args: [`${mark}-plain`] });
    await expect
      .poll(async () => JSON.stringify((await handle.fetchHistory()).events), { timeout: 10_000 })
      .toContain('workflowTaskFailedEventAttributes');
    await handle.terminate();
  }, 30_000);

  test('nothing of it is in the clear in the database, its journal or the log, where a decoy is', async () => {
    const decoy = 'decoy91b2';
    // A workflow id is in the clear by design, and long enough a one is split over pages.
    await client.workflow.start('nobody', { taskQueue: 'nobody', workflowId: `${decoy}-${'x'.repeat(900)}` });
    const stored = await everythingStored(temporal.server.databaseFile);
    expect(stored).toContain(decoy);
    expect(places(stored, mark)).toEqual([]);
    expect(logLines.length).toBeGreaterThan(0);
    expect(places(logLines.join('').replaceAll(/"message":"[^"]*"/g, ''), mark)).toEqual([]);
  }, 30_000);
});

/** The bytes of the database and its journal, and a dump of every value, since SQLite splits long ones over pages. */
async function everythingStored(file: string): Promise<string> {
  const raw = await Promise.all(
    [file, `${file}-wal`].map((path) => readFile(path, 'latin1').catch(() => '')),
  );
  const database = new DatabaseSync(file, { readOnly: true });
  const tables = database.prepare("select name from sqlite_master where type = 'table'").all();
  const values = tables.flatMap(({ name }) =>
    database
      .prepare(`select * from "${String(name)}"`)
      .all()
      .flatMap((row) =>
        Object.values(row).map((value) =>
          value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : String(value),
        ),
      ),
  );
  database.close();
  return [...raw, ...values].join('\n');
}

function places(haystack: string, needle: string): string[] {
  const forms = [
    needle,
    Buffer.from(needle).toString('base64').slice(0, 12),
    Buffer.from(needle).toString('hex'),
  ];
  return forms.flatMap((form) => {
    const at = haystack.indexOf(form);
    return at < 0 ? [] : [haystack.slice(Math.max(0, at - 100), at + 60)];
  });
}
