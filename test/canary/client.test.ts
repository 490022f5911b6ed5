import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseHosts, resolveIn } from '../../infra/client/lab-host.js';
import { logIn, variableIn } from '../../infra/client/login.js';
import type { Login } from '../../infra/client/login.js';
import { startTally } from '../../infra/client/tally.js';
import type { Summary } from '../../infra/client/tally.js';
import { startServer } from '../kinds/postgres/server.js';
import type { PostgresServer } from '../kinds/postgres/server.js';
import { scratch } from './support.js';

const folder = scratch();
let server: PostgresServer;

beforeAll(async () => {
  server = await startServer();
  await server.sql([
    "CREATE ROLE app_a LOGIN PASSWORD 'old/pass word'",
    "CREATE ROLE app_b LOGIN PASSWORD 'new'",
  ]);
  mkdirSync(join(folder, 'etc'));
  writeFileSync(join(folder, 'etc/hosts'), '127.0.0.1 localhost db-1 # the database\n');
  mkdirSync(join(folder, 'run/agenix.d'), { recursive: true });
  install('app_a', 'old/pass word');
});

afterAll(async () => {
  await server.stop();
});

let generation = 0;

/** As agenix does it: a new folder, the link is moved, the old folder goes. */
function install(role: string, password: string): void {
  generation += 1;
  const next = join(folder, 'run/agenix.d', String(generation));
  mkdirSync(next);
  const url = `postgresql://${role}:${encodeURIComponent(password)}@db-1:${server.port}/postgres`;
  writeFileSync(join(next, 'db'), `# for the app\nPORT=80\nDATABASE_URL=${url}\n`);
  symlinkSync(`/run/agenix.d/${generation}`, join(folder, 'run/agenix.new'));
  renameSync(join(folder, 'run/agenix.new'), join(folder, 'run/agenix'));
  rmSync(join(folder, 'run/agenix.d', String(generation - 1)), { recursive: true, force: true });
}

async function once1(changes: Partial<Parameters<typeof logIn>[0]> = {}): Promise<Login> {
  const source = { root: () => folder, file: '/run/agenix/db', variable: 'DATABASE_URL', timeoutMs: 2000 };
  return await logIn({ ...source, ...changes });
}

describe('a login', () => {
  it('takes the URL from the file, as the host finds it, and tells who it is', async () => {
    expect(await once1()).toMatchObject({ ok: true, user: 'app_a' });
  });

  it('with a wrong password fails with the SQLSTATE and without the password', async () => {
    install('app_a', 'wrong-password');
    const login = await once1();
    expect(login).toMatchObject({ ok: false, code: '28P01' });
    expect(JSON.stringify(login)).not.toContain('wrong-password');
    install('app_a', 'old/pass word');
  });

  it('without the file, the variable, a URL or the name of the database fails by name', async () => {
    expect(await once1({ file: '/run/agenix/none' })).toMatchObject({ ok: false, code: 'ENOENT' });
    expect(await once1({ variable: 'OTHER' })).toMatchObject({ ok: false, code: 'NO_VARIABLE' });
    expect(await once1({ variable: 'PORT' })).toMatchObject({ ok: false, code: 'BAD_URL' });
    writeFileSync(join(folder, 'etc/hosts'), '127.0.0.1 localhost\n');
    expect(await once1()).toMatchObject({ ok: false, code: 'ENOTFOUND' });
    writeFileSync(join(folder, 'etc/hosts'), '127.0.0.1 localhost db-1\n');
  });

  it('on a host that is off is no failed one', async () => {
    expect(await once1({ root: () => undefined })).toMatchObject({ ok: false, down: true });
  });

  it('that failed while the file was replaced says so', async () => {
    install('app_a', 'wrong');
    const under = once1();
    install('app_b', 'new');
    expect(await under).toMatchObject({ ok: false, code: '28P01', replaced: true });
  });
});

describe('the program', () => {
  it('goes over to the new role without a failed login when the old one lasts longer than the file', async () => {
    install('app_a', 'old/pass word');
    const source = new URL('../../infra/client/login-client.ts', import.meta.url).pathname;
    const hooks = new URL('../support/resolve-sources.mjs', import.meta.url).pathname;
    const log = join(folder, 'client.jsonl');
    const child = spawn(
      process.execPath,
      ['--import', hooks, source, '--root', folder, '--file', '/run/agenix/db', '--rate', '50', '--log', log],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const exited = once(child, 'exit');
    await sleep(1500);
    for (let i = 0; i < 20; i += 1) {
      install('app_b', 'new');
      await sleep(20);
    }
    await server.sql('ALTER ROLE app_a NOLOGIN');
    await sleep(300);
    await server.sql('ALTER ROLE app_b NOLOGIN');
    await sleep(300);
    child.kill('SIGTERM');
    const [text] = await child.stdout.setEncoding('utf8').toArray();
    expect(await exited).toEqual([0, null]);
    const summary = JSON.parse(String(text)) as Summary;
    expect(Object.keys(summary.users)).toEqual(['app_a', 'app_b']);
    expect(summary.failed).toBeGreaterThan(0);
    expect(new Set(summary.failures.map((failure) => failure.code))).toEqual(new Set(['28000']));
    expect(summary.failures.every((failure) => failure.message?.includes('app_b'))).toBe(true);
    expect(summary.longestGapMs).toBeGreaterThanOrEqual(200);
    expect(summary.logins).toBe(summary.failed + Object.values(summary.users).reduce((a, b) => a + b, 0));
  });
});

describe('a tally', () => {
  it('measures the longest gap between successes, from the start to the end', () => {
    let now = 0;
    const tally = startTally(() => now);
    const at = (time: number, login: Partial<Login>): void => {
      now = time;
      tally.add({ at: String(time), ok: true, ms: 1, user: 'a', ...login });
    };
    at(100, {});
    at(300, { ok: false, code: '28P01' });
    at(500, {});
    at(600, { ok: false, down: true });
    now = 800;
    expect(tally.summary()).toMatchObject({
      logins: 4,
      failed: 1,
      down: 1,
      longestGapMs: 400,
      users: { a: 2 },
    });
    now = 1000;
    expect(tally.summary().longestGapMs).toBe(500);
  });
});

describe('what is read', () => {
  it('has the last value of a variable, without quotes', () => {
    expect(variableIn('A=1\n#A=2\nA="x=y"\nB=2', 'A')).toBe('x=y');
    expect(variableIn('AB=1', 'A')).toBeUndefined();
  });

  it('has the first address of a name', () => {
    expect(parseHosts('# c\n10.0.0.1 db-1 db # x\n10.0.0.2 db-1\n').get('db-1')).toBe('10.0.0.1');
  });

  it('stays below the root, whatever the links say', () => {
    symlinkSync('/../../../etc', join(folder, 'up'));
    expect(resolveIn(folder, '/up/hosts')).toBe(join(folder, 'etc/hosts'));
    symlinkSync('/loop', join(folder, 'loop'));
    expect(() => resolveIn(folder, '/loop')).toThrow('too many links');
  });
});
