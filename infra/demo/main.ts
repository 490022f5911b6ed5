/**
 * `npm run demo`: boots a small fleet and rotates a real PostgreSQL password in it,
 * end to end, with an independent client on each host; then a table of proof, all
 * of it measured. Ends with 1 when any line of it fails.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { styleText } from 'node:util';
import { startClients } from '../client/run-clients.js';
import { appHosts, makeExample, parseContent, readSecret, sql, type Example } from '../fleet/example.js';
import { needlesOf, searchExample, startSampler } from '../fleet/canary.js';
import { Lab } from '../fleet/lab.js';
import { programFile, rotate, startDev, statusOf, type DevProcess } from '../fleet/rotate.js';
import { proofTable, type ProofRow } from './proof.js';
import { run } from '../fleet/run.js';

const keep = process.argv.includes('--keep');
const say = (line = ''): void => void process.stdout.write(`${line}\n`);
const title = (text: string): void =>
  say(process.stdout.isTTY ? `\n${styleText('bold', `== ${text}`)}` : `\n== ${text}`);

const lab = new Lab('demo');
const folder = join(tmpdir(), 'rotate-demo');
const undo: (() => Promise<unknown>)[] = [];

async function cleanUp(): Promise<void> {
  for (const step of undo.splice(0).reverse()) {
    await step().catch((error: unknown) => say(`clean-up: ${String(error)}`));
  }
}

async function main(): Promise<boolean> {
  const started = Date.now();
  // What a demo that was killed has left.
  await lab.down();
  title('A fleet: PostgreSQL on db-1, an app on web-1 and web-2, a test machine');
  if (!keep)
    undo.push(
      () => rm(folder, { recursive: true, force: true }),
      () => lab.down(),
    );
  const example = await makeExample({ folder, lab, log: (line) => say(line) });
  const old = parseContent(await readSecret(example));

  const since = new Date();
  const sampler = startSampler();
  undo.push(async () => sampler.stop());
  const clients = startClients({
    state: example.inventory.state,
    hosts: appHosts,
    file: '/run/agenix/db-password',
    logs: folder,
  });
  undo.push(() => clients.stop());
  await clients.ready();
  say('an independent client on each host logs in ten times a second, with what the host has installed');

  title('rotate dev: an embedded Temporal server and a worker');
  const dev: DevProcess = await startDev(example);
  undo.push(() => dev.stop());
  say(`its log is ${dev.logFile}`);

  const shown = async (...args: string[]): Promise<number> => {
    title(`rotate ${args.join(' ')}`);
    const { code } = await rotate(example, args, { onOutput: (text) => process.stdout.write(text) });
    return code;
  };
  if ((await shown('doctor')) !== 0) return false;
  if ((await shown('plan', 'db-password')) !== 0) return false;
  const code = await shown('start', 'db-password', '--watch', '--yes', '--reason', 'demo');
  const id = await lastRotation(example);
  const status = await statusOf(example, id);
  const summaries = await clients.stop();

  title('Proof');
  say('searching for the values in every place where they could have been left; this takes a while');
  const findings = await searchExample(
    example,
    await needlesOf(example, [{ name: 'the old value', value: old.password }]),
    {
      sampler,
      since,
      logFiles: [dev.logFile],
    },
  );
  const sessions = await sql(example, `SELECT count(*) FROM pg_stat_activity WHERE usename = '${old.role}'`);
  const rows: ProofRow[] = proofTable({
    code,
    status,
    summaries,
    findings,
    oldSessions: Number(sessions),
    consumers: appHosts,
  });
  for (const row of rows) say(`${row.ok ? 'ok    ' : 'FAILED'}  ${row.claim.padEnd(58)}  ${row.evidence}`);
  say();
  for (const step of status.steps) {
    const took =
      step.startedAt === undefined || step.endedAt === undefined
        ? ''
        : `${((Date.parse(step.endedAt) - Date.parse(step.startedAt)) / 1000).toFixed(1)} s`;
    say(`        ${step.name.padEnd(9)} ${step.state.padEnd(8)} ${took}`);
  }
  const failed = rows.filter((row) => !row.ok).length;
  say(
    `\n${rows.length - failed} of ${rows.length} claims hold; ${((Date.now() - started) / 1000).toFixed(0)} s in all`,
  );
  if (keep) await explain(example, dev);
  return failed === 0;
}

async function lastRotation(example: Example): Promise<string> {
  const { stdout } = await rotate(example, ['status', '--json']);
  const all: unknown = JSON.parse(stdout);
  const [newest] = Array.isArray(all) ? all : [];
  if (typeof newest === 'object' && newest !== null && 'id' in newest && typeof newest.id === 'string')
    return newest.id;
  throw new Error('no rotation was started');
}

async function explain(example: Example, dev: DevProcess): Promise<void> {
  const env = Object.entries(example.env)
    .filter(([name, value]) => value !== process.env[name])
    .map(([name, value]) => `export ${name}='${value?.replaceAll("'", "'\\''")}'`);
  const file = join(folder, 'env.sh');
  await run('sh', ['-c', 'cat > "$1"', 'sh', file], {
    input: `${env.join('\n')}\nrotate() { node '${programFile}' "$@"; }\n`,
  });
  await dev.stop();
  say(`
The fleet is kept. To go on:
    . ${file}; cd ${example.clone}
    rotate dev &                                 # the worker, with the same state
    rotate status; rotate history db-password
    rotate start db-password                     # back to ${(await readFile(join(example.clone, 'rotate.yaml'), 'utf8')).includes('app_a') ? 'app_a' : 'the other role'}
    LAB=demo npm run lab -- ssh web-1            # in the project's folder; cut, heal, reboot too
    LAB=demo npm run lab -- down; rm -r ${folder}`);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void cleanUp().finally(() => process.exit(130));
  });
}
try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  say(`demo: error: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  await cleanUp();
}
