/**
 * A real failure in each of the six steps ends rolled back: the old value valid and
 * deployed everywhere, no login of an independent client failed, nothing was left
 * behind. And the rotation that succeeds.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../../infra/fleet/run.js';
import { spawn, type ChildProcess } from 'node:child_process';
import { chmod, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { once } from 'node:events';
import { expectNothingLeftByAll, makeFaultyFleet, watched, type FaultyFleet } from '../fault/support.js';
import { expectNoFailedLogin, expectRotated, expectUnchanged, stepIs } from './harness.js';

let harness: FaultyFleet;

beforeAll(async () => {
  // A short patience with the issuer: a failure that lasts is a failure within the test.
  harness = await makeFaultyFleet(
    'failures',
    { budgets: { apply: '8s' } },
    {
      probes: [
        // Fails while the host names a role in this file and has a value of that role installed.
        {
          command: [
            '/bin/sh',
            '-c',
            '[ ! -e /run/fail-verify ] || ! grep -q "$(cat /run/fail-verify)" /run/agenix/db-password',
          ],
        },
      ],
    },
  );
});

afterAll(async () => {
  await harness.close();
});

/** The role that the next rotation would bring. */
async function nextRole(): Promise<string> {
  const { stdout } = await harness.example.lab.ssh('web-1', 'cat /run/agenix/db-password');
  return stdout.includes('app_a:') ? 'app_b' : 'app_a';
}

/**
 * Locks PostgreSQL's table of roles against changes until it is ended; logins go on. An administrator's
 * long transaction, or a backup, does the same.
 */
async function lockRoles(): Promise<{ release(): Promise<void> }> {
  const { lab } = harness.example;
  const child: ChildProcess = spawn(
    'bash',
    [
      'infra/lab/lab.sh',
      'ssh',
      'db-1',
      'runuser -u postgres -- /usr/lib/postgresql/17/bin/psql -X -q -A -t -v ON_ERROR_STOP=1 -d postgres',
    ],
    { env: { ...process.env, LAB: lab.name }, stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error('no pipes');
  stdin.write("BEGIN; LOCK TABLE pg_authid IN SHARE ROW EXCLUSIVE MODE; SELECT 'locked';\n");
  const [said] = await once(stdout, 'data');
  if (!String(said).includes('locked')) throw new Error(`psql said ${String(said)}`);
  return {
    async release() {
      const closed = once(child, 'close');
      stdin.end('ROLLBACK;\n');
      await closed;
    },
  };
}

async function expectRolledBack(
  step: string,
  sabotage: () => Promise<{ id: string; repair: () => Promise<unknown> }>,
): Promise<void> {
  await watched(harness, async (watching) => {
    const { id, repair } = await sabotage();
    try {
      const status = await harness.ended(id);
      expect(status).toMatchObject({ state: 'rolled-back' });
      expect(status.reason?.message).toBeDefined();
      expect(
        stepIs(status, step, 'failed'),
        `${step} is the one that failed: ${JSON.stringify(status.steps)}`,
      ).toBe(true);
    } finally {
      await repair();
    }
    await expectNoFailedLogin(watching);
    await expectUnchanged(harness, watching.before);
  });
}

describe('a rotation', () => {
  test('succeeds, with no failed login', async () => {
    await watched(harness, async (watching) => {
      const id = await harness.start();
      const status = await harness.ended(id);
      expect(status.state).toBe('done');
      expect(status.steps.map((s) => s.state)).toEqual(['done', 'done', 'done', 'done', 'done', 'done']);
      expect(status.proof?.every((p) => p.result === 'passed')).toBe(true);
      await expectNoFailedLogin(watching);
      await expectRotated(harness, watching.before);
    });
  });

  test('is rolled back when the issuer fails in generate', async () => {
    await expectRolledBack('generate', async () => {
      const id = await harness.start();
      // Preflight has passed its look at the issuer; the lock comes before the new role is provisioned.
      await harness.waitFor(
        id,
        (s) => s.steps[0]?.hosts.some((h) => h.message?.endsWith('rehearsing')) === true,
      );
      const lock = await lockRoles();
      await harness.waitFor(id, (s) => stepIs(s, 'generate', 'failed'));
      await lock.release();
      return { id, repair: async () => {} };
    });
  });

  test('is rolled back when the remote refuses the branch in encrypt', async () => {
    const hook = join(harness.example.bare, 'hooks', 'update');
    await expectRolledBack('encrypt', async () => {
      await writeFile(
        hook,
        '#!/bin/sh\ncase $1 in refs/heads/rotate/*) echo "no such branches here" >&2; exit 1 ;; esac\n',
      );
      await chmod(hook, 0o755);
      return { id: await harness.start(), repair: () => rm(hook) };
    });
  });

  test('is rolled back when the switch of a host fails in deploy', async () => {
    const { lab } = harness.example;
    await expectRolledBack('deploy', async () => {
      await lab.ssh('web-1', 'touch /etc/lab/fail-activation');
      return {
        id: await harness.start(),
        repair: () => lab.ssh('web-1', 'rm -f /etc/lab/fail-activation'),
      };
    });
  });

  test('is rolled back when the app does not start with the new value in restart', async () => {
    const { lab } = harness.example;
    const role = await nextRole();
    const dropin = '/run/systemd/system/app.service.d';
    await expectRolledBack('restart', async () => {
      await lab.ssh('web-2', `mkdir -p ${dropin}; cat > ${dropin}/fail.conf; systemctl daemon-reload`, {
        input: `[Service]\nExecStartPre=/bin/sh -c 'case $DATABASE_URL in *${role}:*) exit 1;; esac'\n`,
      });
      return {
        id: await harness.start(),
        repair: () => lab.ssh('web-2', `rm -r ${dropin}; systemctl daemon-reload`),
      };
    });
  });

  test('is rolled back when the user’s own probe fails in verify', async () => {
    const { lab } = harness.example;
    const role = await nextRole();
    await expectRolledBack('verify', async () => {
      await lab.ssh('web-1', 'cat > /run/fail-verify', { input: role });
      return { id: await harness.start(), repair: () => lab.ssh('web-1', 'rm -f /run/fail-verify') };
    });
  });

  test('is rolled back, merge included, when the issuer fails in revoke', async () => {
    await expectRolledBack('revoke', async () => {
      const id = await harness.start();
      await harness.waitFor(id, (s) => stepIs(s, 'verify', 'running'));
      // Main has the new value by now or soon; the old one cannot be disabled.
      const lock = await lockRoles();
      await harness.waitFor(id, (s) => stepIs(s, 'revoke', 'failed'));
      await lock.release();
      return { id, repair: async () => {} };
    });
    const { stdout } = await run('git', ['log', '--format=%s', 'main'], { cwd: harness.example.bare });
    expect(stdout).toContain('rotate: undo prod/db-password');
  });
});

test('nothing is left behind by all this', async () => {
  await expectNothingLeftByAll(harness);
});
