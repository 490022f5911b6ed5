/**
 * A person turns a rotation back, in each phase: the old value is valid and deployed everywhere, and what was on its
 * way when he spoke does nothing any more. Past destroy he is refused.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rotateJson } from '../../infra/fleet/rotate.js';
import { run } from '../../infra/fleet/run.js';
import { expectNoFailedLogin, expectRotated, expectUnchanged, stepIs } from '../e2e/harness.js';
import {
  ended,
  expectNothingLeftByAll,
  type FaultyFleet,
  holdPush,
  holdSql,
  makeFaultyFleet,
  patienceMs,
  reached,
  runsOn,
  say,
  setPolicy,
  slowSwitch,
  slowVerify,
  watched,
} from './support.js';

let harness: FaultyFleet;

beforeAll(async () => {
  harness = await makeFaultyFleet('rollbacks');
}, patienceMs);

afterAll(async () => {
  await harness.close();
});

/** Says `rollback` once `during` has the rotation where it is wanted; `after` it, nothing must change any more. */
async function expectRolledBack(
  during: (id: string) => Promise<void>,
  { state = 'rolled-back', meanwhile = nothing, after = nothing } = {},
): Promise<void> {
  await watched(harness, async (watching) => {
    const id = await harness.start();
    await during(id);
    await say(harness, 'rollback', id);
    await meanwhile();
    const status = await ended(harness, id);
    expect(status).toMatchObject({ state, reason: { type: 'Interrupted' } });
    await expectUnchanged(harness, watching.before);
    await after();
    await expectUnchanged(harness, watching.before);
    await expectNoFailedLogin(watching);
    const { stdout } = await run('git', ['for-each-ref', 'refs/heads/rotate'], { cwd: harness.example.bare });
    expect(stdout).toBe('');
  });
}

const nothing = async (): Promise<void> => {};

describe('a person rolls a rotation back', { timeout: patienceMs }, () => {
  test('in generate, before anything has changed: it is refused', async () => {
    await expectRolledBack(
      async (id) => {
        await reached(harness, id, 'rehearsing', (s) =>
          s.steps.some((step) => step.hosts.some((h) => h.message === 'rehearsing')),
        );
      },
      { state: 'refused' },
    );
  });

  test('in generate, and the new value that arrives at the issuer later is refused there', async () => {
    const held = await holdSql(harness.example, 'ALTER ROLE');
    await expectRolledBack(() => held.caught(), {
      async after() {
        await held.release();
        expect(await held.exitCode()).not.toBe(0);
      },
    });
  });

  test('in encrypt, while the branch is pushed', async () => {
    const held = await holdPush(harness.example, 'refs/heads/rotate/*');
    await expectRolledBack(() => held.caught(), { meanwhile: held.release });
  });

  test('in deploy, while a host switches', async () => {
    await slowSwitch(harness.example, 'web-1', 2);
    try {
      await expectRolledBack(async (id) => {
        await reached(harness, id, 'switching web-1', (s) => runsOn(s, 'deploy', 'web-1'));
      });
    } finally {
      await slowSwitch(harness.example, 'web-1', 0);
    }
  });

  test('in restart', async () => {
    await expectRolledBack(async (id) => {
      await reached(harness, id, 'restarting', (s) => stepIs(s, 'restart', 'running'));
    });
  });

  test('in verify', async () => {
    await slowVerify(harness, 'web-1', true);
    await expectRolledBack(
      async (id) => {
        await reached(harness, id, 'verifying web-1', (s) => runsOn(s, 'verify', 'web-1'));
      },
      {
        async meanwhile() {
          await slowVerify(harness, 'web-1', false);
        },
      },
    );
  });

  test('in the soak, and main gets the old value back by a commit', async () => {
    await setPolicy(harness.example, { soak: '1h' });
    try {
      await expectRolledBack(async (id) => {
        await reached(harness, id, 'merged', () => true);
        for (let merged = false; !merged;) {
          const { stdout } = await run('git', ['log', '-1', '--format=%B', 'main'], {
            cwd: harness.example.bare,
          });
          merged = stdout.includes(id);
          await reached(harness, id, 'merged', () => true);
        }
      });
      const { stdout } = await run('git', ['log', '-1', '--format=%s', 'main'], {
        cwd: harness.example.bare,
      });
      expect(stdout).toContain('rotate: undo prod/db-password');
    } finally {
      await setPolicy(harness.example, { soak: 0 });
    }
  });

  test('in revoke, and the late order to disable the old value is refused at the issuer', async () => {
    const held = await holdSql(harness.example, 'NOLOGIN');
    await expectRolledBack(() => held.caught(), {
      async after() {
        await held.release();
        expect(await held.exitCode()).not.toBe(0);
      },
    });
  });

  test('after destroy, and is told that from here on it only goes forward', async () => {
    await setPolicy(harness.example, { proveAgain: '30s' });
    try {
      await watched(harness, async (watching) => {
        const held = await holdSql(harness.example, 'PASSWORD NULL');
        const id = await harness.start();
        await held.caught();
        // From the moment that destroy may have happened.
        for (const release of [nothing, held.release]) {
          await release();
          const { code, json } = await rotateJson<{ error: { type: string; message: string } }>(
            harness.example,
            ['rollback', id],
          );
          expect(code).toBe(1);
          expect(json.error.type).toBe('NotAllowed');
          expect(json.error.message).toContain('only forward');
        }
        expect(await ended(harness, id)).toMatchObject({ state: 'done' });
        await expectNoFailedLogin(watching);
        await expectRotated(harness, watching.before);
      });
    } finally {
      await setPolicy(harness.example, { proveAgain: '1s' });
    }
  });
});

test('nothing is left behind by all this', { timeout: patienceMs }, async () => {
  await expectNothingLeftByAll(harness);
});
