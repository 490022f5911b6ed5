/**
 * Whatever dies or stands still in the middle (the worker in each step, the Temporal server), the rotation comes to
 * one of its ends and nobody notices; and what acts too late is refused where it acts.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rotate, statusOf } from '../../infra/fleet/rotate.js';
import { startDevServer, type DevServer } from '../../worker/dev-server.js';
import { expectNoFailedLogin, expectRotated, expectUnchanged, stepIs, type Harness } from '../e2e/harness.js';
import {
  ended,
  expectNothingLeftByAll,
  type FaultyFleet,
  holdJobStart,
  holdPush,
  holdSql,
  makeFaultyFleet,
  patienceMs,
  reached,
  runsOn,
  say,
  slowSwitch,
  slowVerify,
  startSecondWorker,
  watched,
} from './support.js';

let harness: FaultyFleet;
let server: DevServer | undefined;

beforeAll(async () => {
  harness = await makeFaultyFleet('crashes');
}, patienceMs);

afterAll(async () => {
  await harness.close();
  await server?.stop();
});

/** Kills the worker once `during` has the rotation where it is wanted, and expects it to be carried to its end. */
async function expectSurvived(during: (id: string) => Promise<() => Promise<void>>): Promise<void> {
  await watched(harness, async (watching) => {
    const id = await harness.start();
    const tidy = await during(id);
    await harness.killWorker();
    await tidy();
    await harness.restartWorker();
    const status = await ended(harness, id);
    expect(status).toMatchObject({ state: 'done' });
    await expectNoFailedLogin(watching);
    await expectRotated(harness, watching.before);
  });
}

const nothing = async (): Promise<void> => {};

describe('a worker that is killed', { timeout: patienceMs }, () => {
  test('in generate, while hosts are looked at, loses nothing', async () => {
    await expectSurvived(async (id) => {
      await reached(harness, id, 'rehearsing', (s) =>
        s.steps.some((step) => step.hosts.some((h) => h.message === 'rehearsing')),
      );
      return nothing;
    });
  });

  test('in generate, while the issuer takes the new value, loses nothing', async () => {
    const held = await holdSql(harness.example, 'ALTER ROLE');
    await expectSurvived(async () => {
      await held.caught();
      // What was sent takes effect after the death of who sent it.
      return held.release;
    });
  });

  test('in encrypt, while the branch is pushed, loses nothing', async () => {
    const held = await holdPush(harness.example, 'refs/heads/rotate/*');
    await expectSurvived(async () => {
      await held.caught();
      return held.release;
    });
  });

  test('in deploy, while a host switches, loses nothing', async () => {
    await slowSwitch(harness.example, 'web-1', 3);
    try {
      await expectSurvived(async (id) => {
        await reached(harness, id, 'switching web-1', (s) => runsOn(s, 'deploy', 'web-1'));
        return nothing;
      });
    } finally {
      await slowSwitch(harness.example, 'web-1', 0);
    }
  });

  test('in restart loses nothing', async () => {
    await expectSurvived(async (id) => {
      await reached(harness, id, 'restarting', (s) => stepIs(s, 'restart', 'running'));
      return nothing;
    });
  });

  test('in verify loses nothing', async () => {
    await slowVerify(harness, 'web-1', true);
    await expectSurvived(async (id) => {
      await reached(harness, id, 'verifying web-1', (s) => runsOn(s, 'verify', 'web-1'));
      return async () => {
        await slowVerify(harness, 'web-1', false);
      };
    });
  });

  test('in revoke, while the old value is disabled, loses nothing', async () => {
    const held = await holdSql(harness.example, 'NOLOGIN');
    await expectSurvived(async () => {
      await held.caught();
      return held.release;
    });
  });
});

describe('a worker that stands still', { timeout: patienceMs }, () => {
  test('in generate, is refused by the issuer when another has finished the rotation', async () => {
    const held = await holdSql(harness.example, 'ALTER ROLE');
    await watched(harness, async (watching) => {
      const id = await harness.start();
      await held.caught();
      harness.worker().freeze();
      const other = await startSecondWorker(harness.example);
      try {
        expect(await ended(harness, id)).toMatchObject({ state: 'done' });
        const now = await expectRotated(harness, watching.before);
        // Now what it had sent arrives, and then it wakes up itself.
        await held.release();
        expect(await held.exitCode()).not.toBe(0);
        harness.worker().thaw();
        await expectTakesPart(harness, id);
        await expectNoFailedLogin(watching);
        expect(await expectRotated(harness, watching.before)).toEqual(now);
      } finally {
        await other.stop();
        await harness.restartWorker();
      }
    });
  });

  test('in deploy, is refused by the host when the rotation was rolled back meanwhile', async () => {
    const { lab } = harness.example;
    const held = await holdJobStart(harness.example, 'web-1');
    await watched(harness, async (watching) => {
      const id = await harness.start();
      await held.caught();
      harness.worker().freeze();
      const other = await startSecondWorker(harness.example);
      try {
        await say(harness, 'rollback', id);
        expect(await ended(harness, id)).toMatchObject({ state: 'rolled-back' });
        await expectUnchanged(harness, watching.before);
        await held.release();
        const { stdout } = await lab.ssh(
          'web-1',
          `until grep -h ^outcome= /var/lib/rotate/jobs/${id}-*/result | grep superseded; do sleep 0.5; done`,
          { timeoutMs: patienceMs },
        );
        expect(stdout.trim()).toBe('outcome=superseded');
        harness.worker().thaw();
        await expectTakesPart(harness, id);
        await expectNoFailedLogin(watching);
        await expectUnchanged(harness, watching.before);
      } finally {
        await other.stop();
        await harness.restartWorker();
      }
    });
  });
});

/** The worker that was thawed has come to the end of what it did, and goes on with other work. */
async function expectTakesPart({ example }: Harness, id: string): Promise<void> {
  // Each is answered by one of the two workers.
  for (let i = 0; i < 4; i += 1) {
    expect((await rotate(example, ['plan', 'db-password'])).code).toBe(0);
    expect((await statusOf(example, id)).endedAt).toBeDefined();
  }
}

describe('a rotation', { timeout: patienceMs }, () => {
  test('is carried out by two workers at once, one of which dies', async () => {
    await slowSwitch(harness.example, 'web-2', 2);
    const other = await startSecondWorker(harness.example);
    try {
      await watched(harness, async (watching) => {
        const id = await harness.start();
        await reached(harness, id, 'switching web-2', (s) => runsOn(s, 'deploy', 'web-2'));
        await other.kill();
        expect(await ended(harness, id)).toMatchObject({ state: 'done' });
        await expectNoFailedLogin(watching);
        await expectRotated(harness, watching.before);
      });
    } finally {
      await other.kill();
      await slowSwitch(harness.example, 'web-2', 0);
    }
  });

  test('goes on when the Temporal server is killed and started again on its database', async () => {
    const { example } = harness;
    await slowSwitch(example, 'web-1', 2);
    try {
      await watched(harness, async (watching) => {
        const id = await harness.start();
        await reached(harness, id, 'switching web-1', (s) => runsOn(s, 'deploy', 'web-1'));
        const { pid, address, ended: gone } = harness.server;
        process.kill(pid, 'SIGKILL');
        await gone;
        const port = Number(address.split(':')[1]);
        server = await startDevServer({ databaseFile: example.state.databaseFile, port, tuned: true });
        expect(await ended(harness, id)).toMatchObject({ state: 'done' });
        await expectNoFailedLogin(watching);
        await expectRotated(harness, watching.before);
      });
    } finally {
      await slowSwitch(example, 'web-1', 0);
    }
  });
});

test('nothing is left behind by all this', { timeout: patienceMs }, async () => {
  await expectNothingLeftByAll(harness);
});
