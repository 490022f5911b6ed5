/**
 * A person turns a rotation back, in each phase: the old value is valid and deployed everywhere, and what was on its
 * way when he spoke does nothing any more. Past destroy he is refused.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rotateJson } from '../../infra/fleet/rotate.js';
import { run } from '../../infra/fleet/run.js';
import { expectNoFailedLogin, expectRotated, expectUnchanged } from '../e2e/harness.js';
import { holdApp, holdPush, holdSql, holdSwitch, holdVerify, patienceMs, until, type Held } from './holds.js';
import {
  ended,
  expectNothingLeftByAll,
  makeFaultyFleet,
  say,
  setPolicy,
  watched,
  type FaultyFleet,
} from './support.js';

let fleet: FaultyFleet;

beforeAll(async () => {
  fleet = await makeFaultyFleet('rollbacks');
}, patienceMs);

afterAll(async () => {
  await fleet.close();
}, patienceMs);

/**
 * Says `rollback` once `held` is, and releases it then; or, for what acts `late`, only when the rotation has ended:
 * nothing must change any more.
 */
async function expectRolledBack(
  held: Pick<Held, 'release'> & { caught(id: string): Promise<void> },
  { state = 'rolled-back', late = false } = {},
): Promise<void> {
  await watched(fleet, async (watching) => {
    const id = await fleet.start();
    await held.caught(id);
    await say(fleet, 'rollback', id);
    if (!late) await held.release();
    expect(await ended(fleet, id)).toMatchObject({ state, reason: { type: 'Interrupted' } });
    await expectUnchanged(fleet, watching.before);
    if (late) {
      await held.release();
      await expectUnchanged(fleet, watching.before);
    }
    await expectNoFailedLogin(watching);
    const { stdout } = await run('git', ['for-each-ref', 'refs/heads/rotate'], { cwd: fleet.example.bare });
    expect(stdout).toBe('');
  });
}

const free = { caught: async () => {}, release: async () => {} };

async function lastOnMain(format: string): Promise<string> {
  const { stdout } = await run('git', ['log', '-1', `--format=${format}`, 'main'], {
    cwd: fleet.example.bare,
  });
  return stdout;
}

describe('a person rolls a rotation back', { timeout: patienceMs }, () => {
  test('in preflight, before anything has changed: it is refused', async () => {
    await expectRolledBack(free, { state: 'refused' });
  });

  test('in generate, and the new value that arrives at the issuer later is refused there', async () => {
    const held = await holdSql(fleet.example, 'ALTER ROLE');
    await expectRolledBack(held, { late: true });
    expect(await held.exitCode()).not.toBe(0);
  });

  test('in encrypt, while the branch is pushed', async () => {
    await expectRolledBack(await holdPush(fleet.example, 'refs/heads/rotate/*'));
  });

  test('in deploy, while a host switches', async () => {
    await expectRolledBack(await holdSwitch(fleet.example, 'web-1'));
  });

  test('in restart, while the app starts', async () => {
    await expectRolledBack(await holdApp(fleet.example, 'web-1'));
  });

  test('in verify, during a check', async () => {
    await expectRolledBack(await holdVerify(fleet.example, 'web-1'));
  });

  test('in the soak, and main gets the old value back by a commit', async () => {
    await setPolicy(fleet.example, { soak: '1h' });
    try {
      await expectRolledBack({
        ...free,
        caught: (id) => until('the merge', async () => (await lastOnMain('%B')).includes(id)),
      });
      expect(await lastOnMain('%s')).toContain('rotate: undo prod/db-password');
    } finally {
      await setPolicy(fleet.example, { soak: 0 });
    }
  });

  test('in revoke, and the late order to disable the old value is refused at the issuer', async () => {
    const held = await holdSql(fleet.example, 'NOLOGIN');
    await expectRolledBack(held, { late: true });
    expect(await held.exitCode()).not.toBe(0);
  });

  test('from destroy on, and is told that it only goes forward', async () => {
    await setPolicy(fleet.example, { proveAgain: '30s' });
    try {
      const held = await holdSql(fleet.example, 'PASSWORD NULL');
      await watched(fleet, async (watching) => {
        const id = await fleet.start();
        await held.caught();
        // First while it may have happened, then when it has.
        for (const step of [async () => {}, held.release]) {
          await step();
          const { code, json } = await rotateJson<{ error: { type: string; message: string } }>(
            fleet.example,
            ['rollback', id],
          );
          expect(code).not.toBe(0);
          expect(json.error.type).toBe('NotAllowed');
          expect(json.error.message).toContain('only forward');
        }
        expect(await ended(fleet, id)).toMatchObject({ state: 'done' });
        await expectNoFailedLogin(watching);
        await expectRotated(fleet, watching.before);
      });
    } finally {
      await setPolicy(fleet.example, { proveAgain: '1s' });
    }
  });
});

test('nothing is left behind by all this', { timeout: patienceMs }, async () => {
  await expectNothingLeftByAll(fleet);
});
