/** Whatever step the worker is killed in, the rotation comes to its end and nobody notices. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectNoFailedLogin, expectRotated, stepIs } from '../e2e/harness.js';
import { holdApp, holdPush, holdSql, holdSwitch, holdVerify, patienceMs, type Held } from './holds.js';
import {
  ended,
  expectNothingLeftByAll,
  makeFaultyFleet,
  reached,
  watched,
  type FaultyFleet,
} from './support.js';

let fleet: FaultyFleet;

beforeAll(async () => {
  // Two hosts with the app are enough to be killed on.
  fleet = await makeFaultyFleet('kills', {}, { appHosts: ['web-1', 'test-vm'] });
}, patienceMs);

afterAll(async () => {
  await fleet?.close();
}, patienceMs);

/** Kills the worker while something of its doing is held, and expects the rotation to be carried to its end. */
async function expectSurvived(
  held: Pick<Held, 'release'> & { caught(id: string): Promise<void> },
): Promise<void> {
  await watched(fleet, async (watching) => {
    const id = await fleet.start();
    await held.caught(id);
    await fleet.killWorker();
    // What was on its way goes on without who sent it.
    await held.release();
    await fleet.restartWorker();
    expect(await ended(fleet, id)).toMatchObject({ state: 'done' });
    await expectNoFailedLogin(watching);
    await expectRotated(fleet, watching.before);
  });
}

describe('a worker that is killed', { timeout: patienceMs }, () => {
  test('in generate, while hosts are looked at, loses nothing', async () => {
    await expectSurvived({
      caught: async (id) => {
        await reached(fleet, id, 'generating', (s) => stepIs(s, 'generate', 'running'));
      },
      release: async () => {},
    });
  });

  test('in generate, while the issuer takes the new value, loses nothing', async () => {
    await expectSurvived(await holdSql(fleet.example, 'ALTER ROLE'));
  });

  test('in encrypt, while the branch is pushed, loses nothing', async () => {
    await expectSurvived(await holdPush(fleet.example, 'refs/heads/rotate/*'));
  });

  test('in deploy, while a host switches, loses nothing', async () => {
    await expectSurvived(await holdSwitch(fleet.example, 'web-1'));
  });

  test('in restart, while the app starts, loses nothing', async () => {
    await expectSurvived(await holdApp(fleet.example, 'web-1'));
  });

  test('in verify, during a check, loses nothing', async () => {
    await expectSurvived(await holdVerify(fleet.example, 'web-1'));
  });

  test('in revoke, while the old value is disabled, loses nothing', async () => {
    await expectSurvived(await holdSql(fleet.example, 'NOLOGIN'));
  });
});

test('nothing is left behind by all this', { timeout: patienceMs }, async () => {
  await expectNothingLeftByAll(fleet);
});
