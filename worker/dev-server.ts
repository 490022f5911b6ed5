/**
 * The embedded Temporal server of `rotate dev`, the demo and the tests: the real
 * server on a loopback port, its state in one SQLite file. It ends with the process
 * that started it, however that one ends.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { RotateError } from '../domain/failure.js';
import { searchAttributes } from '../workflows/messages.js';
import { findTemporalCli } from './temporal-cli.js';

export interface DevServerOptions {
  /** Its state; made if absent, kept afterwards. */
  databaseFile: string;
  /** Its log. Default: `temporal.log` beside the database. */
  logFile?: string;
  namespace?: string;
  /** Default: any free one. */
  port?: number;
  /** The Temporal CLI; see temporal-cli.ts. */
  cli?: string;
  /** Shorter internal delays, which cost CPU, and no wait for the disk. For tests and demos only. */
  tuned?: boolean;
  /** Milliseconds until it must serve. Default 30,000. */
  timeoutMs?: number;
}

export interface DevServer {
  address: string;
  namespace: string;
  pid: number;
  databaseFile: string;
  /** Resolves when the server has ended, for whatever reason. */
  ended: Promise<void>;
  /** Ends it and waits for that; the state is kept. */
  stop(): Promise<void>;
}

const tuning = [
  'history.transferProcessorMaxPollRPS=1000',
  'history.timerProcessorMaxPollRPS=1000',
  'history.visibilityProcessorMaxPollRPS=1000',
  'history.timerProcessorMaxTimeShift="5ms"',
  'history.workflowIdReuseMinimalInterval="0s"',
];

/**
 * Runs "$@" with a watcher beside it, which reads a pipe that the parent holds: its end, even by SIGKILL, closes
 * the pipe, and the watcher then ends the server.
 */
const withWatcher = 'exec 3<&0; (cat <&3 >/dev/null; kill -TERM $$) & exec 3<&-; exec "$@" </dev/null';

/** @throws RotateError BadConfig (no CLI, or the server does not start), Busy (one runs on that file), Timeout */
export async function startDevServer(options: DevServerOptions): Promise<DevServer> {
  const { databaseFile, namespace = 'default', timeoutMs = 30_000 } = options;
  const cli = await findTemporalCli(options.cli);
  const holder = await serverOf(databaseFile);
  if (holder !== undefined)
    throw new RotateError('Busy', `an embedded server (process ${holder}) already runs on ${databaseFile}`, {
      hint: 'use that one, or end it: two servers on one file destroy it',
    });
  const port = await freePort(options.port ?? 0);
  const logFile = options.logFile ?? join(dirname(databaseFile), 'temporal.log');
  await mkdir(dirname(databaseFile), { recursive: true, mode: 0o700 });
  const log = await open(logFile, 'a', 0o600);
  const args = [
    ['server', 'start-dev', '--headless', '--ip', '127.0.0.1', '--port', String(port)],
    ['--db-filename', databaseFile, '--namespace', namespace, '--log-level', 'warn'],
    // All but FULL may lose the last commits when power goes.
    ['--sqlite-pragma', 'journal_mode=WAL'],
    ['--sqlite-pragma', `synchronous=${options.tuned === true ? 'OFF' : 'FULL'}`],
    ...Object.values(searchAttributes).map((name) => ['--search-attribute', `${name}=Keyword`]),
    ...(options.tuned === true ? tuning.map((value) => ['--dynamic-config-value', value]) : []),
  ].flat();
  const child = spawn('sh', ['-c', withWatcher, 'temporal-dev-server', cli, ...args], {
    stdio: ['pipe', log.fd, log.fd],
    // A group of its own: Ctrl-C on the terminal must reach the worker first.
    detached: true,
  });
  await log.close();
  const { pid } = child;
  if (pid === undefined)
    throw new RotateError('BadConfig', `cannot run ${cli}`, { hint: 'check that it is executable' });
  await writeFile(`${databaseFile}.pid`, String(pid));
  const ended = once(child, 'exit').then(() => {
    // Ends the watcher.
    child.stdin?.destroy();
  });
  const server: DevServer = {
    address: `127.0.0.1:${port}`,
    namespace,
    pid,
    databaseFile,
    ended,
    stop: () => stop(child, ended),
  };
  try {
    await serving(server, child, Date.now() + timeoutMs, logFile);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

/** Waits until the namespace answers. */
async function serving(
  server: DevServer,
  child: ChildProcess,
  deadline: number,
  logFile: string,
): Promise<void> {
  const { Connection } = await import('@temporalio/client');
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new RotateError(
        'BadConfig',
        `the embedded Temporal server did not start: ${await lastLine(logFile)}`,
        {
          hint: `see ${logFile}`,
        },
      );
    const attempt = Connection.connect({ address: server.address, connectTimeout: 1_000 }).then(
      async (connection) => {
        try {
          await connection.withDeadline(Date.now() + 1_000, () =>
            connection.workflowService.describeNamespace({ namespace: server.namespace }),
          );
        } finally {
          await connection.close();
        }
      },
    );
    // Until it listens, each attempt fails; the loop above says why if that is for good.
    if (
      await attempt.then(
        () => true,
        () => false,
      )
    )
      return;
    if (Date.now() > deadline)
      throw new RotateError('Timeout', 'the embedded Temporal server does not answer', {
        hint: `see ${logFile}`,
      });
    await sleep(50);
  }
}

async function lastLine(file: string): Promise<string> {
  const lines = (await readFile(file, 'utf8')).trim().split('\n');
  return lines.at(-1) ?? '';
}

async function stop(child: ChildProcess, ended: Promise<void>): Promise<void> {
  const running = (): boolean => child.exitCode === null && child.signalCode === null;
  if (running()) child.kill('SIGTERM');
  const patience = new AbortController();
  await Promise.race([ended, sleep(10_000, undefined, { signal: patience.signal })]);
  patience.abort();
  if (running()) child.kill('SIGKILL');
  await ended;
}

/** The process that serves `databaseFile`, if one does. A stale or reused process id is told by the command line. */
async function serverOf(databaseFile: string): Promise<number | undefined> {
  const pid = await readFile(`${databaseFile}.pid`, 'utf8').catch(absent);
  if (pid === undefined || !/^\d+$/.test(pid)) return undefined;
  const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(absent);
  return commandLine?.split('\0').includes(databaseFile) === true ? Number(pid) : undefined;
}

function absent(error: unknown): undefined {
  // ESRCH: /proc's files of a process that ends meanwhile.
  if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH'))
    return;
  throw error;
}

/**
 * `wanted`, or for 0 any loopback port that is free now. (Between this and the server's own start another process may
 * take it; the server then does not start.)
 */
async function freePort(wanted: number): Promise<number> {
  const probe = createServer();
  probe.listen(wanted, '127.0.0.1');
  try {
    await once(probe, 'listening');
  } catch (error) {
    throw new RotateError('BadConfig', `the embedded Temporal server cannot listen on 127.0.0.1:${wanted}`, {
      hint: 'another program has that port; end it or take another',
      cause: error,
    });
  }
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string')
    throw new RotateError('Internal', 'no free loopback port');
  return address.port;
}
