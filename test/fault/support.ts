/**
 * What the tests of faults have in common: a fleet that is watched from outside, whatever becomes of it; what people
 * say and commit meanwhile; a second worker on a disk of its own.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { parse, stringify } from 'yaml';
import type { RotationStatus } from '../../domain/status.js';
import { appHosts, commit, type Example, type ExampleOptions } from '../../infra/fleet/example.js';
import { rotate, startWorker, type DevProcess } from '../../infra/fleet/rotate.js';
import { run, type RunResult } from '../../infra/fleet/run.js';
import { startSampler } from '../../infra/fleet/canary.js';
import { expectNothingLeft, makeHarness, rarely, watch, type Harness, type Watch } from '../e2e/harness.js';
import { patienceMs, probe } from './holds.js';

/** A fleet that is watched for what is left behind, from its first rotation to its last. */
export interface FaultyFleet extends Harness {
  /** Values that were in use, by test. */
  seen: { name: string; value: string }[];
  since: Date;
  sampler: Watch['sampler'];
}

export async function makeFaultyFleet(
  name: string,
  policy: Record<string, unknown> = {},
  { probes = [probe], ...options }: Pick<ExampleOptions, 'appHosts' | 'probes'> = {},
): Promise<FaultyFleet> {
  const harness = await makeHarness(`fault-${name}`, { policy: { soak: 0, ...policy }, probes, ...options });
  return { ...harness, seen: [], since: new Date(), sampler: startSampler(rarely) };
}

/** Runs `work` while a client on each host watches; the clients end with it, also when it fails. */
export async function watched(fleet: FaultyFleet, work: (watching: Watch) => Promise<void>): Promise<void> {
  const watching = await watch(fleet);
  // One sampler for the whole file is enough.
  watching.sampler.stop();
  fleet.seen.push({ name: `value ${fleet.seen.length + 1} of the file`, value: watching.before.password });
  try {
    await work(watching);
  } finally {
    await watching.clients.stop();
  }
}

/** Of no value that was in use since the fleet was made anything was left behind. */
export async function expectNothingLeftByAll(fleet: FaultyFleet): Promise<void> {
  const { since, sampler, seen } = fleet;
  await watched(fleet, async (watching) => {
    await expectNothingLeft(fleet, { ...watching, since, sampler }, seen);
  });
}

export function ended(harness: Harness, id: string): Promise<RotationStatus> {
  return harness.ended(id, patienceMs);
}

/** Waits until `seen` says yes; fails at once when the rotation has come to an end before that. */
export async function reached(
  harness: Harness,
  id: string,
  what: string,
  seen: (status: RotationStatus) => boolean,
): Promise<RotationStatus> {
  const over = (s: RotationStatus): boolean => s.endedAt !== undefined || s.state === 'needs-attention';
  const status = await harness.waitFor(id, (s) => seen(s) || over(s), { timeoutMs: patienceMs });
  if (!seen(status)) throw new Error(`never ${what}: ${JSON.stringify(status)}`);
  return status;
}

export function hostIs(status: RotationStatus, step: string, host: string, ...states: string[]): boolean {
  const found = status.steps.find((s) => s.name === step)?.hosts.find((h) => h.name === host);
  return found !== undefined && states.includes(found.state);
}

/**
 * `rotate retry|rollback|… ID …`, which must be accepted. A person says it again when no worker answers: one that stands
 * still swallows a few questions before the server asks another.
 */
export async function say(harness: Harness, ...args: string[]): Promise<void> {
  const once = async (): Promise<RunResult> => rotate(harness.example, [...args, '--json']);
  let said = await once();
  for (let tries = 1; tries < 10 && said.stdout.includes('"NoWorker"'); tries += 1) said = await once();
  expect(said.code, `rotate ${args.join(' ')}: ${said.stdout}${said.stderr}`).toBe(0);
}

/** Changes policies, hosts or probes in rotate.yaml, as an operator does: by a commit on main. */
export async function editRotateYaml(
  example: Example,
  edit: (config: RotateFile) => void,
  message = 'Change rotate.yaml',
): Promise<void> {
  await pull(example);
  const file = join(example.clone, 'rotate.yaml');
  const config: RotateFile = parse(await readFile(file, 'utf8'));
  edit(config);
  await writeFile(file, stringify(config));
  await commit(example, message);
}

/** The parts of rotate.yaml that the tests change. */
export interface RotateFile {
  hosts: Record<string, { build?: string }>;
  policies: Record<string, Record<string, unknown>>;
}

export function setPolicy(example: Example, policy: Record<string, unknown>): Promise<void> {
  return editRotateYaml(example, ({ policies }) => {
    policies['quick'] = { ...policies['quick'], ...policy };
  });
}

/** The operator's clone at main as it is now. */
export async function pull({ clone, env }: Example): Promise<void> {
  await run('git', ['fetch', '--quiet', 'origin', 'main'], { cwd: clone, env });
  await run('git', ['reset', '--quiet', '--hard', 'FETCH_HEAD'], { cwd: clone, env });
}

/** A second worker, with a folder of its own: what another machine would be. */
export async function startSecondWorker(example: Example): Promise<DevProcess> {
  const workerConfig = join(example.folder, 'second-worker.yaml');
  const config: Record<string, unknown> = parse(await readFile(example.state.workerConfig, 'utf8'));
  await writeFile(workerConfig, stringify({ ...config, state: join(example.folder, 'second-worker') }), {
    mode: 0o600,
  });
  return startWorker({ ...example, state: { ...example.state, workerConfig } });
}

/**
 * Nobody was refused. Logins from hosts that were out of reach (or rebooted) could not get to the server, which is no
 * refusal: only there, and only with an error of the network.
 */
export async function expectNobodyRefused(
  { clients }: Watch,
  outOfReach: readonly string[] = [],
): Promise<void> {
  const summaries = await clients.stop();
  for (const host of appHosts) {
    const summary = summaries[host];
    const failures = summary?.failures ?? [];
    const told = outOfReach.includes(host) ? failures.filter((f) => isSqlState(f.code)) : failures;
    expect(told, `failed logins on ${host}`).toEqual([]);
    expect(summary?.logins).toBeGreaterThan(0);
  }
}

function isSqlState(code: string | undefined): boolean {
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) && /\d/.test(code);
}
