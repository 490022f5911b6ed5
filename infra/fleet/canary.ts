/** Every place of an example where a value could have been left behind. */
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import {
  databasePlace,
  diskPlace,
  filesPlace,
  gitPlace,
  hostDiskPlace,
  hostStorePlace,
  journalPlace,
  postgresLogPlace,
  processesPlace,
  ProcessSampler,
  runsInUnit,
  searchAll,
  storePlace,
  type Finding,
  type Needle,
  type Place,
} from '../canary/places.js';
import { hostsOf } from '../canary/host.js';
import { parseContent, readSecret, sql, type Example } from './example.js';

export interface SamplerChoice {
  /** Units whose environment holds the value by design, beside the app's own. */
  units?: readonly string[];
  /** Milliseconds between two rounds. */
  intervalMs?: number;
}

/** Samples arguments and environments of all processes. */
export function startSampler({ units = [], intervalMs = 100 }: SamplerChoice = {}): ProcessSampler {
  const sampler = new ProcessSampler({ intervalMs, excludeEnviron: runsInUnit('app.service', ...units) });
  sampler.start();
  return sampler;
}

/** The value that main holds now and PostgreSQL's verifier of it, and whatever else must not be found. */
export async function needlesOf(example: Example, more: readonly Needle[]): Promise<Needle[]> {
  const { role, password } = parseContent(await readSecret(example));
  const verifier = await sql(example, `SELECT rolpassword FROM pg_authid WHERE rolname = '${role}'`);
  const found: Needle[] = [{ name: 'the new value', value: password }];
  if (verifier !== '') found.push({ name: 'its verifier', value: verifier });
  return [...found, ...more];
}

export interface CanaryRun {
  sampler: ProcessSampler;
  /** Files that did not change since then are not searched. */
  since: Date;
  logFiles: readonly string[];
}

/** Searches all places; the sampler must still run. */
export async function searchExample(
  example: Example,
  needles: readonly Needle[],
  run: CanaryRun,
): Promise<Finding[]> {
  const { folder, bare, clone, state, inventory, env } = example;
  const hosts = hostsOf(inventory);
  const { since } = run;
  const database = hosts.find((h) => h.name === 'db-1');
  const places: Place[] = [
    processesPlace(run.sampler, hosts),
    databasePlace('Temporal’s database and its WAL', state.databaseFile),
    filesPlace('worker log', run.logFiles),
    gitPlace('the remote repository', bare),
    gitPlace('the worker’s clone', join(folder, 'worker', 'clone.git')),
    gitPlace('the operator’s clone', clone),
    storePlace('Nix store of the worker', join(inventory.state, 'store'), env, { since }),
    ...(database === undefined ? [] : [postgresLogPlace(database)]),
    ...hosts.flatMap((host) => [
      journalPlace(host),
      hostStorePlace(host, { since }),
      hostDiskPlace(host, { since }),
    ]),
    diskPlace('/tmp and the worker’s disk', [tmpdir(), folder], {
      since,
      exclude: [inventory.state, ...otherFleets(inventory.state)],
    }),
  ];
  return searchAll(places, needles);
}

/** What belongs to fleets that run beside this one: nothing of ours is theirs, and their search is as long. */
function otherFleets(state: string): string[] {
  const prefix = 'rotate-lab-';
  return readdirSync(tmpdir())
    .filter((name) => name.startsWith(prefix) && name !== basename(state))
    .flatMap((name) => [join(tmpdir(), name), join(tmpdir(), `rotate-${name.slice(prefix.length)}`)]);
}
