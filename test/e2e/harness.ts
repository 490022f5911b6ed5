/**
 * The fleet of the end-to-end tests: the example of infra/fleet, a Temporal server
 * that outlives the worker, a worker that can be killed, and an independent client
 * on each host. One for a test file; its tests follow one another on it.
 */
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { RotationStatus } from '../../domain/status.js';
import { searchExample, needlesOf, startSampler } from '../../infra/fleet/canary.js';
import { startClients, type Clients } from '../../infra/client/run-clients.js';
import {
  makeExample,
  parseContent,
  readSecret,
  sql,
  otherLines,
  type Example,
  type ExampleOptions,
} from '../../infra/fleet/example.js';
import { Lab, projectRoot } from '../../infra/fleet/lab.js';
import {
  byMemo,
  rotate,
  rotateJson,
  startWorker,
  waitFor,
  type DevProcess,
  type WaitOptions,
} from '../../infra/fleet/rotate.js';
import { startDevServer, type DevServer } from '../../worker/dev-server.js';

/** Short delays: what they wait for is tested, not how long. */
const quick = {
  canary: ['test-vm'],
  waves: ['100%'],
  stable: '1s',
  soak: 0,
  proveAgain: '1s',
  deadMan: '30s',
};

export interface Harness {
  example: Example;
  server: DevServer;
  /** Kills the worker as a power cut does, and starts another. */
  killWorker(): Promise<void>;
  restartWorker(): Promise<void>;
  worker(): DevProcess;
  /** Starts a rotation of the database's password; resolves with its id. */
  start(...args: string[]): Promise<string>;
  /** Starts a rotation of these secrets, with these options; resolves with its id. */
  startOf(...args: string[]): Promise<string>;
  /** What a script on a host prints. */
  on(host: string, script: string): Promise<string>;
  /** Waits for one of the ends or a park. */
  ended(id: string, timeoutMs?: number): Promise<RotationStatus>;
  waitFor(
    id: string,
    done: (status: RotationStatus) => boolean,
    options?: WaitOptions,
  ): Promise<RotationStatus>;
  close(): Promise<void>;
}

export async function makeHarness(
  name: string,
  options: Pick<ExampleOptions, 'appHosts' | 'policy' | 'probes'> = {},
): Promise<Harness> {
  const lab = new Lab(name);
  await lab.down();
  const example = await makeExample({
    folder: join(tmpdir(), `rotate-${name}`),
    lab,
    ...options,
    policy: { ...quick, ...options.policy },
  });
  const server = await startDevServer({ databaseFile: example.state.databaseFile, tuned: true });
  example.env = { ...example.env, TEMPORAL_ADDRESS: server.address, TEMPORAL_NAMESPACE: server.namespace };
  let worker = await startWorker(example);
  const startOf = async (...args: string[]): Promise<string> => {
    const { code, json } = await rotateJson<{ id: string }>(example, ['start', ...args, '--detach', '--yes']);
    expect(code, JSON.stringify(json)).toBe(0);
    return json.id;
  };
  return {
    example,
    server,
    worker: () => worker,
    killWorker: () => worker.kill(),
    async restartWorker() {
      await worker.kill();
      worker = await startWorker(example);
    },
    startOf,
    start: (...args) => startOf('db-password', ...args),
    on: async (host, script) => (await lab.ssh(host, script)).stdout.trim(),
    ended: (id, timeoutMs = 180_000) =>
      waitFor(example, id, (s) => s.state !== 'running' && s.state !== 'waiting', {
        timeoutMs,
        ...byMemo,
      }),
    waitFor: (id, done, waiting) => waitFor(example, id, done, waiting),
    async close() {
      await worker.kill();
      await server.stop();
      await lab.down();
      // Logs and all, for whoever looks why something failed.
      if (process.env['ROTATE_KEEP'] === undefined)
        await rm(example.folder, { recursive: true, force: true });
    },
  };
}

/** Whether a step has reached a state. */
export function stepIs(status: RotationStatus, name: string, ...states: string[]): boolean {
  return status.steps.some((s) => s.name === name && states.includes(s.state));
}

/** Between two rounds of a sampler: several fleets share a machine here, and each looks at all processes of it. */
export const rarely = { intervalMs: 200 };

export interface Watch {
  clients: Clients;
  since: Date;
  sampler: ReturnType<typeof startSampler>;
  /** What the file held before. */
  before: { role: string; password: string };
}

/** Begins to watch a rotation from outside. */
export async function watch(harness: Harness): Promise<Watch> {
  const { example } = harness;
  const before = parseContent(await readSecret(example));
  const since = new Date();
  const sampler = startSampler(rarely);
  const clients = startClients({
    state: example.inventory.state,
    hosts: example.appHosts,
    file: '/run/agenix/db-password',
    // Fewer than in the demo: several fleets share a machine here.
    rate: 2,
    logs: example.folder,
    // The built one: Node runs it without the test runner's loader.
    program: [join(projectRoot, 'dist', 'infra', 'client', 'login-client.js')],
  });
  await clients.ready();
  return { clients, since, sampler, before };
}

/** No login failed meanwhile. */
export async function expectNoFailedLogin({ clients }: Watch): Promise<void> {
  for (const [host, summary] of Object.entries(await clients.stop())) {
    expect(summary.failures, `failed logins on ${host}`).toEqual([]);
    expect(summary.logins).toBeGreaterThan(0);
  }
}

/** No value was left behind anywhere, each search proven by its own decoy. */
export async function expectNothingLeft(
  harness: Harness,
  watched: Omit<Watch, 'clients'>,
  more: readonly { name: string; value: string }[] = [],
): Promise<void> {
  const needles = await needlesOf(harness.example, [
    { name: 'the value before', value: watched.before.password },
    ...more,
  ]);
  const findings = await searchExample(harness.example, needles, {
    sampler: watched.sampler,
    since: watched.since,
    logFiles: [harness.worker().logFile],
  });
  watched.sampler.stop();
  expect(findings.filter((f) => !f.proven)).toEqual([]);
  expect(findings.flatMap((f) => f.hits.map((hit) => ({ place: f.place, ...hit })))).toEqual([]);
}

/** The world after a rotation that was undone, or refused: everything is as it was. */
export async function expectUnchanged(harness: Harness, before: Watch['before']): Promise<void> {
  const { example } = harness;
  const content = await readSecret(example);
  expect(parseContent(content)).toEqual(before);
  for (const line of otherLines) expect(content.split('\n')).toContain(line);
  const spare = before.role === 'app_a' ? 'app_b' : 'app_a';
  expect(await roles(example)).toEqual({
    [before.role]: { login: true, password: true },
    [spare]: { login: false, password: false },
  });
  await expectInstalled(example, before);
}

/** The world after a rotation that is done. */
export async function expectRotated(
  harness: Harness,
  before: Watch['before'],
): Promise<{ role: string; password: string }> {
  const { example } = harness;
  const content = await readSecret(example);
  const now = parseContent(content);
  for (const line of otherLines) expect(content.split('\n')).toContain(line);
  expect(now.role).not.toBe(before.role);
  expect(now.password).not.toBe(before.password);
  expect(await roles(example)).toEqual({
    [now.role]: { login: true, password: true },
    [before.role]: { login: false, password: false },
  });
  await expectInstalled(example, now);
  return now;
}

async function roles(example: Example): Promise<Record<string, { login: boolean; password: boolean }>> {
  const rows = await sql(
    example,
    "SELECT rolname || ' ' || rolcanlogin || ' ' || (rolpassword IS NOT NULL) FROM pg_authid WHERE rolname IN ('app_a', 'app_b')",
  );
  return Object.fromEntries(
    rows.split('\n').map((row) => {
      const [name = '', login, password] = row.split(' ');
      return [name, { login: login === 'true', password: password === 'true' }];
    }),
  );
}

/** Each host has the value installed, boots with it, and its app is logged in with it. */
async function expectInstalled(example: Example, value: { role: string; password: string }): Promise<void> {
  for (const name of example.appHosts) {
    const { stdout } = await example.lab.ssh(name, 'cat /run/agenix/db-password');
    expect(parseContent(stdout), `installed on ${name}`).toEqual(value);
    const systems = await example.lab.ssh(
      name,
      'readlink -f /run/current-system; readlink -f /nix/var/nix/profiles/system; cat /boot/loader/default; systemctl is-active app.service',
    );
    const [running, profile, boot, app] = systems.stdout.trim().split('\n');
    expect(profile).toBe(running);
    expect(boot).toBe(running);
    expect(app).toBe('active');
  }
  const users = await sql(
    example,
    "SELECT DISTINCT usename FROM pg_stat_activity WHERE application_name = 'app' ORDER BY 1",
  );
  expect(users).toBe(value.role);
}

/** Runs `rotate ARGS --json`, for what is expected to be refused. */
export async function refusal(
  harness: Harness,
  ...args: string[]
): Promise<{
  code: number;
  error?: { type: string; message: string; hint?: string };
  stdout: string;
  stderr: string;
}> {
  const { code, stdout, stderr } = await rotate(harness.example, [...args, '--json']);
  const parsed: unknown = JSON.parse(stdout === '' ? '{}' : stdout);
  return { code, stdout, stderr, ...(parsed as object) };
}
