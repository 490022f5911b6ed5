/**
 * Workers that stand still, work side by side or lose the Temporal server: the rotation comes to one of its ends and
 * nobody notices, and what acts too late is refused where it acts. For workers that are killed see kills.test.ts.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rotate, statusOf } from '../../infra/fleet/rotate.js';
import { startDevServer, type DevServer } from '../../worker/dev-server.js';
import { expectNoFailedLogin, expectRotated, expectUnchanged } from '../e2e/harness.js';
import { holdJobStart, holdSql, holdSwitch, onHost, patienceMs } from './holds.js';
import {
  ended,
  expectNothingLeftByAll,
  makeFaultyFleet,
  say,
  startSecondWorker,
  watched,
  type FaultyFleet,
} from './support.js';

let fleet: FaultyFleet;
let server: DevServer | undefined;

beforeAll(async () => {
  fleet = await makeFaultyFleet('crashes');
}, patienceMs);

afterAll(async () => {
  await fleet.close();
  await server?.stop();
}, patienceMs);

describe('a worker that stands still', { timeout: patienceMs }, () => {
  test('in generate, is refused by the issuer when another has finished the rotation', async () => {
    const held = await holdSql(fleet.example, 'ALTER ROLE');
    await watched(fleet, async (watching) => {
      const id = await fleet.start();
      await held.caught();
      fleet.worker().freeze();
      const other = await startSecondWorker(fleet.example);
      try {
        expect(await ended(fleet, id)).toMatchObject({ state: 'done' });
        const now = await expectRotated(fleet, watching.before);
        // Now what it had sent arrives, and then it wakes up itself.
        await held.release();
        expect(await held.exitCode()).not.toBe(0);
        fleet.worker().thaw();
        await expectTakesPart(id);
        await expectNoFailedLogin(watching);
        expect(await expectRotated(fleet, watching.before)).toEqual(now);
      } finally {
        await other.stop();
        await fleet.restartWorker();
      }
    });
  });

  test('in deploy, is refused by the host when the rotation was rolled back meanwhile', async () => {
    const held = await holdJobStart(fleet.example, 'web-1');
    await watched(fleet, async (watching) => {
      const id = await fleet.start();
      await held.caught();
      fleet.worker().freeze();
      const other = await startSecondWorker(fleet.example);
      try {
        await say(fleet, 'rollback', id);
        expect(await ended(fleet, id)).toMatchObject({ state: 'rolled-back' });
        await expectUnchanged(fleet, watching.before);
        await held.release();
        const { stdout } = await onHost(
          fleet.example,
          'web-1',
          `until grep -hs superseded /var/lib/rotate/jobs/${id}-*/result; do sleep 0.5; done`,
          { timeoutMs: patienceMs },
        );
        expect(stdout.trim()).toBe('outcome=superseded');
        fleet.worker().thaw();
        await expectTakesPart(id);
        await expectNoFailedLogin(watching);
        await expectUnchanged(fleet, watching.before);
      } finally {
        await other.stop();
        await fleet.restartWorker();
      }
    });
  });
});

/** The worker that was thawed has come to the end of what it did, and goes on with other work. */
async function expectTakesPart(id: string): Promise<void> {
  // Each is answered by one of the two workers.
  for (let i = 0; i < 4; i += 1) {
    expect((await rotate(fleet.example, ['plan', 'db-password'])).code).toBe(0);
    expect((await statusOf(fleet.example, id)).endedAt).toBeDefined();
  }
}

describe('a rotation', { timeout: patienceMs }, () => {
  test('is carried out by two workers at once, one of which dies', async () => {
    const held = await holdSwitch(fleet.example, 'web-2');
    const other = await startSecondWorker(fleet.example);
    try {
      await watched(fleet, async (watching) => {
        const id = await fleet.start();
        await held.caught();
        await other.kill();
        await held.release();
        expect(await ended(fleet, id)).toMatchObject({ state: 'done' });
        await expectNoFailedLogin(watching);
        await expectRotated(fleet, watching.before);
      });
    } finally {
      await other.kill();
      await held.release();
    }
  });

  test('goes on when the Temporal server is killed and started again on its database', async () => {
    const { example } = fleet;
    const held = await holdSwitch(example, 'web-1');
    try {
      await watched(fleet, async (watching) => {
        const id = await fleet.start();
        await held.caught();
        const { pid, address, ended: gone } = fleet.server;
        process.kill(pid, 'SIGKILL');
        await gone;
        await held.release();
        const port = Number(address.split(':')[1]);
        server = await startDevServer({ databaseFile: example.state.databaseFile, port, tuned: true });
        expect(await ended(fleet, id)).toMatchObject({ state: 'done' });
        await expectNoFailedLogin(watching);
        await expectRotated(fleet, watching.before);
      });
    } finally {
      await held.release();
    }
  });
});

test('nothing is left behind by all this', { timeout: patienceMs }, async () => {
  await expectNothingLeftByAll(fleet);
});
