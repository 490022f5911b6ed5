/**
 * The other shapes on a real fleet: one role that is swapped, also where the switch restarts the unit itself and where
 * the server's own start sets the password from the file; tokens, listed and single; several secrets at once.
 */
import { Client, DatabaseError } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RotationStatus } from '../../domain/status.js';
import { windowClaim } from '../../domain/record.js';
import { sql, type Example } from '../../infra/fleet/example.js';
import { rotateJson, waitFor } from '../../infra/fleet/rotate.js';
import { run } from '../../infra/fleet/run.js';
import { startSampler } from '../../infra/fleet/canary.js';
import { expectNothingLeft, makeHarness, rarely, type Harness } from './harness.js';
import { addShapes, contentOf, webYaml } from './shapes-fleet.js';

let harness: Harness;
let example: Example;
/** Every value that was in use, to be searched for at the end. */
const seen: { name: string; value: string }[] = [];
let sampler: ReturnType<typeof startSampler>;
const since = new Date();

beforeAll(async () => {
  harness = await makeHarness('shapes');
  ({ example } = harness);
  await addShapes(example);
  sampler = startSampler({ ...rarely, units: ['solo.service', 'inited.service', 'web.service'] });
});
afterAll(async () => {
  sampler?.stop();
  await harness?.close();
});

function ended(id: string): Promise<RotationStatus> {
  return harness.ended(id, 300_000);
}

async function rotated(...secrets: string[]): Promise<RotationStatus> {
  const status = await ended(await harness.startOf(...secrets));
  expect(status, JSON.stringify(status)).toMatchObject({ state: 'done' });
  expect(status.proof?.filter((p) => p.result !== 'passed')).toEqual([]);
  return status;
}

function on(host: string, script: string): Promise<string> {
  return harness.on(host, script);
}

/** What is in use of a raw secret, remembered for the search at the end. */
async function valueOf(name: string): Promise<string> {
  const value = (await contentOf(example, name)).trim();
  seen.push({ name: `${name} ${seen.length}`, value });
  return value;
}

async function logsIn(user: string, password: string): Promise<boolean> {
  const { address } = example.lab.host(example.inventory, 'db-1');
  const client = new Client({
    host: address,
    user,
    password,
    database: 'app',
    connectionTimeoutMillis: 10_000,
  });
  try {
    await client.connect();
    return true;
  } catch (error) {
    if (error instanceof DatabaseError && error.code === '28P01') return false;
    throw error;
  } finally {
    await client.end();
  }
}

async function sessions(role: string): Promise<number> {
  return Number(
    await sql(
      example,
      `SELECT count(*) FROM pg_stat_activity WHERE usename = '${role}' AND application_name = '${role}'`,
    ),
  );
}

async function verifierOf(role: string): Promise<string> {
  return sql(example, `SELECT rolpassword FROM pg_authid WHERE rolname = '${role}'`);
}

describe('one role', () => {
  test('is swapped on all hosts at once, whoever restarts the unit', async () => {
    const before = await valueOf('solo');
    await expect.poll(() => sessions('solo')).toBe(2);
    const status = await rotated('solo');
    const now = await valueOf('solo');
    expect(now).not.toBe(before);
    expect([await logsIn('solo', now), await logsIn('solo', before)]).toEqual([true, false]);
    expect(await sessions('solo')).toBe(2);
    for (const host of ['web-1', 'web-2']) {
      expect(await on(host, 'cat /run/agenix/solo')).toBe(now);
      expect(await on(host, 'systemctl is-active solo.service')).toBe('active');
    }
    const window = status.proof?.find((p) => p.claim === windowClaim);
    expect(Number(/^([\d.]+) s,/.exec(window?.evidence ?? '')?.[1])).toBeGreaterThan(0);
  });

  test('says the window in its plan', async () => {
    const { json } = await rotateJson<{ plan: { notes: string[]; waves: unknown[] } }>(example, [
      'plan',
      'solo',
    ]);
    expect(json.plan.notes.join(' ')).toMatch(/new logins fail from the moment .* seconds/);
    expect(json.plan.waves).toHaveLength(1);
  });

  test('gets back the very verifier that it had when a host fails', async () => {
    const before = await valueOf('solo');
    const verifier = await verifierOf('solo');
    const dropin = '/run/systemd/system/solo.service.d';
    // Starts with the old value only.
    await on(
      'web-2',
      `sha=$(sha256sum < /run/agenix/solo); mkdir -p ${dropin}
printf '[Service]\nExecStartPre=/bin/sh -c '\\''test "$(sha256sum < /run/agenix/solo)" = "%s"'\\''\n' "$sha" > ${dropin}/old.conf
systemctl daemon-reload`,
    );
    try {
      const status = await ended(await harness.startOf('solo'));
      expect(status, JSON.stringify(status)).toMatchObject({ state: 'rolled-back' });
    } finally {
      await on('web-2', `rm -r ${dropin}; systemctl daemon-reload`);
    }
    expect(await verifierOf('solo')).toBe(verifier);
    expect((await contentOf(example, 'solo')).trim()).toBe(before);
    expect(await logsIn('solo', before)).toBe(true);
    for (const host of ['web-1', 'web-2']) expect(await on(host, 'cat /run/agenix/solo')).toBe(before);
    await expect.poll(() => sessions('solo')).toBe(2);
  });

  test('is swapped where the server’s own start sets the password from the file', async () => {
    const before = await valueOf('inited');
    const { json } = await rotateJson<{ plan: { waves: { name: string }[][] } }>(example, ['plan', 'inited']);
    expect(json.plan.waves.map((wave) => wave.map((h) => h.name))).toEqual([['db-1'], ['web-1']]);
    await rotated('inited');
    const now = await valueOf('inited');
    expect([await logsIn('inited', now), await logsIn('inited', before)]).toEqual([true, false]);
    expect(await on('db-1', 'cat /run/agenix/inited')).toBe(now);
    // Whoever restarts the server now sets the password that is in use.
    await on('db-1', 'systemctl restart postgresql.service');
    expect(await logsIn('inited', now)).toBe(true);
  });

  test('is undone there, too', async () => {
    const before = await valueOf('inited');
    const dropin = '/run/systemd/system/inited.service.d';
    await on(
      'web-1',
      `sha=$(sha256sum < /run/agenix/inited); mkdir -p ${dropin}
printf '[Service]\nExecStartPre=/bin/sh -c '\\''test "$(sha256sum < /run/agenix/inited)" = "%s"'\\''\n' "$sha" > ${dropin}/old.conf
systemctl daemon-reload`,
    );
    try {
      const status = await ended(await harness.startOf('inited'));
      expect(status, JSON.stringify(status)).toMatchObject({ state: 'rolled-back' });
    } finally {
      await on('web-1', `rm -r ${dropin}; systemctl daemon-reload`);
    }
    expect(await logsIn('inited', before)).toBe(true);
    await on('db-1', 'systemctl restart postgresql.service');
    expect(await logsIn('inited', before)).toBe(true);
    for (const host of ['db-1', 'web-1']) expect(await on(host, 'cat /run/agenix/inited')).toBe(before);
  });
});

/** The keys that a web host lists, and the rest of its file. */
async function web(host?: string): Promise<{ session: string[]; csrf: string; text: string }> {
  const text =
    host === undefined ? await contentOf(example, 'web') : `${await on(host, 'cat /run/agenix/web')}\n`;
  const session = [...(/keys: \[(.*?)\]/.exec(text)?.[1] ?? '').matchAll(/"([^"]+)"/g)].map(
    (m) => m[1] ?? '',
  );
  const csrf = /\n {2}key: "?([^"\n]+)"?\n/.exec(text)?.[1] ?? '';
  for (const value of [...session, csrf]) seen.push({ name: `web ${seen.length}`, value });
  return { session, csrf, text };
}

async function starts(host: string, unit: string): Promise<number> {
  return Number(await on(host, `journalctl -u ${unit} --no-pager -o cat | grep -c '^Started ' || true`));
}

describe('tokens', () => {
  test('in a list keep the old value behind the new one, until a second deploy leaves it out', async () => {
    const before = await web();
    const id = await harness.startOf('session');
    const between = await waitFor(example, id, (s) => s.state === 'waiting' || s.endedAt !== undefined, {
      timeoutMs: 300_000,
    });
    expect(between.state, JSON.stringify(between)).toBe('waiting');
    const both = await web('web-1');
    expect(both.session).toEqual([expect.stringMatching(/^[0-9a-f]{48}$/), before.session[0]]);
    const status = await ended(id);
    expect(status, JSON.stringify(status)).toMatchObject({ state: 'done' });
    for (const host of [undefined, 'web-1', 'web-2']) {
      const after = await web(host);
      expect(after.session).toEqual([both.session[0]]);
      expect(after.text).toBe(webYaml(both.session[0] ?? '', before.csrf));
    }
    expect(
      status.proof
        ?.filter((p) => p.claim === 'the old value is gone')
        .map((p) => p.host)
        .sort(),
    ).toEqual(['web-1', 'web-2']);
  });

  test('of two secrets in one batch take one commit, one switch and one restart a host', async () => {
    const before = await web();
    const internal = await contentOf(example, 'internal');
    const started = await starts('web-1', 'web.service');
    const head = (await run('git', ['rev-parse', 'main'], { cwd: example.bare })).stdout.trim();
    const status = await rotated('csrf', 'internal');
    expect(status.secrets.toSorted()).toEqual(['csrf', 'internal']);
    const after = await web('web-2');
    expect(after.csrf).toMatch(/^([a-z]+-){11}[a-z]+$/);
    expect(after.session).toEqual(before.session);
    expect(after.text.replace(after.csrf, '…').replaceAll('"…"', '…')).toBe(
      before.text.replace(before.csrf, '…').replaceAll('"…"', '…'),
    );
    const now = await contentOf(example, 'internal');
    expect(now).toMatch(/^INTERNAL_TOKEN=[A-Za-z0-9]{40}\nOTHER=kept\n$/);
    expect(now).not.toBe(internal);
    const log = await run('git', ['log', '--format=%s', `${head}..main`], { cwd: example.bare });
    expect(log.stdout.trim().split('\n')).toEqual(['rotate: prod/csrf, prod/internal']);
    expect(await starts('web-1', 'web.service')).toBe(started + 1);
  });

  test('of a batch are undone together', async () => {
    const before = [await contentOf(example, 'web'), await contentOf(example, 'internal')];
    await on('web-2', 'touch /etc/lab/fail-activation');
    try {
      const status = await ended(await harness.startOf('internal', 'csrf'));
      expect(status, JSON.stringify(status)).toMatchObject({ state: 'rolled-back' });
    } finally {
      await on('web-2', 'rm -f /etc/lab/fail-activation');
    }
    expect([await contentOf(example, 'web'), await contentOf(example, 'internal')]).toEqual(before);
    for (const host of ['web-1', 'web-2']) {
      expect(`${await on(host, 'cat /run/agenix/web')}\n`).toBe(before[0]);
      expect(await on(host, 'systemctl is-active web.service')).toBe('active');
    }
  });

  test('are not mixed with what does not go together', async () => {
    const mixed = await rotateJson<{ error: { type: string; message: string } }>(example, [
      'plan',
      'csrf',
      'session',
    ]);
    expect(mixed).toMatchObject({
      code: 2,
      json: {
        error: {
          type: 'BadConfig',
          message: expect.stringMatching(
            /prod\/csrf and prod\/session cannot be rotated in one batch: one is swapped/,
          ),
        },
      },
    });
  });
});

test('nothing is left behind by all this', async () => {
  // The server's own start script has its value in its arguments, which is not ours to prevent.
  const inited = new Set(seen.filter((s) => s.name.startsWith('inited')).map((s) => s.value));
  const before = { role: 'app_a', password: (await valueOf('solo')).trim() };
  await expectNothingLeft(
    harness,
    { since, sampler, before },
    seen.filter((s) => !inited.has(s.value)),
  );
});
