/** The commands that talk to Temporal; see fleet.ts for what is real here. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { generateCodecKey, loadCodecKeys } from '../../codec/keyring.js';
import type { RotationStatus } from '../../domain/status.js';
import { makeRepo, startTestFleet, trouble, type TestFleet } from './fleet.js';
import { pushLog, record } from './log-branch.js';
import { expectOutput } from './schema.js';
import { screenOf } from './terminal-screen.js';
import { rotate, type Ended, type World } from './world.js';

let fleet: TestFleet;

beforeAll(async () => {
  fleet = await startTestFleet();
  await fleet.startWorker();
}, 120_000);
afterAll(() => fleet?.stop(), 60_000);
beforeEach(() => {
  fleet.held.clear();
  for (const name of Object.keys(fleet.troubles)) Reflect.deleteProperty(fleet.troubles, name);
});

function here(args: string, world: Partial<World> = {}): Promise<Ended> {
  return rotate(args.split(' '), { cwd: fleet.repo, env: fleet.env, ...world });
}

async function statusOf(id: string): Promise<RotationStatus> {
  return JSON.parse((await here(`status ${id} --json`)).stdout);
}

async function until(id: string, state: string): Promise<void> {
  for (;;) {
    if ((await statusOf(id)).state === state) return;
    await sleep(50);
  }
}

/** A rotation that waits in an activity until `fleet.held` lets it go. */
async function underWay(secret = 'db-password'): Promise<string> {
  fleet.held.add('build');
  const { stdout, code } = await here(`start ${secret} --yes --detach`);
  expect(code).toBe(0);
  const id = stdout.trim();
  // It has its claim by then.
  while ((await statusOf(id)).steps[2]?.state !== 'running') await sleep(50);
  return id;
}

/** A rotation that is parked because users of the old value cannot be looked up. */
async function parked(): Promise<string> {
  fleet.troubles.checkUsers = trouble('IssuerAuthFailed', 'db-1:5432 refuses app-admin', 'correct the login');
  const { stdout } = await here('start db-password --yes --detach');
  const id = stdout.trim();
  await until(id, 'needs-attention');
  return id;
}

describe('rotate plan', () => {
  test('shows every step and every host', async () => {
    const { code, stdout, stderr } = await here('plan db-password');
    expect(stderr).toBe('');
    expect(stdout).toBe(`prod/db-password
  postgres, old and new are valid at once; app_a is in use
  computed at commit 1a2b3c4d5e6f, digest dddddddddddd

generate
  a new password for app_b, which may log in from then on
encrypt
  secrets/prod/db-password.age, for 1 recipient:
    ssh-ed25519 AAAAC3NzaC1l…Vt1yq1k3n4w5 web-1
deploy
  wave 1: web-1, web-2
  10 at once; one that fails undoes the rotation
restart
  web-1, web-2: restart app.service
verify
  the file, what consumers run with, and a login through db-1:5432
  then merge
revoke
  app_a may not log in any more, and its sessions end
  app_a loses its password
  proved at once, and again at the end
notes
  - web-2 is reached through sudo
`);
    expect(code).toBe(0);
  });

  test('prints the plan with its digest as JSON', async () => {
    const { code, stdout } = await here('plan prod/db-password --json');
    expectOutput(stdout, 'plan');
    expect(code).toBe(0);
  });

  test('tells what the worker finds wrong, with the exit code of its type', async () => {
    fleet.troubles.makePlan = trouble('BadRecipient', '`ssh-dss AAAA` is no recipient', 'see secrets.nix');
    const { code, stderr } = await here('plan db-password');
    expect(stderr).toBe('rotate: error: `ssh-dss AAAA` is no recipient\nrotate: hint: see secrets.nix\n');
    expect(code).toBe(2);
  });

  test('says that a secret is unknown or ambiguous without asking the worker', async () => {
    expect(await here('plan db-pasword')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('unknown secret `db-pasword`, did you mean `db-password`?'),
    });
    expect(await here('plan api-key')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('`api-key` may be prod/api-key or test/api-key'),
    });
    expect(await here('plan api-key --env prod')).toMatchObject({ code: 0 });
    expect(await here('plan prod/api-key test/api-key')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(
        'one rotation is of one environment, and these are of `prod` and `test`\n',
      ),
    });
  });
});

describe('rotate start', () => {
  test('follows the rotation to its end, one line an event, and exits with 0', async () => {
    const { code, stdout, stderr } = await here('start db-password --yes');
    const lines = stdout.slice(stdout.indexOf('\n\n20') + 2).split('\n');
    expect(lines[0]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ {2}[0-9A-Z]{26} {2}generate {2}running$/);
    expect(lines.map((line) => line.slice(50))).toEqual(
      expect.arrayContaining(['deploy  web-2  done', 'verify  web-2  done', 'rotation  done']),
    );
    expect(lines.at(-2)).toBe('prod/db-password is rotated, and the old value is proven dead');
    expect(stderr).toMatch(/^rotate: rotation [0-9A-Z]{26}\n$/);
    expect(code).toBe(0);
  });

  test('prints the status at the end with --json, and the events on stderr', async () => {
    const { code, stdout, stderr } = await here('start db-password --yes --json --reason leak-drill');
    expectOutput(stdout, 'status');
    expect(JSON.parse(stdout)).toMatchObject({
      environment: 'prod',
      secrets: ['db-password'],
      state: 'done',
      proof: expect.arrayContaining([
        expect.objectContaining({ claim: 'the old value is refused', result: 'passed' }),
      ]),
    });
    expect(stderr).toContain('  rotation  done\n');
    expect(code).toBe(0);
  });

  test('prints the id alone with --detach', async () => {
    fleet.held.add('build');
    const { code, stdout, stderr } = await here('start db-password --yes --detach --json');
    expectOutput(stdout, 'detached');
    const { id } = JSON.parse(stdout);
    expect(stderr).toBe(`rotate: hint: follow it with \`rotate watch ${id}\`\n`);
    expect(code).toBe(0);
    fleet.held.clear();
    await until(id, 'done');
  });

  test('asks on a terminal, and changes nothing unless the answer is yes', async () => {
    const before = JSON.parse((await here('status --json')).stdout).length;
    for (const typed of [['n'], [''], []]) {
      const { code, stderr } = await here('start db-password --no-color', {
        terminal: { columns: 80 },
        typed,
      });
      expect(stderr).toBe('Rotate 1 secret on 2 hosts? [y/N] rotate: nothing was changed\n');
      expect(code).toBe(1);
    }
    expect(JSON.parse((await here('status --json')).stdout)).toHaveLength(before);
  });

  test('redraws one row a host on a terminal, and gives the cursor back', async () => {
    const { code, stdout } = await here('start db-password --no-color', {
      terminal: { columns: 100, rows: 30 },
      typed: ['y'],
    });
    expect(code).toBe(0);
    const drawing = stdout.slice(stdout.indexOf('\u001B[?25l'));
    expect(drawing.split('\u001B[J').length).toBeGreaterThan(3);
    const { lines, cursorHidden } = screenOf(drawing, { columns: 100, rows: 30 });
    const header = lines.findIndex((line) => line.includes('generate'));
    // One line or two: it depends on who the person is.
    expect(lines.slice(0, header).join('  ')).toMatch(
      /^prod\/db-password {2}done {2}\d+ s {2}[0-9A-Z]{26} {2}asked for by \S+$/,
    );
    expect(lines.slice(header).map((line) => line.replaceAll(/\b\d+s\b/g, '0s'))).toEqual([
      '          generate  encrypt  deploy   restart  verify   revoke',
      'rotation  done      done     done     done     done     done',
      'time      0s        0s       0s       0s       0s       0s',
      'web-1     done               done     done     done',
      'web-2     done               done     done     done',
      'prod/db-password is rotated, and the old value is proven dead',
    ]);
    expect(cursorHidden).toBe(false);
  });

  test('tells lines on a terminal too where they are asked for', async () => {
    for (const [flags, env] of [
      [' --plain', {}],
      ['', { ROTATE_PLAIN: '1' }],
      ['', { TERM: 'dumb' }],
    ] as const) {
      const { code, stdout } = await here(`start db-password --yes --no-color${flags}`, {
        terminal: { columns: 100, rows: 30 },
        env: { ...fleet.env, ...env },
      });
      expect(code).toBe(0);
      expect(stdout).not.toContain('\u001B');
      expect(stdout).toMatch(/ {2}deploy {2}web-2 {2}done\n/);
    }
  });

  test('says what is tried again, in lines and on a terminal', async () => {
    for (const flags of [' --plain', ' --no-color']) {
      fleet.troubles.copy = trouble('CopyFailed', 'web-1 does not take the system');
      const { code, stdout } = await here(`start db-password --yes${flags}`, {
        terminal: { columns: 120, rows: 40 },
        onStdout: (text) => {
          if (text.includes('is tried again')) delete fleet.troubles.copy;
        },
      });
      expect(code).toBe(0);
      expect(stdout).toMatch(
        flags === ' --plain'
          ? /^\S+Z {2}[0-9A-Z]{26} {2}retry {2}copy is tried again, attempt \d+: web-1 does not take the system \(CopyFailed\)$/m
          : /^copy is tried again (now|in \d+ s), attempt \d+: web-1 does not take the system \(CopyFailed\)/m,
      );
    }
  });

  test('needs --yes where there is no terminal', async () => {
    const { code, stdout, stderr } = await here('start db-password --json');
    expectOutput(stdout, 'error');
    expect(stderr).toBe(
      'rotate: error: without a terminal to ask on, --yes is needed\nrotate: hint: look at `rotate plan`, then add --yes\n',
    );
    expect(code).toBe(2);
  });

  test('exits with 1 when it was refused', async () => {
    fleet.troubles.compareHost = trouble('Drift', 'web-1 does not run what main builds', 'deploy main first');
    const { code, stderr } = await here('start db-password --yes');
    expect(stderr).toContain(
      'rotate: refused, nothing was changed: web-1 does not run what main builds\nrotate: hint: deploy main first\n',
    );
    expect(code).toBe(1);
  });

  test('exits with 1 when it failed and was rolled back', async () => {
    fleet.troubles.merge = trouble('GitRefused', 'main is protected');
    const { code, stdout } = await here('start db-password --yes --json');
    expectOutput(stdout, 'status');
    expect(JSON.parse(stdout)).toMatchObject({ state: 'rolled-back', reason: { type: 'GitRefused' } });
    expect(code).toBe(1);
  });

  test('is refused while another rotation of the secret runs, and says its id', async () => {
    const id = await underWay();
    await until(id, 'running');
    const { code, stderr } = await here('start db-password --yes');
    expect(stderr).toContain('rotation 01JDHZZZZZZZZZZZZZZZZZZZZZ is under way for the same secret');
    expect(code).toBe(1);
    fleet.held.clear();
    await until(id, 'done');
  });

  test('exits with 3 when it asks for a person, and says what to do', async () => {
    fleet.troubles.checkUsers = trouble(
      'IssuerAuthFailed',
      'db-1:5432 refuses app-admin',
      'correct the login',
    );
    const { code, stdout, stderr } = await here('start db-password --yes --json');
    expect(code).toBe(3);
    expectOutput(stdout, 'status');
    const { id } = JSON.parse(stdout);
    expect(stderr).toContain('rotate: needs attention: db-1:5432 refuses app-admin\n');
    expect(stderr).toContain('rotate: hint: correct the login; then `rotate retry ');
    expect(stderr).toContain(`\`rotate retry ${id}\``);
    await here(`rollback ${id} --watch`);
  });
});

describe('rotate status', () => {
  test('finds a rotation by the beginning and the end of its id, in any case', async () => {
    const id = await underWay();
    for (const part of [id, id.slice(-8), id.slice(-8).toLowerCase(), `rotation/prod/${id}`]) {
      const { code, stdout } = await here(`status ${part} --json`);
      expectOutput(stdout, 'status');
      expect([code, JSON.parse(stdout).id]).toEqual([0, id]);
    }
    expect(await here('status 0000')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('there is no rotation 0000'),
    });
    expect(await here('status abc')).toMatchObject({ code: 2, stderr: expect.stringContaining('too short') });
    expect(await here('status no-id')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('`no-id` is not the id of a rotation'),
    });
    expect(await here(`status ${id.slice(0, 4)}`)).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/fits \d+ rotations\nrotate: hint: give more of the id/),
    });
    fleet.held.clear();
    await until(id, 'done');
  });

  test('shows no record of another where several rotations fit', async () => {
    const ids = [await underWay(), await underWay('prod/api-key')];
    fleet.held.clear();
    for (const id of ids) await until(id, 'done');
    const beginning = ids[0]?.slice(0, 4) ?? '';
    const folder = mkdtempSync(join(tmpdir(), 'rotate-cli-'));
    const cwd = makeRepo(folder);
    pushLog(folder, [record(beginning.padEnd(26, 'Z'), 'prod', 'db-password', {})]);
    const { code, stdout, stderr } = await here(`status ${beginning}`, { cwd });
    rmSync(folder, { recursive: true });
    expect(stderr).toMatch(/fits \d+ rotations\n/);
    expect([code, stdout]).toEqual([2, '']);
  });

  test('finds it by letters that look like digits, and says which one may be meant', async () => {
    const id = await underWay();
    const worn = id.replaceAll('0', 'o').replaceAll('1', 'l');
    expect(JSON.parse((await here(`status ${worn} --json`)).stdout).id).toBe(id);
    const last = id.endsWith('Z') ? 'Y' : 'Z';
    expect(await here(`status ${id.slice(0, -1)}${last}`)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`hint: did you mean \`${id}\`?`),
    });
    fleet.held.clear();
    await until(id, 'done');
  });

  test('is completed by those under way, before those that have ended', async () => {
    const ended = await underWay();
    fleet.held.clear();
    await until(ended, 'done');
    pushLog(fleet.temporal.folder, [record(ended, 'prod', 'db-password', {})]);
    await here('list');
    const id = await underWay();
    await expect
      .poll(async () => (await here('__complete -- retry 0')).stdout)
      .toBe(`${id}\trunning, prod/db-password\n`);
    expect((await here('__complete -- status 0')).stdout).toBe(
      `${id}\trunning, prod/db-password\n${ended}\tdone, prod/db-password\n`,
    );
    const { stdout } = await rotate(['__complete', '--', 'abort', ''], {
      cwd: fleet.repo,
      env: { ...fleet.env, TEMPORAL_ADDRESS: '127.0.0.1:1' },
    });
    expect(stdout).toBe(`${ended}\tdone, prod/db-password\n`);
    fleet.held.clear();
    await until(id, 'done');
  });

  test('shows steps, hosts and the proof', async () => {
    const { stdout: started } = await here('start db-password --yes --json');
    const { stdout, code } = await here(`status ${JSON.parse(started).id}`);
    const [title, ...rest] = stdout.split('\n');
    expect(title).toMatch(/^prod\/db-password {2}done {2}\d+ s {2}[0-9A-Z]{26} {2}asked for by \S+$/);
    expect(rest.join('\n').replaceAll(/\b\d+s\b/g, '0s'))
      .toBe(`          generate        encrypt         deploy          restart         verify          revoke
rotation  done 0s         done 0s         done 0s         done 0s         done 0s         done 0s
web-1     done 0s                         done 0s         done 0s         done 0s
web-2     done 0s                         done 0s         done 0s         done 0s

prod/db-password is rotated, and the old value is proven dead

CLAIM                      FROM  ENDPOINT   RESULT  EVIDENCE
the old value is accepted        db-1:5432  passed  logged in
the old value is refused         db-1:5432  passed  28000 role "app_a" is not permitted to log in
the old value is refused         db-1:5432  passed  28000 role "app_a" is not permitted to log in
the old value is refused         db-1:5432  passed  28000 role "app_a" is not permitted to log in
`);
    expect(code).toBe(0);
  });

  test('lists all, newest first, and those of one environment', async () => {
    const id = await underWay('test/api-key');
    fleet.held.clear();
    await until(id, 'done');
    await expect
      .poll(async () => JSON.parse((await here('status --json --env test')).stdout)[0]?.state)
      .toBe('done');
    const listed = await here('status --json');
    expectOutput(listed.stdout, 'statusList');
    expect(JSON.parse(listed.stdout)[0].id).toBe(id);
    const { stdout, code } = await here('status --env test');
    expect(stdout).toMatch(
      /^ID {26}ENVIRONMENT {2}SECRETS {2}STATE {2}STEP {2}AGE\n\w{26} {2}test {9}api-key {2}done {9}\d+ s\n$/,
    );
    expect(code).toBe(0);
  });

  test('shows the record of a rotation that Temporal has forgotten', async () => {
    pushLog(fleet.temporal.folder, [record('01JDH00000000000000000000A', 'prod', 'db-password', {})]);
    const { code, stdout, stderr } = await here('status 01JDH --json');
    expectOutput(stdout, 'status');
    expect(JSON.parse(stdout)).toMatchObject({ id: '01JDH00000000000000000000A', state: 'done' });
    expect(stderr).toBe('rotate: Temporal has forgotten it: this is its record\n');
    expect(code).toBe(0);
  });

  test('says that a rotation was terminated behind its back', async () => {
    const id = await underWay();
    const { connection, close } = await direct();
    await connection.client.workflow.getHandle(`rotation/prod/${id}`).terminate('out of the way');
    await connection.client.workflow.getHandle('rotate/prod/db-password').terminate('its claim too');
    await close();
    const { stdout } = await here(`status ${id} --json`);
    expectOutput(stdout, 'status');
    expect(JSON.parse(stdout)).toMatchObject({
      state: 'failed',
      reason: { type: 'Interrupted', message: 'the rotation was terminated in Temporal' },
    });
    expect((await here(`watch ${id}`)).code).toBe(3);
  });
});

async function direct() {
  const keys = await loadCodecKeys([fleet.env['ROTATE_CODEC_KEY_FILE'] ?? '']);
  const connection = await fleet.temporal.connect(keys);
  return { connection, close: () => connection.close() };
}

describe('rotate watch', () => {
  test('prints a line of JSON an event', async () => {
    const id = await underWay();
    const watching = here(`watch ${id} --json`, {
      onStdout: (text) => {
        if (text.includes('building')) fleet.held.clear();
      },
    });
    const { code, stdout } = await watching;
    const lines = stdout.trimEnd().split('\n');
    for (const line of lines) expectOutput(line, 'event');
    expect(lines.map((line) => JSON.parse(line).n)).toEqual(lines.map((_, i) => i + 1));
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ type: 'state', state: 'done' });
    expect(code).toBe(0);
  });

  test('stops with 130 on Ctrl-C, and says how to come back', async () => {
    const id = await underWay();
    for (const flags of ['', ' --json']) {
      const control = new AbortController();
      const { code, stdout, stderr } = await here(`watch ${id}${flags}`, {
        signal: control.signal,
        onStdout: () => control.abort(),
      });
      expect(stderr).toBe(
        `rotate: rotation ${id} goes on without being watched\n` +
          `rotate: hint: come back with \`rotate watch ${id}\`; to undo it: \`rotate rollback ${id}\`\n`,
      );
      if (flags !== '') expectOutput(stdout.trimEnd().split('\n').at(-1) ?? '', 'error');
      expect(code).toBe(130);
    }
    expect((await statusOf(id)).state).toBe('running');
    fleet.held.clear();
    await until(id, 'done');
  });
});

describe('a parked rotation', () => {
  test('is retried and followed to its end', async () => {
    const id = await parked();
    expect(await here(`watch ${id}`)).toMatchObject({ code: 3 });
    delete fleet.troubles.checkUsers;
    const { code, stdout } = await here(`retry ${id} --watch --json`);
    expectOutput(stdout, 'status');
    expect([code, JSON.parse(stdout).state]).toEqual([0, 'done']);
    expect(await here(`retry ${id}`)).toMatchObject({
      code: 4,
      stderr: `rotate: error: rotation ${id} has ended (done)\nrotate: hint: see \`rotate status ${id}\`\n`,
    });
  });

  test('is rolled back, which exits with 1 as the rotation did', async () => {
    const id = await parked();
    const { code, stderr } = await here(`rollback ${id} --watch`);
    expect(stderr).toContain('rotate: rolled back, the old value of prod/db-password is valid and deployed');
    expect(code).toBe(1);
  });

  test('refuses to skip a host that it does not have', async () => {
    const id = await parked();
    const { code, stdout } = await here(`skip ${id} web-9 --json`);
    expectOutput(stdout, 'error');
    expect(JSON.parse(stdout).error).toMatchObject({
      type: 'UnknownHost',
      message: expect.stringContaining('did you mean `web-1` or `web-2`?'),
    });
    expect(code).toBe(2);
    await here(`rollback ${id} --watch`);
  });

  test('goes on without a host that is skipped', async () => {
    fleet.troubles.converge = trouble('SwitchFailed', 'web-1 does not switch');
    const { stdout, code } = await here('start db-password --yes --json');
    const { id, reason } = JSON.parse(stdout);
    expect([code, reason.type]).toEqual([3, 'SwitchFailed']);
    delete fleet.troubles.converge;
    const skipped = await here(`skip ${id} web-1 --accept-loss --json`);
    expectOutput(skipped.stdout, 'status');
    expect(skipped).toMatchObject({
      code: 0,
      stderr: `rotate: hint: follow it with \`rotate watch ${id}\`\n`,
    });
    await until(id, 'rolled-back');
  });

  test('is aborted: it ends as failed, and what remains is told', async () => {
    const id = await parked();
    const { code, stdout } = await here(`abort ${id} --json`);
    expectOutput(stdout, 'status');
    expect(JSON.parse(stdout)).toMatchObject({
      state: 'failed',
      reason: { message: expect.stringContaining('what remains: the new value of db-password may be valid') },
    });
    expect(code).toBe(0);
    expect((await here(`watch ${id}`)).code).toBe(3);
    const { connection, close } = await direct();
    await connection.client.workflow.getHandle('rotate/prod/db-password').terminate('for the next test');
    await close();
  });

  test('is not retried while it runs', async () => {
    const id = await underWay();
    await until(id, 'running');
    const { code, stdout } = await here(`retry ${id} --json`);
    expectOutput(stdout, 'error');
    expect(JSON.parse(stdout).error).toMatchObject({ type: 'NotAllowed' });
    expect(code).toBe(4);
    fleet.held.clear();
    await until(id, 'done');
  });
});

describe('rotate doctor', () => {
  test('adds the report of the worker to what it sees itself', async () => {
    const { code, stdout } = await here('doctor');
    expect(stdout.replaceAll(fleet.temporal.folder, '/t').replace(/127\.\S+,/, '127.0.0.1,')).toMatch(
      new RegExp(
        [
          'ok {7}rotate.yaml: found: rotate.yaml',
          'ok {7}rotate.yaml: valid: secrets: 3, hosts: 3',
          '(warning .*\\n)*ok {7}repo: git: /t/repo, remote /t/remote.git',
          'ok {7}codec key: readable: /t/codec.key \\(id [0-9a-f]{8}\\)',
          'ok {7}Temporal: reachable: 127.0.0.1, namespace default',
          'ok {7}worker: listening: it answers',
          'ok {7}host web-1: ssh: reachable, and its key is the right one',
          'ok {7}host web-2: ssh: reachable, and its key is the right one',
          '\\d+ checks: none failed',
        ].join('\\n'),
      ),
    );
    expect(code).toBe(0);
  });

  test('looks at the hosts that are named, and knows them', async () => {
    const { code, stdout } = await here('doctor web-2 --json');
    expectOutput(stdout, 'doctor');
    expect(JSON.parse(stdout).findings.at(-1).subject).toBe('host web-2');
    expect(code).toBe(0);
    expect(await here('doctor web-22')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('did you mean `web-2`?'),
    });
  });

  test('exits with 1 when the worker cannot report', async () => {
    fleet.troubles.examine = trouble('GitAuthFailed', 'the remote refuses us');
    const { code, stdout } = await here('doctor --json');
    expectOutput(stdout, 'doctor');
    expect(JSON.parse(stdout).findings.at(-1)).toEqual({
      subject: 'worker',
      check: 'report',
      result: 'failed',
      message: 'the remote refuses us',
    });
    expect(code).toBe(1);
  });

  test('tells what is wrong before the worker too', async () => {
    const { code, stdout } = await here('doctor --json', {
      env: { ...fleet.env, ROTATE_CODEC_KEY_FILE: '' },
    });
    expectOutput(stdout, 'doctor');
    expect(JSON.parse(stdout).findings.at(-1)).toMatchObject({ subject: 'codec key', result: 'failed' });
    expect(code).toBe(1);
  });
});

describe('a command that cannot reach the worker exits with 4', () => {
  test('when Temporal is not there', async () => {
    const env = { ...fleet.env, TEMPORAL_ADDRESS: '127.0.0.1:1' };
    expect(await here('start db-password --yes', { env })).toMatchObject({
      code: 4,
      stderr: expect.stringContaining(
        'rotate: error: cannot reach Temporal at 127.0.0.1:1: connection refused (ECONNREFUSED)\nrotate: hint: start it',
      ),
    });
    const { code, stdout } = await here('doctor --json', { env });
    expect(JSON.parse(stdout).findings.at(-1)).toMatchObject({ subject: 'Temporal', result: 'failed' });
    expect(code).toBe(1);
  });

  test('when its codec key is another', async () => {
    const other = join(fleet.temporal.folder, 'other.key');
    writeFileSync(other, generateCodecKey(), { mode: 0o600 });
    const { code, stdout } = await here(`plan db-password --json --codec-key ${other}`);
    expectOutput(stdout, 'error');
    expect(JSON.parse(stdout).error.type).toBe('WrongKey');
    expect(code).toBe(4);
    expect(await here(`status --codec-key ${other}`)).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('sealed with a codec key that we do not have'),
    });
  });
});
