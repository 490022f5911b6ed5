/** Starts and ends a Temporal worker with the settings that this project depends on. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { NativeConnection, WorkflowBundleOption } from '@temporalio/worker';

import { unreachable } from '../client/connection.js';
import { resolveEndpoint, type Endpoint, type EndpointOptions } from '../client/endpoint.js';
import { makeDataConverter } from '../codec/data-converter.js';
import type { CodecKeyring } from '../codec/keyring.js';
import { activityInterceptors } from './activity-interceptors.js';
import { loadBundle } from './bundle.js';

export interface WorkerConnection {
  connection: NativeConnection;
  endpoint: Endpoint;
  close(): Promise<void>;
}

/**
 * The worker's own connection (native; a client cannot use it for everything). Install the runtime first.
 * @param options.timeoutMs until the server must have answered; default 10,000
 * @throws RotateError TemporalUnreachable, NotAllowed, BadConfig
 */
export async function connectWorker(
  options: EndpointOptions & { timeoutMs?: number } = {},
): Promise<WorkerConnection> {
  const endpoint = await resolveEndpoint(options);
  const { NativeConnection: Native } = await import('@temporalio/worker');
  const connecting = Native.connect(endpoint.connection);
  const patience = new AbortController();
  // The native side waits for ever for a server that accepts and never answers.
  const late = sleep(options.timeoutMs ?? 10_000, undefined, { signal: patience.signal });
  try {
    const connection = await Promise.race([connecting, late]);
    if (connection !== undefined) return { connection, endpoint, close: () => connection.close() };
  } catch (error) {
    throw await unreachable(endpoint, error);
  } finally {
    patience.abort();
    late.catch(() => {});
  }
  // Should it answer after all, nobody wants it any more.
  connecting.then((connection) => connection.close()).catch(() => {});
  throw await unreachable(endpoint, new Error('no answer'));
}

export interface WorkerOptions {
  connection: NativeConnection;
  namespace: string;
  taskQueue: string;
  activities: object;
  codecKeys: CodecKeyring;
  /** Default: the prebuilt one. */
  bundle?: WorkflowBundleOption;
  /** Stands in the clear in histories. Default: the SDK's `pid@host`. */
  identity?: string;
  /** Activities at once. Default 100; work on hosts is bounded by the workflow, over all. */
  maxActivities?: number;
}

export interface RunningWorker {
  /** Settles when the worker has ended; rejects when it failed. */
  ended: Promise<void>;
  /** Takes no new work, gives running activities 30 s, and waits for the end. */
  stop(): Promise<void>;
}

export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { Worker } = await import('@temporalio/worker');
  const worker = await Worker.create({
    connection: options.connection,
    namespace: options.namespace,
    taskQueue: options.taskQueue,
    activities: options.activities,
    workflowBundle: options.bundle ?? (await loadBundle()),
    dataConverter: makeDataConverter(options.codecKeys, 'mark'),
    interceptors: { activity: [activityInterceptors] },
    ...(options.identity === undefined ? {} : { identity: options.identity }),
    maxConcurrentActivityTaskExecutions: options.maxActivities ?? 100,
    maxConcurrentWorkflowTaskExecutions: 40,
    // A worker that is frozen swallows one task for each poll that it has open, and each costs a timeout.
    maxConcurrentActivityTaskPolls: 2,
    maxConcurrentWorkflowTaskPolls: 2,
    // The default, 0, cancels activities at once.
    shutdownGraceTime: '30s',
    // Else heartbeat details are held back for 0.8 x the timeout, and an attempt after a crash knows less.
    maxHeartbeatThrottleInterval: '500ms',
    // After a kill a message waits so long for the worker that is gone.
    stickyQueueScheduleToStartTimeout: '1s',
  });
  const ended = worker.run();
  // Reported through `ended`; without a handler of its own a failure before someone awaits it would end the process.
  ended.catch(() => {});
  return {
    ended,
    stop: async () => {
      if (worker.getState() === 'RUNNING') worker.shutdown();
      await ended;
    },
  };
}

/** Resolves with the first SIGINT or SIGTERM; a second one has its default effect, so that an impatient person gets out. */
export function untilSignal(
  signals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM'],
): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const seen = (signal: NodeJS.Signals): void => {
      for (const name of signals) process.off(name, seen);
      resolve(signal);
    };
    for (const name of signals) process.on(name, seen);
  });
}
