import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { connect } from '../../client/connection.js';
import { startDevServer } from '../../worker/dev-server.js';
import { findTemporalCli } from '../../worker/temporal-cli.js';
import { freshKeys } from '../support/temporal.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rotate-dev-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('the embedded server', () => {
  test('keeps its state when it is stopped and started again', async () => {
    const databaseFile = join(folder, 'state', 'temporal.db');
    const codecKeys = freshKeys();
    const first = await startDevServer({ databaseFile });
    const before = await connect({ codecKeys, env: { TEMPORAL_ADDRESS: first.address } });
    await before.client.workflow.start('any', { taskQueue: 'none', workflowId: 'kept', args: ['x'] });
    await before.close();
    await first.stop();
    const second = await startDevServer({ databaseFile });
    const after = await connect({ codecKeys, env: { TEMPORAL_ADDRESS: second.address } });
    expect((await after.client.workflow.getHandle('kept').describe()).status.name).toBe('RUNNING');
    await after.close();
    await second.stop();
    expect((await stat(join(folder, 'state'))).mode & 0o777).toBe(0o700);
  }, 60_000);

  test('listens on loopback alone', async () => {
    const server = await startDevServer({ databaseFile: join(folder, 'loopback.db') });
    const listening = await listeners(server.pid);
    expect(listening.length).toBeGreaterThan(0);
    expect(listening.filter((address) => !address.startsWith('127.'))).toEqual([]);
    await server.stop();
  }, 60_000);

  test('ends when the process that started it is killed', async () => {
    const script = join(folder, 'parent.ts');
    const source = fileURLToPath(new URL('../../worker/dev-server.ts', import.meta.url));
    await writeFile(
      script,
      `import { startDevServer } from ${JSON.stringify(source)};
       const { pid } = await startDevServer({ databaseFile: ${JSON.stringify(join(folder, 'orphan.db'))} });
       process.stdout.write(String(pid));
       setInterval(() => {}, 1000);`,
    );
    const hooks = fileURLToPath(new URL('../support/resolve-sources.mjs', import.meta.url));
    const parent = spawn(process.execPath, ['--import', hooks, script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [chunk]: unknown[] = await once(parent.stdout, 'data');
    const pid = Number(String(chunk));
    expect(await alive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await expect.poll(() => alive(pid), { timeout: 15_000 }).toBe(false);
  }, 60_000);

  test('that cannot have its port, or its file, says why', async () => {
    const databaseFile = join(folder, 'a.db');
    const first = await startDevServer({ databaseFile });
    const port = Number(first.address.split(':')[1]);
    await expect(startDevServer({ databaseFile: join(folder, 'b.db'), port })).rejects.toMatchObject({
      type: 'BadConfig',
      message: `the embedded Temporal server cannot listen on 127.0.0.1:${port}`,
    });
    await expect(startDevServer({ databaseFile })).rejects.toMatchObject({
      type: 'Busy',
      message: `an embedded server (process ${first.pid}) already runs on ${databaseFile}`,
    });
    await first.stop();
    const junk = join(folder, 'junk.db');
    await writeFile(junk, 'this is no database. '.repeat(100));
    await expect(startDevServer({ databaseFile: junk })).rejects.toMatchObject({
      type: 'BadConfig',
      message: expect.stringContaining('did not start'),
    });
  }, 60_000);
});

describe('the Temporal CLI', () => {
  test('that is named is taken, and refused when it does not run', async () => {
    const real = await findTemporalCli();
    expect(await findTemporalCli(undefined, { ROTATE_TEMPORAL_CLI: real, PATH: '' })).toBe(real);
    await expect(findTemporalCli('/nowhere/temporal')).rejects.toMatchObject({
      type: 'BadConfig',
      message: '/nowhere/temporal is not an executable Temporal CLI',
    });
  });

  test('that is nowhere is told with the remedy', async () => {
    await expect(findTemporalCli(undefined, { PATH: '/nowhere', HOME: '/nowhere' })).rejects.toMatchObject({
      type: 'BadConfig',
      hint: expect.stringContaining('npm run setup'),
    });
  });
});

async function alive(pid: number): Promise<boolean> {
  return stat(`/proc/${pid}`).then(
    () => true,
    () => false,
  );
}

/** Addresses of the listening TCP sockets of a process, from /proc. */
async function listeners(pid: number): Promise<string[]> {
  const { readdir, readlink } = await import('node:fs/promises');
  const links = await Promise.all(
    (await readdir(`/proc/${pid}/fd`)).map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')),
  );
  const inodes = new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
  const tables = await Promise.all(['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8')));
  return tables
    .flatMap((table) => table.trim().split('\n').slice(1))
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === '0A' && inodes.has(fields[9] ?? ''))
    .map((fields) => readAddress(fields[1] ?? ''));
}

/** `0100007F:1F90`, as the kernel writes 127.0.0.1:8080. */
function readAddress(text: string): string {
  const [address = '', port = ''] = text.split(':');
  const bytes = [...Buffer.from(address.slice(-8), 'hex')].toReversed();
  const mapped = address.length === 8 || address.startsWith('0000000000000000FFFF0000');
  return `${mapped ? bytes.join('.') : `[${address}]`}:${parseInt(port, 16)}`;
}
