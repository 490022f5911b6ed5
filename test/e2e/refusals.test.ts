/**
 * Bad input and faults, on a real fleet: each is refused with a message that names the thing, the place and
 * the remedy, with the right exit code, and nothing is different afterwards.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection, WorkflowNotFoundError } from '@temporalio/client';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { parseDocument, type Document } from 'yaml';
import { generateCodecKey } from '../../codec/keyring.js';
import type { RotationStatus } from '../../domain/status.js';
import { appHosts, commit, deploy, parseContent, readSecret, sql } from '../../infra/fleet/example.js';
import { rotate } from '../../infra/fleet/rotate.js';
import { run } from '../../infra/fleet/run.js';
import { expectOutput } from '../cli/schema.js';
import { expectRotated, expectUnchanged, makeHarness, type Harness } from './harness.js';
import { startOnTerminal } from './terminal.js';

let harness: Harness;
let temporal: Connection;
let before: { role: string; password: string };
/** The commit that the hosts run, to which every test brings main back. */
let good: string;

beforeAll(async () => {
  harness = await makeHarness('refuse');
  temporal = await Connection.connect({ address: harness.server.address });
  before = parseContent(await readSecret(harness.example));
  good = await head();
});
afterAll(async () => {
  await temporal?.close();
  await harness?.close();
});

// --- the repo -----------------------------------------------------------------

function git(...args: string[]): ReturnType<typeof run> {
  return run('git', args, { cwd: harness.example.clone, env: harness.example.env });
}

async function head(): Promise<string> {
  return (await git('rev-parse', 'HEAD')).stdout.trim();
}

function inClone(path: string): string {
  return join(harness.example.clone, path);
}

async function editYaml(change: (document: Document) => void): Promise<void> {
  const document = parseDocument(await readFile(inClone('rotate.yaml'), 'utf8'));
  change(document);
  await writeFile(inClone('rotate.yaml'), document.toString());
}

async function editHosts(change: (hosts: Document) => void): Promise<void> {
  const hosts = parseDocument(await readFile(inClone('hosts.json'), 'utf8'));
  change(hosts);
  await writeFile(inClone('hosts.json'), `${JSON.stringify(hosts, null, 2)}\n`);
}

/** Path of the secret in rotate.yaml. */
const secretPath = ['secrets', 'prod', 'db-password'];

/** The secret as rotate.yaml declares it, to make others of. */
function declared(document: Document): Record<string, unknown> {
  const { secrets }: { secrets: { prod: { 'db-password': Record<string, unknown> } } } = document.toJS();
  return secrets.prod['db-password'];
}

const rulesFile = 'secrets/prod/secrets.nix';

async function editRules(change: (text: string) => string): Promise<void> {
  await writeFile(inClone(rulesFile), change(await readFile(inClone(rulesFile), 'utf8')));
}

/** The local files are as on the hosts again; main at the remote stays. */
async function restoreFiles(): Promise<void> {
  await git('checkout', '--quiet', good, '--', '.');
}

/** Undoes whatever a test did in the repo. */
async function restoreMain(): Promise<void> {
  // A rotation may have merged, and an undo may have written the old value back.
  await git('fetch', '--quiet', 'origin', 'main');
  await git('reset', '--quiet', '--soft', 'FETCH_HEAD');
  const { stdout } = await git('status', '--porcelain');
  const { code } = await run('git', ['diff', '--quiet', good, 'HEAD'], {
    cwd: harness.example.clone,
    accept: [0, 1],
  });
  if (stdout === '' && code === 0) return;
  await git('rm', '--quiet', '-r', '--cached', '.');
  await restoreFiles();
  await git('clean', '--quiet', '-d', '--force');
  await commit(harness.example, 'Put it right again');
}

afterEach(restoreMain);

// --- what must not change -------------------------------------------------------

/** Everything that a rotation could have touched: refs, roles, hosts with the runs of their units. */
async function worldOf(): Promise<Record<string, string>> {
  const { example } = harness;
  const parts = await Promise.all([
    refsOf(),
    sql(
      example,
      `SELECT rolname, rolcanlogin, rolpassword, rolvaliduntil, shobj_description(oid, 'pg_authid')
       FROM pg_authid WHERE rolname LIKE 'app%' ORDER BY 1`,
    ),
    ...appHosts.map(async (name) => {
      const { stdout } = await example.lab.ssh(
        name,
        `readlink -f /run/current-system /nix/var/nix/profiles/system; cat /boot/loader/default
         sha256sum < /run/agenix/db-password; stat -L -c '%U %G %a' /run/agenix/db-password
         systemctl show --property=InvocationID,ActiveState app.service; find /var/lib/rotate 2>/dev/null || true`,
      );
      return stdout;
    }),
  ]);
  return Object.fromEntries(['refs', 'roles', ...appHosts].map((name, i) => [name, parts[i] ?? '']));
}

async function refsOf(): Promise<string> {
  const format = '--format=%(refname) %(objectname)';
  const { stdout } = await run('git', ['for-each-ref', format], { cwd: harness.example.bare });
  // What happened is written down for refused rotations, too.
  return stdout.replace(/^refs\/heads\/rotate-log .*\n/m, '');
}

/** The next start must not find a claim. */
async function expectFree(): Promise<void> {
  const client = new Client({ connection: temporal });
  await expect
    .poll(
      async () => {
        try {
          return (await client.workflow.getHandle('rotate/prod/db-password').describe()).status.name;
        } catch (error) {
          if (error instanceof WorkflowNotFoundError) return 'never taken';
          throw error;
        }
      },
      { timeout: 120_000, interval: 200 },
    )
    .not.toBe('RUNNING');
}

// --- what is said ---------------------------------------------------------------

interface Told {
  type: string;
  /** Each must be in the message. */
  says: readonly (string | RegExp)[];
  /** In the hint; absent: there is none to expect. */
  hint?: string | RegExp;
}

interface Where {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
}

function expectReason(
  reason: { type: string; message: string; hint?: string } | undefined,
  told: Told,
): void {
  expect(reason).toMatchObject({ type: told.type });
  for (const part of told.says) {
    if (typeof part === 'string') expect(reason?.message).toContain(part);
    else expect(reason?.message).toMatch(part);
  }
  if (typeof told.hint === 'string') expect(reason?.hint).toContain(told.hint);
  else if (told.hint !== undefined) expect(reason?.hint).toMatch(told.hint);
  // Written for a person: no stack, no class names, lowercase.
  expect(reason?.message).not.toMatch(/\n {4}at |Error:|undefined|\[object/);
  expect(JSON.stringify(reason)).not.toContain(before.password);
}

/** Runs `rotate ARGS --json`, which fails as a whole: an error on stdout, the same on stderr. */
async function expectError(
  args: readonly string[],
  code: number,
  told: Told,
  where: Where = {},
): Promise<void> {
  const result = await rotate(harness.example, [...args, '--json'], where);
  expect([result.code, result.stdout.split('\n').length], result.stdout + result.stderr).toEqual([code, 2]);
  expectOutput(result.stdout, 'error');
  const { error }: { error: { type: string; message: string; hint?: string } } = JSON.parse(result.stdout);
  expectReason(error, told);
  expect(result.stderr).toContain('rotate: error: ');
  if (told.hint !== undefined) expect(result.stderr).toContain('rotate: hint: ');
}

/** `rotate start`, which preflight refuses: the status object on stdout, exit code 1; nothing has changed. */
async function expectRefused(told: Told, ...args: string[]): Promise<RotationStatus> {
  const world = await worldOf();
  const result = await rotate(harness.example, ['start', 'db-password', '--yes', '--json', ...args]);
  expect(result.code, result.stdout + result.stderr).toBe(1);
  expectOutput(result.stdout, 'status');
  const status: RotationStatus = JSON.parse(result.stdout);
  expect(status.state).toBe('refused');
  expectReason(status.reason, told);
  expect(status.endedAt).toBeDefined();
  expect(status.steps.filter((s) => s.state === 'running' || s.state === 'done')).toEqual([]);
  expect(result.stderr).toContain('rotate: refused, nothing was changed: ');
  expect(await worldOf()).toEqual(world);
  await expectFree();
  return status;
}

/** There is no plan, and so no rotation. */
async function expectNoPlan(code: number, told: Told, ...secrets: string[]): Promise<void> {
  const names = secrets.length > 0 ? secrets : ['db-password'];
  const refs = await refsOf();
  await expectError(['start', ...names, '--yes'], code, told);
  expect(await refsOf()).toEqual(refs);
  await expectFree();
}

// --- what is asked for ------------------------------------------------------------

describe('what was typed', () => {
  test('names an unknown secret, and the one that was meant', async () => {
    await expectNoPlan(
      2,
      {
        type: 'UnknownSecret',
        says: ['unknown secret `db-pasword`', 'did you mean `db-password`'],
        hint: 'rotate list',
      },
      'db-pasword',
    );
    await expectError(['history', 'db-pasword'], 2, { type: 'UnknownSecret', says: ['`db-pasword`'] });
    await expectError(['plan', 'stage/db-password'], 2, {
      type: 'UnknownSecret',
      says: ['unknown environment `stage`'],
      hint: 'prod',
    });
  });

  test('names the candidates of an ambiguous secret, here and at the worker', async () => {
    await editYaml((y) => {
      y.setIn(['environments', 'staging'], { store: 'agenix', rules: rulesFile, policy: 'quick' });
      y.setIn(['secrets', 'staging', 'db-password'], {
        ...declared(y),
        file: 'secrets/staging.age',
        consumers: [],
      });
    });
    await commit(harness.example, 'Add staging');
    const told: Told = {
      type: 'AmbiguousSecret',
      says: ['`db-password` may be prod/db-password or staging/db-password'],
      hint: 'prod/db-password',
    };
    await expectNoPlan(2, told);
    // Where there is no rotate.yaml only the worker knows.
    const elsewhere = join(harness.example.folder, 'elsewhere');
    await mkdir(elsewhere, { recursive: true });
    await expectError(['plan', 'db-password', '--codec-key', harness.example.state.codecKeyFile], 2, told, {
      cwd: elsewhere,
    });
  });

  test('names an unknown host', async () => {
    await expectError(['doctor', 'web-9'], 2, {
      type: 'UnknownHost',
      says: ['unknown host `web-9`'],
      hint: 'web-1',
    });
    await editYaml((y) => {
      y.setIn([...secretPath, 'consumers', 0, 'hosts', 1], 'test-mv');
    });
    const told: Told = {
      type: 'BadConfig',
      says: [
        /rotate\.yaml.*:\d+:\d+: secrets\.prod\.db-password\.consumers\[0\]\.hosts\[1\]: /,
        'unknown host `test-mv`, did you mean `test-vm`',
      ],
    };
    await expectError(['list'], 2, told);
    await commit(harness.example, 'Name a host that is not there');
    await restoreFiles();
    await expectNoPlan(2, told);
  });

  test('needs --yes where nobody can be asked', async () => {
    await expectError(['start', 'db-password'], 2, { type: 'Usage', says: ['--yes'], hint: '--yes' });
    await expectFree();
  });

  test('is not supported yet: sops', async () => {
    await editYaml((y) => {
      y.setIn(['environments', 'old'], { store: 'sops' });
      y.setIn(['secrets', 'old', 'token'], { ...declared(y), file: 'secrets/old.yaml', consumers: [] });
    });
    await commit(harness.example, 'Declare what comes later');
    await expectNoPlan(2, { type: 'BadConfig', says: ['old/token', 'sops', 'not supported yet'] }, 'token');
  });
});

// --- the repo ---------------------------------------------------------------------

describe('a repo that is not right', () => {
  test('has broken YAML: here, and at the tip of the remote', async () => {
    const text = await readFile(inClone('rotate.yaml'), 'utf8');
    await writeFile(inClone('rotate.yaml'), text.replace('version: 1\n', 'version: 1\n  hosts: [\n'));
    const told: Told = { type: 'BadConfig', says: [/rotate\.yaml.*:\d+:\d+: /] };
    await expectError(['plan', 'db-password'], 2, told);
    await expectError(['list'], 2, told);
    const bad = await commit(harness.example, 'Break it');
    await restoreFiles();
    await expectNoPlan(2, { ...told, says: [`rotate.yaml (at ${bad.slice(0, 12)})`] });
  });

  test('names a misspelt key with its line, column and path', async () => {
    await editYaml((y) => {
      y.deleteIn(['policies', 'quick', 'maxFailures']);
      y.setIn(['policies', 'quick', 'maxfailures'], 1);
    });
    await expectError(['plan', 'db-password'], 2, {
      type: 'BadConfig',
      says: [
        /^rotate\.yaml:\d+:\d+: policies\.quick/,
        'unknown key `maxfailures`, did you mean `maxFailures`?',
      ],
    });
  });

  test('has no rotate.yaml, or is no git repo at all', async () => {
    const empty = join(harness.example.folder, 'empty');
    await mkdir(empty, { recursive: true });
    const told: Told = { type: 'BadConfig', says: ['no rotate.yaml in ', empty], hint: 'in the repo' };
    await expectError(['list'], 2, told, { cwd: empty });
    await expectError(['history', 'db-password'], 2, told, { cwd: empty });
    await writeFile(join(empty, 'rotate.yaml'), await readFile(inClone('rotate.yaml')));
    await expectError(['dev'], 2, { type: 'Usage', says: [empty, 'git'], hint: 'clone' }, { cwd: empty });
    const { code, stdout } = await rotate(harness.example, ['doctor', '--json'], { cwd: empty });
    expect(code).toBe(1);
    expectOutput(stdout, 'doctor');
    expect(JSON.parse(stdout).findings).toContainEqual(
      expect.objectContaining({ subject: 'repo', check: 'git', result: 'failed' }),
    );
    await git('rm', '--quiet', 'rotate.yaml');
    const bad = await commit(harness.example, 'Remove rotate.yaml');
    await restoreFiles();
    await expectNoPlan(2, {
      type: 'BadConfig',
      says: [`the repo has no rotate.yaml at ${bad.slice(0, 12)}`],
      hint: 'commit and push',
    });
  });

  test('has a recipient that is no key', async () => {
    await editRules((text) => text.replace('ssh-ed25519 ', 'ssh-ed25519 x'));
    await commit(harness.example, 'Spoil a key');
    await expectNoPlan(2, {
      type: 'BadRecipient',
      says: [rulesFile, 'secrets/prod/db-password.age', 'is no recipient'],
      hint: '.pub',
    });
  });

  test('has rules that read a file of the worker', async () => {
    await editRules(
      (text) =>
        `let x = builtins.readFile /etc/shadow; in builtins.seq x (throw x)\n# ${text.replaceAll('\n', ' ')}`,
    );
    await commit(harness.example, 'Read what is none of our business');
    await expectNoPlan(2, {
      type: 'BadRules',
      says: [rulesFile, /\/etc\/shadow.*restricted mode/],
      hint: 'only read files of the repo',
    });
  });

  test('has rules that do not know the file', async () => {
    await editRules((text) => text.replace('db-password.age', 'other.age'));
    await commit(harness.example, 'Forget the file');
    await expectNoPlan(2, {
      type: 'UnknownSecret',
      says: [rulesFile, 'no rule for secrets/prod/db-password.age'],
      hint: 'add it to',
    });
  });

  test('has a format that cannot say which role is in use', async () => {
    await editYaml((y) => {
      y.deleteIn([...secretPath, 'format', 'template']);
    });
    const told: Told = {
      type: 'BadConfig',
      says: ['secrets.prod.db-password.format', 'which role'],
      hint: '{role}',
    };
    await expectError(['plan', 'db-password'], 2, told);
    await commit(harness.example, 'Drop the template');
    await restoreFiles();
    await expectNoPlan(2, told);
  });

  test('has a file whose content does not match its template', async () => {
    await editYaml((y) => {
      y.setIn([...secretPath, 'format', 'template'], 'mysql://{role}:{password}@db-1:3306/app');
    });
    await commit(harness.example, 'Name another scheme');
    await expectNoPlan(2, { type: 'BadFormat', says: ['prod/db-password', 'DATABASE_URL', 'template'] });
  });
});

// --- Temporal -----------------------------------------------------------------------

describe('Temporal and the worker', () => {
  test('say within seconds that Temporal is not there', async () => {
    const env = { ...harness.example.env, TEMPORAL_ADDRESS: '127.0.0.1:1' };
    for (const args of [['start', 'db-password', '--yes'], ['status']]) {
      await expectError(
        args,
        4,
        { type: 'TemporalUnreachable', says: ['127.0.0.1:1'], hint: 'TEMPORAL_ADDRESS' },
        { env },
      );
    }
  });

  test('say within seconds that no worker listens', async () => {
    await harness.killWorker();
    const told: Told = { type: 'NoWorker', says: ['no worker'], hint: 'rotate worker' };
    await expectError(['start', 'db-password', '--yes'], 4, told);
    await expectError(['plan', 'db-password'], 4, told);
    await harness.restartWorker();
    await expectFree();
  });

  test('do not believe another codec key, and name a missing one', async () => {
    const key = join(harness.example.folder, 'other.key');
    await writeFile(key, `${generateCodecKey()}\n`, { mode: 0o600 });
    await expectError(['start', 'db-password', '--yes', '--codec-key', key], 4, {
      type: 'WrongKey',
      says: ['codec key'],
      hint: '--codec-key',
    });
    await expectError(['plan', 'db-password', '--codec-key', '/nonexistent/key'], 2, {
      type: 'BadConfig',
      says: ['/nonexistent/key'],
    });
    const env = { ...harness.example.env, XDG_STATE_HOME: join(harness.example.folder, 'nobody') };
    await expectError(
      ['plan', 'db-password'],
      2,
      { type: 'BadConfig', says: ['no codec key'], hint: '--codec-key' },
      { env },
    );
    await expectFree();
  });
});

// --- hosts ---------------------------------------------------------------------------

describe('a host that is not right', () => {
  test('shows another key than the pinned one', async () => {
    const { lab, inventory } = harness.example;
    await editYaml((y) => {
      y.setIn(['hosts', 'web-1', 'hostKey'], lab.host(inventory, 'web-2').hostKey);
    });
    await commit(harness.example, 'Pin a wrong key');
    await expectRefused({
      type: 'HostKeyMismatch',
      says: ['web-1', /shows host key SHA256:\S+, expected ssh-ed25519 SHA256:/, 'rotate.yaml'],
      hint: 'pin',
    });
    const { code, stdout } = await rotate(harness.example, ['doctor', 'web-1', '--json']);
    expect(code).toBe(1);
    expectOutput(stdout, 'doctor');
    expect(JSON.parse(stdout).findings).toContainEqual(
      expect.objectContaining({ subject: 'host web-1', check: 'ssh', result: 'failed' }),
    );
  });

  test('cannot be reached', async () => {
    const { lab } = harness.example;
    const world = await worldOf();
    await lab.cut('web-2');
    try {
      const result = await rotate(harness.example, ['start', 'db-password', '--yes', '--json']);
      expect(result.code).toBe(1);
      const status: RotationStatus = JSON.parse(result.stdout);
      expect(status.state).toBe('refused');
      expectReason(status.reason, { type: 'HostUnreachable', says: ['web-2'], hint: 'is up' });
    } finally {
      await lab.heal('web-2');
    }
    await expect.poll(worldOf, { timeout: 240_000, interval: 1_000 }).toEqual(world);
    await expectFree();
  });

  test('cannot open the file', async () => {
    const { lab, inventory, state, env } = harness.example;
    const content = await readSecret(harness.example);
    const recipient = /public key: (age1\S+)/.exec(await readFile(state.identityFile, 'utf8'))?.[1] ?? '';
    const keys = [recipient, ...['web-2', 'test-vm'].map((name) => lab.host(inventory, name).hostKey)];
    await run('age', [...keys.flatMap((key) => ['-r', key]), '-o', inClone('secrets/prod/db-password.age')], {
      input: content,
      env,
    });
    await commit(harness.example, 'Encrypt it without web-1');
    await expectRefused({
      type: 'HostCannotDecrypt',
      says: ['web-1', 'secrets/prod/db-password.age', 'no identity matched'],
      hint: '/etc/ssh/ssh_host_ed25519_key',
    });
  });

  test('could not open the new file, as the rules do not name its key any more', async () => {
    const { lab, inventory } = harness.example;
    await editRules((text) =>
      text.replace(`    ${JSON.stringify(lab.host(inventory, 'web-1').hostKey)}\n`, ''),
    );
    await commit(harness.example, 'Remove the key of web-1');
    await expectRefused({
      type: 'HostCannotDecrypt',
      says: ['web-1', 'secrets/prod/db-password.age'],
      hint: rulesFile,
    });
  });

  test('could not be undone, as the rules do not name the worker', async () => {
    await editRules((text) => text.replace(/ {4}"age1[^\n]*\n/, ''));
    await commit(harness.example, 'Remove the key of the worker');
    await expectRefused({
      type: 'CannotOpen',
      says: ['the worker', 'secrets/prod/db-password.age'],
      hint: rulesFile,
    });
  });

  test('does not run what others have committed', async () => {
    await editHosts((hosts) => {
      hosts.setIn(['web-1', 'label'], '2');
    });
    await commit(harness.example, 'Somebody else’s change of web-1');
    await expectRefused({
      type: 'Drift',
      says: ['web-1', 'undeployed', 'Somebody else’s change of web-1 (Operator)'],
      hint: 'deploy web-1',
    });
  });

  test('runs what nobody has committed to main', async () => {
    await editHosts((hosts) => {
      hosts.setIn(['web-1', 'label'], 'by-hand');
    });
    await git('commit', '--quiet', '--all', '-m', 'Never pushed');
    await deploy(harness.example, 'web-1');
    await git('reset', '--quiet', '--hard', 'HEAD~1');
    try {
      await expectRefused({
        type: 'Drift',
        says: ['web-1 runs /nix/store/', 'is the build of none of the last'],
        hint: 'deploy web-1',
      });
    } finally {
      await deploy(harness.example, 'web-1');
    }
  });

  test('would boot another system than it runs', async () => {
    const { lab } = harness.example;
    const { stdout } = await lab.ssh(
      'test-vm',
      // What an interrupted copy has left (a lock, half a system) is no path of the store.
      `set -eu
       current=$(readlink -f /run/current-system)
       for other in /nix/store/*-nixos-system-*; do
         if [ "$other" != "$current" ] && nix-store --check-validity "$other" 2>/dev/null; then break; fi
       done
       nix-env -p /nix/var/nix/profiles/system --set "$other"
       test "$(readlink -f /nix/var/nix/profiles/system)" = "$other"
       echo "$current"`,
    );
    try {
      await expectRefused({
        type: 'Drift',
        says: ['test-vm runs ', 'would boot'],
        hint: 'nixos-rebuild switch',
      });
    } finally {
      await lab.ssh('test-vm', `nix-env -p /nix/var/nix/profiles/system --set ${stdout.trim()}`);
    }
  });

  test('would restart a unit that the plan does not name', async () => {
    await editHosts((hosts) => {
      hosts.setIn(['web-2', 'services', 'other'], {
        wantedBy: ['multi-user.target'],
        restartTriggers: ['@file:db-password@'],
        serviceConfig: { ExecStart: '/usr/bin/sleep infinity' },
      });
    });
    await commit(harness.example, 'Restart another service when the file changes');
    await deploy(harness.example, 'web-2');
    try {
      await expectRefused({
        type: 'UnexpectedUnits',
        says: ['web-2', 'other.service'],
        hint: 'restartTriggers',
      });
    } finally {
      await restoreMain();
      await deploy(harness.example, 'web-2');
    }
  });

  test('has no space left', async () => {
    const { lab } = harness.example;
    await lab.fill('web-1');
    try {
      await expectRefused({
        type: 'NoSpace',
        says: ['web-1', 'KiB are free', '/nix/store'],
        hint: 'make room',
      });
    } finally {
      await lab.drain('web-1');
    }
  });
});

// --- the issuer ------------------------------------------------------------------------

describe('a database that is not right', () => {
  test('does not accept the old value', async () => {
    const verifier = await sql(harness.example, "SELECT rolpassword FROM pg_authid WHERE rolname = 'app_a'");
    await sql(harness.example, `ALTER ROLE app_a PASSWORD '${randomBytes(12).toString('hex')}'`);
    try {
      await expectRefused({
        type: 'OldValueRejected',
        says: ['prod/db-password at db-1:5432 from ', '28P01'],
        hint: 'does not work even now',
      });
    } finally {
      await sql(harness.example, `ALTER ROLE app_a PASSWORD '${verifier}'`);
    }
  });

  test('accepts anything', async () => {
    await editHosts((hosts) => {
      hosts.setIn(
        ['db-1', 'postgresql', 'authentication'],
        'local all all peer\nhost all all 10.77.0.0/16 trust\n',
      );
    });
    await commit(harness.example, 'Trust the network');
    try {
      await deploy(harness.example, 'db-1');
      await appsLoggedIn();
      await expectRefused({
        type: 'AcceptsAnything',
        says: ['prod/db-password at db-1:5432 from ', 'accepted'],
        hint: 'pg_hba.conf',
      });
    } finally {
      await restoreMain();
      await deploy(harness.example, 'db-1');
      await appsLoggedIn();
    }
  });

  test('does not let the admin login in, or not far enough', async () => {
    await editYaml((y) => {
      y.setIn([...secretPath, 'postgres', 'admin', 'as'], 'app');
    });
    await commit(harness.example, 'Administer as app');
    await expectRefused({ type: 'IssuerAuthFailed', says: ['db-1', 'app'], hint: /./ });

    const { state, inventory, lab } = harness.example;
    const url = join(harness.example.folder, 'admin.url');
    const worker = parseDocument(await readFile(state.workerConfig, 'utf8'));
    worker.setIn(['logins', 'app-admin'], { file: url });
    await writeFile(state.workerConfig, worker.toString(), { mode: 0o600 });
    await harness.restartWorker();
    await editYaml((y) => {
      y.setIn([...secretPath, 'postgres', 'admin'], { login: 'app-admin' });
    });
    await commit(harness.example, 'Administer by URL');
    const { address } = lab.host(inventory, 'db-1');
    await writeFile(url, `postgresql://rotator:wrong-password@${address}:5432/postgres\n`, { mode: 0o600 });
    const status = await expectRefused({ type: 'IssuerAuthFailed', says: ['rotator', '28P01'], hint: /./ });
    expect(JSON.stringify(status)).not.toContain('wrong-password');

    // Let in, but not allowed to do anything.
    await sql(harness.example, "CREATE ROLE rotator LOGIN PASSWORD 'right-password'");
    await writeFile(url, `postgresql://rotator:right-password@${address}:5432/postgres\n`, { mode: 0o600 });
    await expectRefused({ type: 'IssuerMisconfigured', says: ['rotator', 'app_a'], hint: 'CREATEROLE' });
    await sql(harness.example, 'DROP ROLE rotator');
    await rm(url);
    await expectRefused({ type: 'BadConfig', says: ['login `app-admin`', url] });
  });

  test('lacks the spare role; the hint’s SQL makes it', async () => {
    await sql(harness.example, 'DROP ROLE app_b');
    const status = await expectRefused({
      type: 'IssuerMisconfigured',
      says: ['prod/db-password', 'the role app_b does not exist'],
      hint: 'run: CREATE ROLE',
    });
    await runHint(status);
    expect(await sql(harness.example, "SELECT rolcanlogin FROM pg_authid WHERE rolname = 'app_b'")).toBe('f');
  });

  test('has a spare role that differs; the hint’s SQL makes it the same', async () => {
    await sql(
      harness.example,
      'ALTER ROLE app_a SET search_path TO app, public; ALTER ROLE app_b CREATEDB CONNECTION LIMIT 3; REVOKE app FROM app_b',
    );
    try {
      const status = await expectRefused({
        type: 'IssuerMisconfigured',
        says: [
          'app_a is NOCREATEDB, app_b is CREATEDB',
          'search_path',
          'connection limits differ',
          'member of app',
        ],
        hint: 'run: ALTER ROLE',
      });
      await runHint(status);
      // One thing is left wrong, so that nothing else is said.
      await sql(harness.example, "ALTER ROLE app_b VALID UNTIL 'yesterday'");
      const left = await expectRefused({ type: 'IssuerMisconfigured', says: [/password of app_b expired/] });
      expect(left.reason?.message).not.toContain(';');
    } finally {
      await sql(
        harness.example,
        `ALTER ROLE app_a RESET ALL; ALTER ROLE app_b RESET ALL; GRANT app TO app_b;
         ALTER ROLE app_b NOCREATEDB CONNECTION LIMIT -1 VALID UNTIL 'infinity'`,
      );
    }
  });

  /** Runs what stands after `run:` in a hint, as a person would. */
  async function runHint(status: RotationStatus): Promise<void> {
    const statements = [...(status.reason?.hint ?? '').matchAll(/run: ((?:[A-Z][^;]*; ?)+)/g)].map(
      (m) => m[1],
    );
    expect(statements.length).toBeGreaterThan(0);
    for (const statement of statements) await sql(harness.example, statement ?? '');
  }

  async function appsLoggedIn(): Promise<void> {
    await expect
      .poll(
        () => sql(harness.example, "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'app'"),
        { timeout: 240_000, interval: 500 },
      )
      .toBe('3');
    // The value is the same, so systemd may still be between two starts of one of them.
    for (const name of appHosts)
      await expect
        .poll(
          async () =>
            (await harness.example.lab.ssh(name, 'systemctl is-active app.service || true')).stdout.trim(),
          { timeout: 240_000, interval: 500 },
        )
        .toBe('active');
  }
});

// --- other rotations and other people -----------------------------------------------------

describe('a rotation that comes at the wrong time', () => {
  test('is refused while another runs, with its id', async () => {
    await expectUnchanged(harness, before);
    await editYaml((y) => {
      y.setIn(['policies', 'quick', 'soak'], '1h');
    });
    await commit(harness.example, 'Soak for long');
    const id = await harness.start('--reason', 'the first');
    await harness.waitFor(id, (s) =>
      s.steps.some((step) => step.name === 'verify' && step.state === 'running'),
    );

    const { code, stdout } = await rotate(harness.example, ['start', 'db-password', '--yes', '--json']);
    expect(code).toBe(1);
    expectOutput(stdout, 'status');
    const second: RotationStatus = JSON.parse(stdout);
    expect(second.state).toBe('refused');
    expectReason(second.reason, { type: 'Busy', says: [id], hint: `rotate watch ${id}` });
    expect(second.id).not.toBe(id);

    await expectError(['skip', id, 'web-9'], 2, { type: 'UnknownHost', says: ['web-9', id], hint: 'web-1' });
    await expectError(['retry', id], 4, { type: 'NotAllowed', says: ['not waiting for a person'] });
    const undone = await rotate(harness.example, ['rollback', id, '--watch', '--json']);
    expect(undone.code, undone.stdout + undone.stderr).toBe(1);
    expectOutput(undone.stdout, 'status');
    expect(JSON.parse(undone.stdout).state).toBe('rolled-back');
    await expectUnchanged(harness, before);
    await expectFree();
    await restoreMain();
  });

  test('is refused when main moves on before the answer, and the plan with it', async () => {
    const terminal = startOnTerminal(harness.example, ['start', 'db-password']);
    await terminal.says('[y/N]');
    await editYaml((y) => {
      y.setIn(['policies', 'quick', 'canary'], ['web-2']);
    });
    await commit(harness.example, 'Make web-2 the canary');
    const world = await worldOf();
    terminal.type('y\n');
    expect(await terminal.ended).toBe(1);
    expect(terminal.text()).toMatch(/refused, nothing was changed: .*moved on.*Make web-2 the canary/s);
    expect(await worldOf()).toEqual(world);
    await expectFree();
  });

  test('goes on when main moves on before the answer, and the plan stays', async () => {
    const terminal = startOnTerminal(harness.example, ['start', 'db-password']);
    await terminal.says('[y/N]');
    await writeFile(inClone('NOTES'), 'nothing that a host is built from\n');
    await commit(harness.example, 'Write a note');
    terminal.type('y\n');
    expect(await terminal.ended).toBe(0);
    await expectRotated(harness, before);
    await git('pull', '--quiet', '--rebase', 'origin', 'main');
    expect(await readFile(inClone('NOTES'), 'utf8')).toContain('nothing that a host is built from');
    good = await head();
  });
});
