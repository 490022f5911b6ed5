/** The places that need a host, and the clients, on a real one. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { hostsOf } from '../../infra/canary/host.js';
import type { CanaryHost } from '../../infra/canary/host.js';
import { newDecoy, searchPlace } from '../../infra/canary/place.js';
import type { Finding, Place } from '../../infra/canary/place.js';
import { hostDiskPlace, hostStorePlace } from '../../infra/canary/places/host-disk.js';
import { journalPlace } from '../../infra/canary/places/journal.js';
import { postgresLogPlace } from '../../infra/canary/places/postgres-log.js';
import { processesPlace, ProcessSampler, runsInUnit } from '../../infra/canary/places/processes.js';
import type { Login } from '../../infra/client/login.js';
import { startClients } from '../../infra/client/run-clients.js';
import { useLab } from '../hosts/lab.js';

const run = promisify(execFile);
const lab = useLab('canary', ['db-1']);
const inApp = newDecoy();
let host: CanaryHost;

beforeAll(async () => {
  const inventory = JSON.parse(await lab.sh('inventory')) as Parameters<typeof hostsOf>[0];
  const [first] = hostsOf(inventory);
  if (first === undefined) throw new Error('the lab has no host');
  host = first;
  const fleet = join(lab.scratch, 'fleet');
  await cp(new URL('../../infra/lab/flake', import.meta.url).pathname, fleet, { recursive: true });
  await writeFile(
    join(fleet, 'hosts.json'),
    JSON.stringify({
      'db-1': {
        postgresql: {
          settings: { log_statement: 'all' },
          initialScript: "CREATE ROLE app_a LOGIN PASSWORD 'first'; CREATE DATABASE app;",
        },
        secrets: { db: { owner: 'app' } },
        services: {
          app: {
            wantedBy: ['multi-user.target'],
            environment: { DATABASE_URL: inApp },
            serviceConfig: { User: 'app', ExecStart: '/opt/lab/sw/bin/sleep infinity' },
          },
        },
      },
    }),
  );
  await mkdir(join(fleet, 'secrets'));
  await run('sh', [
    '-c',
    `echo DATABASE_URL=postgresql://app_a:first@db-1/app | age -R '${host.folder}/ssh_host_ed25519_key.pub' -o '${fleet}/secrets/db.age'`,
  ]);
  const git = async (...args: string[]): Promise<unknown> => await run('git', ['-C', fleet, ...args]);
  await git('init', '-q');
  await git('add', '-A');
  await git('-c', 'user.name=t', '-c', 'user.email=t@t', 'commit', '-qm', 'fleet');
  await lab.sh('install', `git+file://${fleet}`, 'db-1');
});

async function search(place: Place, value: string): Promise<Finding> {
  return await searchPlace(place, [{ name: 'value', value }], 60_000);
}

async function expectClean(place: Place): Promise<void> {
  expect(await search(place, newDecoy())).toMatchObject({ proven: true, hits: [] });
}

async function expectFound(place: Place, value: string): Promise<void> {
  const { proven, problem, hits } = await search(place, value);
  expect(problem).toBeUndefined();
  expect(proven).toBe(true);
  expect(hits).not.toEqual([]);
}

describe('on a host', () => {
  it('the journal shows what a unit logged, also as base64', async () => {
    await expectClean(journalPlace(host));
    const value = newDecoy();
    await lab.exec(
      'db-1',
      `systemd-run --quiet --wait /bin/sh -c 'echo ${Buffer.from(`x${value}`).toString('base64')}'`,
    );
    await expectFound(journalPlace(host), value);
  });

  it("PostgreSQL's log shows statements, because all are logged", async () => {
    await expectClean(postgresLogPlace(host));
    const verifier = 'SCRAM-SHA-256$4096:c2FsdHNhbHQ=$c3RvcmVka2V5:c2VydmVya2V5';
    await lab.exec(
      'db-1',
      `cd /; echo 'ALTER ROLE app_a CONNECTION LIMIT 99; SELECT $$${verifier}$$' | runuser -u postgres -- /usr/lib/postgresql/17/bin/psql -qX`,
    );
    await expectFound(postgresLogPlace(host), verifier);
  });

  it("PostgreSQL's log proves nothing when statements are not logged", async () => {
    const psql = 'runuser -u postgres -- /usr/lib/postgresql/17/bin/psql -qX';
    await lab.exec('db-1', `cd /; echo 'ALTER ROLE postgres SET log_statement = none' | ${psql}`);
    expect(await search(postgresLogPlace(host), newDecoy())).toMatchObject({ proven: false });
    await lab.exec('db-1', `cd /; echo 'ALTER ROLE postgres RESET log_statement' | ${psql}`);
  });

  it('the Nix store shows a file, a derivation and a name', async () => {
    await expectClean(hostStorePlace(host));
    const [file, name] = [newDecoy(), newDecoy()];
    await lab.exec(
      'db-1',
      `echo ${file} > /root/leak; nix-store --add /root/leak; rm /root/leak; touch /root/x-${name}; nix-store --add /root/x-${name}; rm /root/x-${name}`,
    );
    await expectFound(hostStorePlace(host), file);
    await expectFound(hostStorePlace(host), name);
  });

  it('the disk and /tmp are searched, where secrets are installed is not', async () => {
    const [installed, inTmp, inState] = [newDecoy(), newDecoy(), newDecoy()];
    await lab.exec('db-1', `mkdir -p /run/agenix.d/9; echo ${installed} > /run/agenix.d/9/x`);
    expect(await search(hostDiskPlace(host), installed)).toMatchObject({ proven: true, hits: [] });
    await lab.exec(
      'db-1',
      `mkdir -p /var/lib/rotate; echo ${inTmp} > /tmp/leak; echo ${inState} | base64 > /var/lib/rotate/job`,
    );
    await expectFound(hostDiskPlace(host), inTmp);
    await expectFound(hostDiskPlace(host), inState);
  });

  it("processes are seen from outside, but for the app's environment", async () => {
    const [inArgv, inEnviron] = [newDecoy(), newDecoy()];
    const sampler = new ProcessSampler({ intervalMs: 50, excludeEnviron: runsInUnit('app.service') });
    sampler.start();
    await lab.exec(
      'db-1',
      `systemd-run --quiet --wait --setenv=X=${inEnviron} /bin/sh -c '/opt/lab/sw/bin/sleep 0.5' ${inArgv}`,
    );
    const { problem, hits } = await searchPlace(
      processesPlace(sampler, [host]),
      [inArgv, inEnviron, inApp].map((value, i) => ({ name: String(i), value })),
    );
    sampler.stop();
    expect(problem).toBeUndefined();
    expect(hits.map((hit) => hit.needle)).toEqual(expect.arrayContaining(['0', '1']));
    expect(hits.filter((hit) => hit.needle === '2')).toEqual([]);
  });
});

describe('a client', () => {
  it('logs in from the host through a reboot, which is no failed login', async () => {
    const clients = startClients({
      state: join(host.folder, '../..'),
      hosts: ['db-1'],
      file: '/run/agenix/db',
      logs: lab.scratch,
    });
    try {
      await clients.ready();
      const environ = readFileSync(`/proc/${clients.pids.get('db-1') ?? 0}/environ`, 'utf8');
      expect(environ).not.toContain('app_a:first');
      await lab.sh('off', 'db-1');
      await expect
        .poll(async () => (await last(clients.logins('db-1'))).down, { timeout: 10_000 })
        .toBe(true);
      await lab.sh('up', 'db-1');
      await expect.poll(async () => (await last(clients.logins('db-1'))).ok, { timeout: 20_000 }).toBe(true);
    } finally {
      await clients.stop();
    }
    const { 'db-1': summary } = await clients.stop();
    expect(summary?.users).toEqual({ app_a: expect.any(Number) as number });
    expect(summary?.down).toBeGreaterThan(0);
    // The database is on the same host: what failed is that it was not up yet, and never that there was no file.
    expect(summary?.failures.map((failure) => failure.code)).not.toContain('ENOENT');
  });
});

async function last(logins: AsyncIterable<Login>): Promise<Login> {
  let latest: Login = { at: '', ok: false, ms: 0 };
  for await (const login of logins) latest = login;
  return latest;
}
