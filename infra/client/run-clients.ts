/** Runs an independent client for each host of a lab, and collects what they saw. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { networkOf } from './lab-host.js';
import type { Summary } from './tally.js';
import type { Login } from './login.js';

export interface ClientsOptions {
  /** The lab's folder (`state` of its inventory). */
  state: string;
  hosts: readonly string[];
  /** The installed file on each host, for example `/run/agenix/db`. */
  file: string;
  /** The variable in it; default `DATABASE_URL`. */
  variable?: string;
  /** Logins a second and host; default 10. */
  rate?: number;
  /** Folder for one log a host, `client-HOST.jsonl`. */
  logs: string;
  /** The program, and arguments of Node before it; default login-client beside this file. */
  program?: readonly string[];
}

export interface Clients {
  /** By host, for people and for `ps`; each is ours to end. */
  readonly pids: ReadonlyMap<string, number>;
  /**
   * Waits until each client has logged in successfully at least once.
   * @throws Error when that takes longer than `timeoutMs`, or when a client has ended
   */
  ready(timeoutMs?: number): Promise<void>;
  /**
   * The logins recorded so far for `host`.
   */
  logins(host: string): AsyncIterable<Login>;
  /**
   * Ends the clients by their pids and returns their summaries by host. May be called again.
   * @throws Error when a client ended before, or without a summary
   */
  stop(): Promise<Record<string, Summary>>;
}

interface Running {
  host: string;
  child: ChildProcess;
  exited: Promise<unknown>;
  output: string;
  complaint: string;
}

function isSummary(value: unknown): value is Summary {
  return typeof value === 'object' && value !== null && 'logins' in value && 'longestGapMs' in value;
}

function isLogin(value: unknown): value is Login {
  return typeof value === 'object' && value !== null && 'at' in value && 'ok' in value;
}

/** The compiled program, or its source when this file is run as one, as tests do. */
function defaultProgram(): string[] {
  const compiled = new URL('./login-client.js', import.meta.url).pathname;
  if (existsSync(compiled)) return [compiled];
  const hooks = new URL('../../test/support/resolve-sources.mjs', import.meta.url).pathname;
  return ['--import', hooks, new URL('./login-client.ts', import.meta.url).pathname];
}

/** Starts the clients, each in the network namespace of its host. */
export function startClients(options: ClientsOptions): Clients {
  const program = options.program ?? defaultProgram();
  const logOf = (host: string): string => join(options.logs, `client-${host}.jsonl`);
  const running = options.hosts.map((host): Running => {
    const args = ['--host', join(options.state, 'hosts', host), '--file', options.file, '--log', logOf(host)];
    args.push('--variable', options.variable ?? 'DATABASE_URL', '--rate', String(options.rate ?? 10));
    const child = spawn(
      'nsenter',
      [`--net=${networkOf(options.state, host)}`, process.execPath, ...program, ...args],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    const client: Running = { host, child, exited: once(child, 'close'), output: '', complaint: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      client.output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      client.complaint = (client.complaint + text).slice(-2000);
    });
    return client;
  });

  function ended({ child }: Running): boolean {
    return child.exitCode !== null || child.signalCode !== null;
  }

  async function* logins(host: string): AsyncGenerator<Login> {
    for await (const line of createInterface({ input: createReadStream(logOf(host)) })) {
      if (!line.endsWith('}')) continue; // being written
      const login: unknown = JSON.parse(line);
      if (isLogin(login)) yield login;
    }
  }

  async function hasLoggedIn(host: string): Promise<boolean> {
    try {
      for await (const login of logins(host)) if (login.ok) return true;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
    return false;
  }

  async function end(client: Running): Promise<Summary> {
    const early = ended(client);
    if (!early) client.child.kill('SIGTERM');
    await client.exited;
    const last: unknown = JSON.parse(client.output.trim().split('\n').at(-1) || 'null');
    if (early || !isSummary(last))
      throw new Error(`the client on ${client.host} ended by itself: ${client.complaint.trim()}`);
    return last;
  }

  let stopped: Promise<Record<string, Summary>> | undefined;
  return {
    pids: new Map(running.flatMap(({ host, child }) => (child.pid === undefined ? [] : [[host, child.pid]]))),
    logins,
    async ready(timeoutMs = 15_000) {
      const deadline = performance.now() + timeoutMs;
      for (const client of running)
        while (!(await hasLoggedIn(client.host))) {
          if (ended(client))
            throw new Error(`the client on ${client.host} ended: ${client.complaint.trim()}`);
          if (performance.now() > deadline)
            throw new Error(`the client on ${client.host} cannot log in, see ${logOf(client.host)}`);
          await sleep(100);
        }
    },
    async stop() {
      stopped ??= (async () => {
        const summaries = await Promise.allSettled(running.map(end));
        const failed = summaries.find((settled) => settled.status === 'rejected');
        if (failed !== undefined) throw failed.reason;
        return Object.fromEntries(
          summaries.flatMap((settled, i) =>
            settled.status === 'fulfilled' ? [[running[i]?.host ?? '', settled.value]] : [],
          ),
        );
      })();
      return await stopped;
    },
  };
}
