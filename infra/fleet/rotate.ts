/** The command line and the worker as their users run them: separate processes of the built package. */
import { spawn, type ChildProcess } from 'node:child_process';
import { open, readFile } from 'node:fs/promises';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { memoStatus } from '../../client/memo-status.js';
import { openSession } from '../../client/open.js';
import { readRotation } from '../../client/rotation-status.js';
import { call, type Session } from '../../client/session.js';
import { RotateError, type FailureType } from '../../domain/failure.js';
import { rotationId } from '../../domain/ids.js';
import type { RotationStatus } from '../../domain/status.js';
import type { Example } from './example.js';
import { projectRoot } from './lab.js';
import { run, type RunOptions, type RunResult } from './run.js';

/** What `npm run build` makes of it, and people run. */
export const programFile = join(projectRoot, 'dist', 'bin', 'rotate.cjs');

/** Runs `rotate ARGS` in the operator's clone. */
export function rotate(
  example: Example,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  return run(process.execPath, [programFile, ...args], {
    cwd: example.clone,
    env: example.env,
    accept: 'any',
    ...options,
  });
}

/** `rotate … --json`, parsed; `T` is what the published schema says of the command. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- names the shape at the call, as JSON.parse cannot
export async function rotateJson<T>(
  example: Example,
  args: readonly string[],
): Promise<{ code: number; json: T }> {
  const { code, stdout, stderr } = await rotate(example, [...args, '--json']);
  try {
    const json: T = JSON.parse(stdout);
    return { code, json };
  } catch {
    throw new Error(`rotate ${args.join(' ')} ended with ${code} and printed no JSON:\n${stdout}\n${stderr}`);
  }
}

export interface DevProcess {
  pid: number;
  logFile: string;
  /** Ends it as Ctrl-C does, and waits. */
  stop(): Promise<void>;
  /** As if the power had failed. */
  kill(): Promise<void>;
  freeze(): void;
  thaw(): void;
}

/** Starts `rotate dev` (embedded Temporal server and worker), and waits until a worker answers. */
export async function startDev(example: Example): Promise<DevProcess> {
  return startProcess(example, ['dev'], 'dev.log');
}

/** Starts `rotate worker`, for a server that runs already. */
export async function startWorker(example: Example): Promise<DevProcess> {
  return startProcess(example, ['worker', '--config', example.state.workerConfig], 'worker.log');
}

async function startProcess(example: Example, args: readonly string[], log: string): Promise<DevProcess> {
  const logFile = join(example.folder, log);
  const file = await open(logFile, 'a', 0o600);
  const from = (await file.stat()).size;
  const child = spawn(process.execPath, [programFile, ...args], {
    cwd: example.clone,
    env: example.env,
    stdio: ['ignore', file.fd, file.fd],
  });
  await file.close();
  const { pid } = child;
  if (pid === undefined) throw new Error(`cannot start rotate ${args[0]}`);
  await listening(child, logFile, from);
  const exited = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (exited()) return;
    const closed = once(child, 'exit');
    child.kill(signal);
    await closed;
  };
  return {
    pid,
    logFile,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
  };
}

async function listening(child: ChildProcess, logFile: string, from: number): Promise<void> {
  for (let i = 0; i < 600; i += 1) {
    const said = (await readFile(logFile)).subarray(from).toString();
    if (said.includes('worker listens')) return;
    if (child.exitCode !== null) throw new Error(`rotate ended with ${child.exitCode}:\n${said}`);
    await sleep(100);
  }
  throw new Error('the worker does not listen after 60 s');
}

export async function statusOf(example: Example, id: string): Promise<RotationStatus> {
  return (await rotateJson<RotationStatus>(example, ['status', id])).json;
}

/** What passes while the server or all workers are away. */
const passing: readonly FailureType[] = ['TemporalUnreachable', 'NoWorker'];

export interface WaitOptions {
  /** Default 2 minutes. */
  timeoutMs?: number;
  /** Between two looks, each of which the server and the worker answer; default 200 ms. */
  everyMs?: number;
  /** What is waited for can be told by the memo, which the server answers alone: states, and no hosts. */
  memo?: boolean;
  /** Default `prod`. */
  environment?: string;
}

/** For what lasts. */
const seldom = 500;

/** For states, and what lasts. */
export const byMemo: WaitOptions = { everyMs: seldom, memo: true };

/** Waits until `done` says yes. Asks from within this process: a program for each look would keep the machine busy. */
export async function waitFor(
  example: Example,
  id: string,
  done: (status: RotationStatus) => boolean,
  { timeoutMs = 120_000, everyMs = 200, memo = false, environment = 'prod' }: WaitOptions = {},
): Promise<RotationStatus> {
  const end = Date.now() + timeoutMs;
  const ref = { id, environment, workflowId: rotationId(environment, id) };
  let last = 'nothing was seen of it';
  while (Date.now() < end) {
    try {
      const session = await openSession({
        keyFiles: [example.state.codecKeyFile],
        env: example.env,
        signal: AbortSignal.timeout(Math.max(1, end - Date.now())),
      });
      try {
        for (; Date.now() < end; await sleep(everyMs)) {
          if (memo && !(await worthALook(session, ref.workflowId, done))) continue;
          const { status } = await readRotation(session, ref);
          if (done(status)) return status;
          last = JSON.stringify(status);
        }
      } finally {
        await session.close();
      }
    } catch (error) {
      if (!(error instanceof RotateError) || !passing.includes(error.type)) throw error;
      last = error.message;
      await sleep(300);
    }
  }
  throw new Error(`not what was waited for after ${timeoutMs} ms: ${last}`);
}

/** Whether the memo says what is waited for, or the rotation has ended some other way. */
async function worthALook(
  session: Session,
  workflowId: string,
  done: (status: RotationStatus) => boolean,
): Promise<boolean> {
  const seen = await call(session, (client) => client.workflow.getHandle(workflowId).describe());
  const status = memoStatus(seen);
  return seen.status.name !== 'RUNNING' || status === undefined || done(status);
}
