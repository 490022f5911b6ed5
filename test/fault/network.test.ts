/**
 * Hosts that vanish, reboot or cut themselves off in the middle of a rotation. While a host is out of reach neither
 * value is taken from it.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commit, deploy, parseContent, sql } from '../../infra/fleet/example.js';
import { expectRotated, expectUnchanged, stepIs } from '../e2e/harness.js';
import { holdSwitch, holdVerify, onHost, patienceMs, until } from './holds.js';
import {
  ended,
  expectNobodyRefused,
  expectNothingLeftByAll,
  hostIs,
  makeFaultyFleet,
  reached,
  say,
  setPolicy,
  watched,
  type FaultyFleet,
} from './support.js';

let fleet: FaultyFleet;

/**
 * Part of the activation of web-1: where /etc/lab/cut-network is, the next one takes its network away, and the one
 * after it gives it back.
 */
const cutsNetwork = `if [ -e /etc/lab/cut-network ]; then
  rm /etc/lab/cut-network; : > /run/network-is-cut; /usr/sbin/ip link set eth0 down
elif [ -e /run/network-is-cut ]; then
  rm /run/network-is-cut; /usr/sbin/ip link set eth0 up
fi
`;

const patient = { deadMan: '5m', budgets: {} };

beforeAll(async () => {
  fleet = await makeFaultyFleet('network', patient);
  const { example } = fleet;
  const file = join(example.clone, 'hosts.json');
  const hosts: Record<string, object> = JSON.parse(await readFile(file, 'utf8'));
  hosts['web-1'] = { ...hosts['web-1'], activate: cutsNetwork };
  await writeFile(file, `${JSON.stringify(hosts, null, 2)}\n`);
  await commit(example, 'Let a switch cut the network of web-1');
  await deploy(example, 'web-1');
}, patienceMs);

afterAll(async () => {
  await fleet.close();
}, patienceMs);

/** Whether a role may log in, as PostgreSQL says. */
async function mayLogIn(role: string): Promise<boolean> {
  return (await sql(fleet.example, `SELECT rolcanlogin FROM pg_roles WHERE rolname = '${role}'`)) === 't';
}

/** What a host has installed, also when it cannot be reached. */
async function installed(host: string): Promise<{ role: string; password: string }> {
  return parseContent((await onHost(fleet.example, host, 'cat /run/agenix/db-password')).stdout);
}

async function withPolicy(policy: Record<string, unknown>, work: () => Promise<void>): Promise<void> {
  await setPolicy(fleet.example, policy);
  try {
    await work();
  } finally {
    await setPolicy(fleet.example, { soak: 0, ...patient });
  }
}

describe('a host that vanishes', { timeout: patienceMs }, () => {
  test('in deploy and comes back in time does not keep the rotation from its end', async () => {
    const { lab } = fleet.example;
    const held = await holdSwitch(fleet.example, 'web-1');
    await watched(fleet, async (watching) => {
      const { before } = watching;
      const id = await fleet.start();
      await held.caught();
      await lab.cut('web-1');
      try {
        await held.release();
        // Nothing of the switch hangs on the connection.
        await until('the switch of web-1', async () => (await installed('web-1')).role !== before.role);
      } finally {
        await lab.heal('web-1');
      }
      expect(await ended(fleet, id)).toMatchObject({ state: 'done' });
      await expectNobodyRefused(watching, ['web-1']);
      await expectRotated(fleet, before);
    });
  });

  test('in deploy and stays away parks the rotation, which names it, and keeps both values until it is back', async () => {
    const { lab } = fleet.example;
    // So long are the switch of a host and its undo tried.
    const budgets = { converge: '30s', undo: '30s' };
    await withPolicy({ deadMan: '10s', budgets }, async () => {
      const held = await holdSwitch(fleet.example, 'web-1');
      await watched(fleet, async (watching) => {
        const { before } = watching;
        const spare = before.role === 'app_a' ? 'app_b' : 'app_a';
        const id = await fleet.start();
        await held.caught();
        await lab.cut('web-1');
        try {
          await held.release();
          const parked = await ended(fleet, id);
          expect(parked.state).toBe('needs-attention');
          expect(parked.reason?.message).toContain('web-1');
          expect(parked.reason?.message).not.toContain('web-2');
          // The others have the old value again; the new one may still be on the host that cannot be asked.
          for (const host of ['web-2', 'test-vm']) expect(await installed(host)).toEqual(before);
          expect(await mayLogIn(before.role)).toBe(true);
          expect(await mayLogIn(spare)).toBe(true);
        } finally {
          await lab.heal('web-1');
        }
        await say(fleet, 'retry', id);
        expect(await ended(fleet, id)).toMatchObject({ state: 'rolled-back' });
        await expectNobodyRefused(watching, ['web-1']);
        await expectUnchanged(fleet, before);
      });
    });
  });

  test('in verify is waited for in the undo, and has the old value when it is back', async () => {
    const { lab } = fleet.example;
    const held = await holdVerify(fleet.example, 'web-1');
    await watched(fleet, async (watching) => {
      const id = await fleet.start();
      await held.caught();
      await lab.cut('web-1');
      try {
        await held.release();
        await reached(fleet, id, 'failed in verify', (s) => hostIs(s, 'verify', 'web-1', 'failed'));
      } finally {
        await lab.heal('web-1');
      }
      const status = await ended(fleet, id);
      expect(status).toMatchObject({ state: 'rolled-back' });
      expect(stepIs(status, 'verify', 'failed')).toBe(true);
      expect(status.reason?.message).toContain('web-1');
      await expectNobodyRefused(watching, ['web-1']);
      await expectUnchanged(fleet, watching.before);
    });
  });
});

describe('a host that reboots', { timeout: patienceMs }, () => {
  test('while it is switched comes up with the new system, and the rotation goes on', async () => {
    const { example } = fleet;
    const held = await holdSwitch(example, 'web-1');
    await watched(fleet, async (watching) => {
      const id = await fleet.start();
      await held.caught();
      await onHost(example, 'web-1', 'rm -f /etc/lab/slow');
      await example.lab.reboot('web-1');
      expect(await ended(fleet, id)).toMatchObject({ state: 'done' });
      await expectNobodyRefused(watching, ['web-1']);
      await expectRotated(fleet, watching.before);
    });
  });

  test('in the soak has the new value after it', async () => {
    const { example } = fleet;
    await withPolicy({ soak: '30s' }, async () => {
      await watched(fleet, async (watching) => {
        const id = await fleet.start();
        await reached(fleet, id, 'verified', (s) => hostIs(s, 'verify', 'web-1', 'done'));
        await example.lab.reboot('web-1');
        expect(await ended(fleet, id)).toMatchObject({ state: 'done' });
        await expectNobodyRefused(watching, ['web-1']);
        await expectRotated(fleet, watching.before);
      });
    });
  });
});

describe('a switch that cuts the host’s own network', { timeout: patienceMs }, () => {
  test('is put back by the dead man, and the rotation is rolled back', async () => {
    await withPolicy({ deadMan: '10s' }, async () => {
      await onHost(fleet.example, 'web-1', 'touch /etc/lab/cut-network');
      await watched(fleet, async (watching) => {
        const id = await fleet.start();
        const status = await ended(fleet, id);
        expect(status).toMatchObject({ state: 'rolled-back', reason: { type: 'SwitchFailed' } });
        expect(status.reason?.message).toContain('web-1 could not be reached after the switch');
        expect(stepIs(status, 'deploy', 'failed')).toBe(true);
        await expectNobodyRefused(watching, ['web-1']);
        await expectUnchanged(fleet, watching.before);
      });
    });
  });
});

test('nothing is left behind by all this', { timeout: patienceMs }, async () => {
  await expectNothingLeftByAll(fleet);
});
