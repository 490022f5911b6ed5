/**
 * What the tests of faults have in common: a rotation watched from outside, whatever becomes of it; effects that
 * are held up on their way, so that a fault comes exactly then; a second worker on a disk of its own.
 */
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { parse, stringify } from 'yaml';
import type { RotationStatus } from '../../domain/status.js';
import { appHosts, commit, type Example } from '../../infra/fleet/example.js';
import { rotate, startWorker, type DevProcess } from '../../infra/fleet/rotate.js';
import { run } from '../../infra/fleet/run.js';
import { startSampler } from '../../infra/fleet/canary.js';
import { expectNothingLeft, makeHarness, watch, type Harness, type Watch } from '../e2e/harness.js';

/** A busy machine is slow; nothing here is about how long something takes. */
export const patienceMs = 480_000;

/** A fleet that is watched for what is left behind, from its first rotation to its last. */
export interface FaultyFleet extends Harness {
  /** Values that were in use, by test. */
  seen: { name: string; value: string }[];
  since: Date;
  sampler: Watch['sampler'];
}

/** With a short soak, and a probe that lasts while a test wants to be in verify (`slowVerify`) */
export async function makeFaultyFleet(
  name: string,
  policy: Record<string, unknown> = {},
): Promise<FaultyFleet> {
  const harness = await makeHarness(`fault-${name}`, {
    policy: { soak: 0, ...policy },
    probes: [{ command: ['/bin/sh', '-c', '[ ! -e /run/slow-verify ] || sleep 8'] }],
  });
  return { ...harness, seen: [], since: new Date(), sampler: startSampler() };
}

/** Lets the probe of {@link makeFaultyFleet} on a host take its time. */
export async function slowVerify({ example }: Harness, host: string, on: boolean): Promise<void> {
  await example.lab.ssh(host, on ? 'touch /run/slow-verify' : 'rm -f /run/slow-verify');
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
  return harness.waitFor(id, (s) => s.state !== 'running' && s.state !== 'waiting', patienceMs);
}

/** Waits until `seen` says yes; fails at once when the rotation has come to an end before that. */
export async function reached(
  harness: Harness,
  id: string,
  what: string,
  seen: (status: RotationStatus) => boolean,
): Promise<RotationStatus> {
  const over = (s: RotationStatus): boolean => s.endedAt !== undefined || s.state === 'needs-attention';
  const status = await harness.waitFor(id, (s) => seen(s) || over(s), patienceMs);
  if (!seen(status)) throw new Error(`never ${what}: ${JSON.stringify(status)}`);
  return status;
}

/** Whether `step` runs on a host. */
export function runsOn(status: RotationStatus, step: string, host: string): boolean {
  return hostIs(status, step, host, 'running');
}

export function hostIs(status: RotationStatus, step: string, host: string, ...states: string[]): boolean {
  const found = status.steps.find((s) => s.name === step)?.hosts.find((h) => h.name === host);
  return found !== undefined && states.includes(found.state);
}

/** `rotate retry|rollback|… ID …`, which must be accepted. */
export async function say(harness: Harness, ...args: string[]): Promise<void> {
  const { code, stdout, stderr } = await rotate(harness.example, [...args, '--json']);
  expect(code, `rotate ${args.join(' ')}: ${stdout}${stderr}`).toBe(0);
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

/** Something that is on its way to take effect, and stands. */
export interface Held {
  /** Resolves when it has come and stands. */
  caught(): Promise<void>;
  /** Lets it go on; without effect when it has gone. */
  release(): Promise<void>;
}

async function until(what: string, done: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + patienceMs; !(await done()); await sleep(200))
    if (Date.now() > end) throw new Error(`it did not come to it: ${what}`);
}

/**
 * Holds the next run of a program on a host whose arguments or standard input contain `word`; only the next one.
 * The program is shadowed once; what passes through is not written down.
 */
async function holdProgram(
  { lab }: Example,
  host: string,
  { name, path, real, look }: { name: string; path: string; real: string; look: 'arguments' | 'input' },
  word: string,
): Promise<Held> {
  const gate = `/run/hold/${name}`;
  const stand = `while [ -e ${gate}.held ]; do /opt/lab/sw/bin/sleep 0.1; done`;
  const taken = `/opt/lab/sw/bin/mv ${gate} ${gate}.held 2>/dev/null`;
  const script =
    look === 'arguments'
      ? `#!/bin/sh
if read -r word < ${gate}; then
  case $* in *"$word"*) if ${taken}; then ${stand}; fi ;; esac
fi 2>/dev/null
exec ${real} "$@"
`
      : `#!/bin/sh
[ -e ${gate} ] || exec ${real} "$@"
read -r word < ${gate}
text=$(/opt/lab/sw/bin/cat)
case $text in *"$word"*) if ${taken}; then ${stand}; late=1; fi ;; esac
printf '%s\\n' "$text" | ${real} "$@"
code=$?
[ -z "\${late:-}" ] || echo $code > ${gate}.exit
exit $code
`;
  await lab.ssh(
    host,
    `mkdir -p -m 777 /run/hold; chmod 777 /run/hold; rm -f ${gate}*
[ -e ${real} ] || mv ${path} ${real}
mkdir -p ${dirname(path)}; cat > ${path}.new; chmod 755 ${path}.new; mv ${path}.new ${path}
printf '%s\\n' '${word}' > ${gate}; chmod 666 ${gate}`,
    { input: script },
  );
  const is = async (test: string): Promise<boolean> =>
    (await lab.ssh(host, test, { accept: [0, 1] })).code === 0;
  return {
    caught: () => until(`${name} on ${host}`, () => is(`test -e ${gate}.held`)),
    release: async () => {
      await lab.ssh(host, `rm -f ${gate} ${gate}.held`);
    },
  };
}

const psqlPath = '/usr/lib/postgresql/17/bin/psql';

/** Holds the next script for psql on db-1 that contains `word`. */
export async function holdSql(
  example: Example,
  word: string,
): Promise<Held & { exitCode(): Promise<number> }> {
  const held = await holdProgram(
    example,
    'db-1',
    { name: 'psql', path: psqlPath, real: `${psqlPath}.real`, look: 'input' },
    word,
  );
  return {
    ...held,
    /** Waits for the end of what was held. */
    async exitCode() {
      const file = '/run/hold/psql.exit';
      await until('the end of psql', async () => {
        const { code } = await example.lab.ssh('db-1', `test -s ${file}`, { accept: [0, 1] });
        return code === 0;
      });
      return Number((await example.lab.ssh('db-1', `cat ${file}`)).stdout);
    },
  };
}

/** Holds the next start of one of rotate's jobs on a host: all is prepared, and systemd has not been told. */
export function holdJobStart(example: Example, host: string): Promise<Held> {
  return holdProgram(
    example,
    host,
    {
      name: 'systemd-run',
      path: '/run/wrappers/bin/systemd-run',
      real: '/run/current-system/sw/bin/systemd-run',
      look: 'arguments',
    },
    '--unit=rotate-',
  );
}

/** Holds the next push to a ref that matches `pattern` (of the shell), at the remote. */
export async function holdPush({ bare, folder }: Example, pattern: string): Promise<Held> {
  const hook = join(bare, 'hooks', 'update');
  const gate = join(folder, 'hold-push');
  await mkdir(dirname(hook), { recursive: true });
  await rm(`${gate}.held`, { force: true });
  await writeFile(gate, '');
  await writeFile(
    hook,
    `#!/bin/sh
case $1 in ${pattern})
  if mv '${gate}' '${gate}.held' 2>/dev/null; then while [ -e '${gate}.held' ]; do sleep 0.1; done; fi ;;
esac
`,
  );
  await chmod(hook, 0o755);
  const exists = async (): Promise<boolean> =>
    (await run('test', ['-e', `${gate}.held`], { accept: [0, 1] })).code === 0;
  return {
    caught: () => until('a push', exists),
    async release() {
      await rm(gate, { force: true });
      await rm(`${gate}.held`, { force: true });
      await rm(hook, { force: true });
    },
  };
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

/** Seconds between stopping and starting units on a host, within each switch; 0: no delay. */
export async function slowSwitch({ lab }: Example, host: string, seconds: number): Promise<void> {
  await lab.ssh(host, seconds === 0 ? 'rm -f /etc/lab/slow' : `echo ${seconds} > /etc/lab/slow`);
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
