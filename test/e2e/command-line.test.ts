/**
 * The command line as people and scripts use it, on a healthy fleet: every command, its JSON against the
 * published schema, its exit code; a person at a terminal; and what can be said to a rotation.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { RotationEvent, RotationStatus } from '../../domain/status.js';
import { parseContent, readSecret, sql } from '../../infra/fleet/example.js';
import { rotate } from '../../infra/fleet/rotate.js';
import type { RunResult } from '../../infra/fleet/run.js';
import { expectOutput, type Output } from '../cli/schema.js';
import { expectRotated, expectUnchanged, makeHarness, stepIs, type Harness } from './harness.js';
import { ctrlC, startOnTerminal } from './terminal.js';

let harness: Harness;

beforeAll(async () => {
  // Who still uses the old value is waited for only shortly, so that a lasting session parks the rotation.
  harness = await makeHarness('typed', { policy: { budgets: { drain: '3s' } } });
});
afterAll(() => harness?.close());
afterEach(() => endSession());

function run(...args: string[]): Promise<RunResult> {
  return rotate(harness.example, args);
}

/** Runs `rotate ARGS --json` and checks what it prints against the schema. */
async function json<T>(code: number, output: Output, ...args: string[]): Promise<T> {
  const result = await run(...args, '--json');
  expect(result.code, `${args.join(' ')}\n${result.stdout}\n${result.stderr}`).toBe(code);
  expectOutput(result.stdout, output);
  expect(result.stdout).not.toMatch(/[:,[]\s*null\b/);
  const value: T = JSON.parse(result.stdout);
  return value;
}

async function current(): Promise<{ role: string; password: string }> {
  return parseContent(await readSecret(harness.example));
}

/** A program on web-1 that logged in before the rotation and keeps its connection, as a forgotten report does. */
async function holdSession(): Promise<void> {
  const { lab } = harness.example;
  const { role } = await current();
  await lab.ssh(
    'web-1',
    String.raw`cat > /run/report.sh <<'EOF'
. /run/agenix/db-password
/usr/bin/sleep infinity | PGAPPNAME=report /usr/lib/postgresql/17/bin/psql -X -q "$DATABASE_URL"
EOF
systemd-run --quiet --collect --unit=report /bin/sh /run/report.sh`,
  );
  await expect.poll(sessionsOfReport, { timeout: 120_000 }).toBe(role);
}

function sessionsOfReport(): Promise<string> {
  return sql(harness.example, "SELECT usename FROM pg_stat_activity WHERE application_name = 'report'");
}

async function endSession(): Promise<void> {
  await harness.example.lab.ssh('web-1', 'systemctl stop report.service 2>/dev/null || true');
  await expect.poll(sessionsOfReport, { timeout: 120_000 }).toBe('');
}

/** Starts a rotation that a lasting session of the old role parks; its id. */
async function startParked(): Promise<string> {
  await holdSession();
  const { id } = await json<{ id: string }>(0, 'detached', 'start', 'db-password', '--detach', '--yes');
  const status = await harness.ended(id);
  expect(status.state, JSON.stringify(status.reason)).toBe('needs-attention');
  expect(status.reason).toMatchObject({ type: 'StillInUse', hint: expect.stringContaining('retry') });
  // It says who: the program, where from, and as which role.
  const { role } = await current();
  const spare = role === 'app_a' ? 'app_b' : 'app_a';
  expect(status.reason?.message).toMatch(new RegExp(`report.*${spare}|${spare}.*report`));
  const { lab, inventory } = harness.example;
  expect(status.reason?.message).toContain(`from ${lab.host(inventory, 'web-1').address} `);
  return id;
}

describe('before the first rotation', () => {
  test('doctor finds nothing wrong', async () => {
    const { findings } = await json<{ findings: { subject: string; result: string }[] }>(
      0,
      'doctor',
      'doctor',
    );
    expect(findings.filter((f) => f.result === 'failed')).toEqual([]);
    for (const subject of [
      'rotate.yaml',
      'repo',
      'codec key',
      'Temporal',
      'worker',
      'host web-2',
      'secret prod/db-password',
    ])
      expect(findings).toContainEqual(expect.objectContaining({ subject, result: 'ok' }));
    const { code, stdout } = await run('doctor', 'web-1');
    expect(code).toBe(0);
    expect(stdout).toContain('host web-1: ssh: ok');
    expect(stdout).not.toContain('host web-2');
    expect(stdout).toContain('none failed');
  });

  test('plan shows all six steps, each host and recipient, and changes nothing', async () => {
    const before = await current();
    const { plan } = await json<{ plan: { waves: { name: string }[][]; secrets: unknown[] } }>(
      0,
      'plan',
      'plan',
      'db-password',
    );
    expect(plan.waves.map((wave) => wave.map((host) => host.name))).toEqual([
      ['test-vm'],
      ['web-1', 'web-2'],
    ]);
    const { code, stdout } = await run('plan', 'prod/db-password');
    expect(code).toBe(0);
    for (const part of [
      'generate',
      'encrypt',
      'deploy',
      'restart',
      'verify',
      'revoke',
      'wave 1: test-vm',
      'restart app.service',
    ])
      expect(stdout).toContain(part);
    await expectUnchanged(harness, before);
  });

  test('list, status and history have nothing to tell yet', async () => {
    const [secret] = await json<object[]>(0, 'list', 'list');
    expect(secret).toMatchObject({
      environment: 'prod',
      name: 'db-password',
      kind: 'postgres',
      store: 'agenix',
    });
    expect(secret).not.toHaveProperty('lastRotation');
    expect(await json(0, 'statusList', 'status')).toEqual([]);
    expect(await json(0, 'history', 'history', 'db-password')).toEqual([]);
    expect(await run('history', 'db-password')).toMatchObject({
      code: 0,
      stdout: '',
      stderr: expect.stringContaining('was never rotated'),
    });
    await json(2, 'error', 'status', '01JDH00000000000000000000A');
    await json(2, 'error', 'watch', 'nonsense!');
  });
});

describe('a rotation in a script', () => {
  test('start --json prints the status at its end; every command knows it afterwards', async () => {
    const before = await current();
    const status = await json<RotationStatus>(
      0,
      'status',
      'start',
      'db-password',
      '--yes',
      '--reason',
      'once a quarter',
    );
    expect(status).toMatchObject({ state: 'done', environment: 'prod', secrets: ['db-password'] });
    expect(status.steps.map((s) => [s.name, s.state])).toEqual(
      ['generate', 'encrypt', 'deploy', 'restart', 'verify', 'revoke'].map((name) => [name, 'done']),
    );
    expect(status.proof?.filter((line) => line.result !== 'passed')).toEqual([]);
    await expectRotated(harness, before);

    expect(await json(0, 'status', 'status', status.id)).toEqual(status);
    // Its end tells it from others as well.
    expect(await json(0, 'status', 'status', status.id.slice(-8).toLowerCase())).toEqual(status);
    expect(await json(0, 'statusList', 'status')).toEqual([
      expect.objectContaining({ id: status.id, state: 'done' }),
    ]);
    await expect
      .poll(() => json<object[]>(0, 'history', 'history', 'db-password'), { timeout: 120_000 })
      .toEqual([
        expect.objectContaining({ id: status.id, state: 'done', why: 'once a quarter', proof: status.proof }),
      ]);
    const [listed] = await json<object[]>(0, 'list', 'list');
    expect(listed).toMatchObject({ lastRotation: { id: status.id, state: 'done' } });
    expect((await run('status', status.id)).stdout).toMatch(/the old value is refused.*28000/);
    expect((await run('history', 'db-password')).stdout).toContain('once a quarter');
    expect((await run('status')).stdout).toContain(status.id);

    // It is over: nothing can be said to it any more.
    for (const args of [
      ['retry', status.id],
      ['rollback', status.id],
      ['abort', status.id],
      ['skip', status.id, 'web-1'],
    ]) {
      const { error } = await json<{ error: { type: string; message: string } }>(4, 'error', ...args);
      expect(error).toMatchObject({
        type: 'NotAllowed',
        message: expect.stringContaining('has ended (done)'),
      });
    }
    const watched = await run('watch', status.id, '--json');
    expect(watched.code).toBe(0);
    expectEvents(watched.stdout, 'done');
  });
});

/** A line of JSON an event, numbered, from the first to the state that stopped the watching. */
function expectEvents(stdout: string, last: string): void {
  const lines = stdout.trimEnd().split('\n');
  for (const line of lines) expectOutput(line, 'event');
  const events = lines.map((line): RotationEvent => JSON.parse(line));
  expect(events.map((event) => event.n)).toEqual(events.map((_, i) => i + 1));
  expect(events.findLast((event) => event.type === 'state')?.state).toBe(last);
  expect(stdout).not.toMatch(/[:,[]\s*null\b/);
}

describe('a person at a terminal', () => {
  test('is asked, and changes nothing with “n”', async () => {
    const before = await current();
    const terminal = startOnTerminal(harness.example, ['start', 'db-password']);
    await terminal.says('Rotate 1 secret on 3 hosts? [y/N]');
    expect(terminal.text()).toContain('wave 1: test-vm');
    terminal.type('n\n');
    expect(await terminal.ended).toBe(1);
    expect(terminal.text()).toContain('nothing was changed');
    expect(await json(0, 'statusList', 'status')).toHaveLength(1);
    await expectUnchanged(harness, before);
  });

  test('answers “y”, leaves with Ctrl-C, and comes back to a rotation that went on', async () => {
    const before = await current();
    const terminal = startOnTerminal(harness.example, ['start', 'db-password']);
    await terminal.says('[y/N]');
    terminal.type('y\n');
    await terminal.says('generate');
    await terminal.says('test-vm  ');
    terminal.type(ctrlC);
    expect(await terminal.ended).toBe(130);
    const id = /come back with `rotate watch ([0-9A-Z]{26})`/.exec(terminal.text())?.[1] ?? '';
    expect(terminal.text()).toContain(`rotation ${id} goes on without being watched`);

    const again = startOnTerminal(harness.example, ['watch', id]);
    expect(await again.ended).toBe(0);
    expect(again.text()).toContain('prod/db-password is rotated, and the old value is proven dead');
    await expectRotated(harness, before);
    // Elsewhere than on a terminal: one line an event, without anything that moves a cursor.
    const { code, stdout } = await run('watch', id);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^\d{4}-\d\d-\d\dT\S+Z {2}[0-9A-Z]{26} {2}deploy {2}test-vm {2}done/m);
    expect(stdout).not.toContain('\u001B');
  });
});

describe('a rotation that asks for a person', () => {
  test('names who still uses the old value, and is done after a retry', async () => {
    const before = await current();
    const id = await startParked();
    const watched = await run('watch', id, '--json');
    expect(watched.code).toBe(3);
    expectEvents(watched.stdout, 'needs-attention');
    const { stdout } = await run('status', id);
    expect(stdout).toContain('needs attention: ');
    expect(stdout).toContain(`rotate retry ${id}`);
    // What makes no sense changes nothing.
    await json(2, 'error', 'skip', id, 'web-9');
    await json(4, 'error', 'skip', id, 'web-1');
    const refused = await json<RotationStatus>(1, 'status', 'start', 'db-password', '--yes');
    expect(refused.reason).toMatchObject({ type: 'Busy', message: expect.stringContaining(id) });
    // Nothing was taken from the one that still uses it.
    expect(await sessionsOfReport()).toBe(before.role);

    await endSession();
    const status = await json<RotationStatus>(0, 'status', 'retry', id, '--watch');
    expect(status.state).toBe('done');
    await expectRotated(harness, before);
  });

  test('is rolled back on request, and the session that was in the way lives on', async () => {
    const before = await current();
    const id = await startParked();
    const status = await json<RotationStatus>(1, 'status', 'rollback', id, '--watch');
    expect(status.state).toBe('rolled-back');
    expect(status.reason?.message).toContain('rolled back on request of');
    expect(status.steps.filter((s) => s.state === 'done' || s.state === 'running')).toEqual([]);
    expect(await sessionsOfReport()).toBe(before.role);
    await endSession();
    await expectUnchanged(harness, before);
  });

  test('is aborted: it says what remains, and blocks the next start until that takes over', async () => {
    const id = await startParked();
    await endSession();
    const aborted = await json<RotationStatus>(0, 'status', 'abort', id);
    expect(aborted.state).toBe('failed');
    expect(aborted.reason).toMatchObject({
      message: expect.stringMatching(
        /aborted by .*what remains: .*the new value of db-password may be valid.*main may have/,
      ),
      hint: expect.stringContaining('--take-over'),
    });
    expect((await run('watch', id)).code).toBe(3);
    const blocked = await json<RotationStatus>(1, 'status', 'start', 'db-password', '--yes');
    expect(blocked).toMatchObject({
      state: 'refused',
      reason: {
        type: 'Blocked',
        message: expect.stringContaining(id),
        hint: expect.stringContaining('--take-over'),
      },
    });

    // What remains is whole here: the new value is valid, merged and deployed. Only the old one is left valid.
    const between = await current();
    const status = await json<RotationStatus>(0, 'status', 'start', 'db-password', '--yes', '--take-over');
    expect(status.state).toBe('done');
    await expectRotated(harness, between);
  });

  test('can be rolled back while it runs', async () => {
    const before = await current();
    const { id } = await json<{ id: string }>(0, 'detached', 'start', 'db-password', '--detach', '--yes');
    await harness.waitFor(id, (s) => stepIs(s, 'deploy', 'running', 'done'));
    const said = await json<RotationStatus>(0, 'status', 'rollback', id);
    expect(said.state).toBe('running');
    const { code, stdout } = await run('watch', id);
    expect(code).toBe(1);
    expect(stdout).toContain('undoing: ');
    await expectUnchanged(harness, before);
  });
});
