/** A real server, the real workflows and codec, and a worker with stand-ins for activities. One for each test file. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { Client, WorkflowHandle } from '@temporalio/client';
import { ulid } from 'ulid';

import { lookUpClaim, releaseClaim, stateOfRotation } from '../../../client/claims.js';
import type { TemporalConnection } from '../../../client/connection.js';
import { memoStatus } from '../../../client/memo-status.js';
import { makeRequest } from '../../../client/requests.js';
import { makeDataConverter } from '../../../codec/data-converter.js';
import type { CodecKeyring } from '../../../codec/keyring.js';
import { toRotateError } from '../../../codec/read-failure.js';
import type { RotateError } from '../../../domain/failure.js';
import { claimId, rotationId } from '../../../domain/ids.js';
import type { Plan } from '../../../domain/plan.js';
import { statusOf } from '../../../domain/progress.js';
import type { PersonRequest } from '../../../domain/say.js';
import type { Request } from '../../../domain/request.js';
import { startJournal, type StartRequest } from '../../../domain/start.js';
import type { RotationStatus } from '../../../domain/status.js';
import type { RotationState } from '../../../domain/steps.js';
import { activityInterceptors } from '../../../worker/activity-interceptors.js';
import {
  connectWorker,
  startWorker,
  type RunningWorker,
  type WorkerOptions,
} from '../../../worker/run-worker.js';
import { installRuntime } from '../../../worker/runtime.js';
import {
  eventsQuery,
  sayUpdate,
  statusMemo,
  taskQueue,
  workflowTypes,
  type EventsAnswer,
  type RotationInput,
  type SayRequest,
} from '../../../workflows/messages.js';
import { freshKeys, startTestTemporal, type TestTemporal } from '../../support/temporal.js';
import { sharedBundle } from './bundle.js';
import { makePlan, type PlanShape } from './plans.js';
import { standIns, type Script, type StandIns } from './stand-ins.js';
import { statusProblems } from './status-problems.js';
import type { World } from './world.js';

export interface Rotation {
  id: string;
  workflowId: string;
  plan: Plan;
  script: Script;
  handle: WorkflowHandle;
  /** The final status. @throws RotateError that the workflow failed with */
  result(): Promise<RotationStatus>;
  look(after?: number): Promise<EventsAnswer>;
  /** @throws RotateError when it is refused */
  say(body: SayBody): Promise<RotationStatus>;
  /** Waits until the rotation is in that state. */
  until(state: RotationState): Promise<RotationStatus>;
}

type Without<T> = T extends unknown ? Omit<T, 'by'> : never;
export type SayBody = Without<PersonRequest>;

export interface StartOptions extends PlanShape {
  id?: string;
  takeOver?: boolean;
  plan?: Plan;
  world?: World;
  /** Called before it starts. */
  prepare?: (script: Script) => void;
  /** The request as it is sent, changed. */
  forge?: (request: Request<StartRequest>) => unknown;
}

export interface Bench {
  temporal: TestTemporal;
  keys: CodecKeyring;
  client: Client;
  connection: TemporalConnection;
  stands: StandIns;
  start(options?: StartOptions): Promise<Rotation>;
  /** A handle on a rotation that runs. */
  attach(id: string, plan: Plan, script: Script): Rotation;
  /** Waits until nobody holds the claim of a rotation's secret. */
  claimFree(rotation: Rotation, secret: string): Promise<void>;
  stop(): Promise<void>;
}

export interface BenchOptions {
  /** Made in the server's folder; default: fresh ones. */
  keys?: (folder: string) => Promise<CodecKeyring>;
  /** Without: the caller runs his own. */
  worker?: boolean;
  /** Each workflow task is a replay from the start. */
  uncached?: boolean;
}

export async function startBench(options: BenchOptions = {}): Promise<Bench> {
  installRuntime({ log: { level: 'ERROR', format: 'json', write: () => {} } });
  const [temporal, bundle] = await Promise.all([startTestTemporal(), sharedBundle()]);
  const keys = (await options.keys?.(temporal.folder)) ?? freshKeys();
  const connection = await temporal.connect(keys);
  const { client } = connection;
  const stands = standIns({
    stateOf: async (rotation) => {
      const state = await stateOfRotation(client, rotation);
      return state === undefined ? {} : { state };
    },
    lookUpHolder: async ({ claim, release }) => {
      const found = await lookUpClaim(client, claim);
      if (found === undefined) return { holder: '', running: false, released: true };
      if (found.running || !release) return { ...found, released: false };
      await releaseClaim(client, claim, found.holder);
      return { ...found, released: true };
    },
  });
  const native = await connectWorker({ env: temporal.env });
  let worker: RunningWorker | undefined;
  if (options.worker !== false) {
    const workerOptions = {
      connection: native.connection,
      namespace: 'default',
      taskQueue,
      activities: stands.activities,
      codecKeys: keys,
      bundle,
    };
    worker =
      options.uncached === true ? await startUncached(workerOptions) : await startWorker(workerOptions);
  }

  const attach = (id: string, plan: Plan, script: Script): Rotation => {
    const workflowId = rotationId(plan.environment, id);
    const handle = client.workflow.getHandle(workflowId);
    return {
      id,
      workflowId,
      plan,
      script,
      handle,
      result: async () => {
        const status: RotationStatus = await handle.result().catch(fail);
        return sound(status);
      },
      look: (after = 0) => handle.query<EventsAnswer, [number]>(eventsQuery, after),
      say: (body) =>
        handle
          .executeUpdate<RotationStatus, [SayRequest]>(sayUpdate, {
            args: [makeRequest(workflowId, { ...body, by: 'tester' })],
          })
          .catch(fail),
      async until(state) {
        let status: RotationStatus | undefined;
        await eventually(`rotation is ${state}`, async () => {
          // Asked of the server alone first: each query is a task of the worker's.
          if (memoStatus(await handle.describe())?.state !== state) return false;
          ({ status } = await handle.query<EventsAnswer, [number]>(eventsQuery, 0));
          sound(status);
          return status.state === state;
        });
        if (status === undefined) throw new Error('never looked');
        return status;
      },
    };
  };

  return {
    temporal,
    keys,
    client,
    connection,
    stands,
    attach,
    claimFree: async ({ plan }, secret) =>
      eventually('the claim is free', async () => {
        const claim = claimId(plan.environment, secret);
        return (await lookUpClaim(client, claim)) === undefined;
      }),
    async start(startOptions = {}) {
      const id = startOptions.id ?? ulid();
      const plan = startOptions.plan ?? makePlan({ environment: `env-${id}`, ...startOptions });
      const script = stands.script(id, plan, startOptions.world);
      startOptions.prepare?.(script);
      const rotation = attach(id, plan, script);
      const body: StartRequest = {
        id,
        by: 'tester',
        why: 'a test',
        takeOver: startOptions.takeOver ?? false,
        plan: { plan, digest: 'd19e57' },
      };
      const request = makeRequest(rotation.workflowId, body);
      const input = { request: startOptions.forge?.(request) ?? request };
      await client.workflow.start<(input: RotationInput) => Promise<unknown>>(workflowTypes.rotation, {
        workflowId: rotation.workflowId,
        taskQueue,
        args: [input as RotationInput],
        memo: { [statusMemo]: statusOf(startJournal(body, new Date().toISOString())) },
        workflowIdReusePolicy: 'REJECT_DUPLICATE',
      });
      return rotation;
    },
    async stop() {
      await worker?.stop();
      await native.close();
      await connection.close();
      await temporal.stop();
    },
  };
}

/** @throws Error when the status breaks a promise of domain/status.ts */
function sound(status: RotationStatus): RotationStatus {
  const problems = statusProblems(status);
  if (problems.length > 0) throw new Error(`the status is not sound: ${problems.join('; ')}`);
  return status;
}

async function startUncached(options: WorkerOptions): Promise<RunningWorker> {
  const { Worker } = await import('@temporalio/worker');
  const worker = await Worker.create({
    connection: options.connection,
    namespace: options.namespace,
    taskQueue: options.taskQueue,
    activities: options.activities,
    ...(options.bundle === undefined ? {} : { workflowBundle: options.bundle }),
    dataConverter: makeDataConverter(options.codecKeys, 'mark'),
    interceptors: { activity: [activityInterceptors] },
    maxCachedWorkflows: 0,
  });
  const ended = worker.run();
  return {
    ended,
    stop: async () => {
      worker.shutdown();
      await ended;
    },
  };
}

/** Polls; unlike vitest's own it also works in tests that run beside one another. */
export async function eventually(
  what: string,
  holds: () => Promise<boolean>,
  timeoutMs = 120_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  // Ever more seldom: dozens of tests wait on one server.
  for (let pauseMs = 50; !(await holds()); pauseMs = Math.min(400, pauseMs * 1.5)) {
    if (Date.now() > deadline) throw new Error(`it never came true: ${what}`);
    await sleep(pauseMs);
  }
}

function fail(error: unknown): never {
  const known: RotateError = toRotateError(error);
  throw known;
}
