/**
 * Hosts that vanish, reboot or cut themselves off in the middle of a rotation. While a host is out of reach neither
 * value is taken from it.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commit, deploy, parseContent, sql } from '../../infra/fleet/example.js';
import { projectRoot } from '../../infra/fleet/lab.js';
import { run as runHere } from '../../infra/fleet/run.js';
import { expectRotated, expectUnchanged, stepIs } from '../e2e/harness.js';
import {
  ended,
  expectNobodyRefused,
  expectNothingLeftByAll,
  type FaultyFleet,
  hostIs,
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

beforeAll(async () => {
  harness = await makeFaultyFleet('network', { deadMan: '15s', budgets: { converge: '60s', undo: '60s' } });
  const { example } = harness;
  const file = join(example.clone, 'hosts.json');
  const hosts: Record<string, object> = JSON.parse(await readFile(file, 'utf8'));
  hosts['web-1'] = { ...hosts['web-1'], activate: cutsNetwork };
  await writeFile(file, `${JSON.stringify(hosts, null, 2)}\n`);
  await commit(example, 'Let a switch cut the network of web-1');
  await deploy(example, 'web-1');
}, patienceMs);

afterAll(async () => {
  await harness.close();
});

/** Whether a role may log in, as PostgreSQL says. */
async function mayLogIn(role: string): Promise<boolean> {
  return (await sql(harness.example, `SELECT rolcanlogin FROM pg_roles WHERE rolname = '${role}'`)) === 't';
}

async function installed(host: string): Promise<{ role: string; password: string }> {
  return parseContent((await harness.example.lab.ssh(host, 'cat /run/agenix/db-password')).stdout);
}

describe('a host that vanishes', { timeout: patienceMs }, () => {
  test('in deploy and comes back in time does not keep the rotation from its end', async () => {
    const { example } = harness;
    await slowSwitch(example, 'web-1', 4);
    try {
      await watched(harness, async (watching) => {
        const id = await harness.start();
        await reached(harness, id, 'switching web-1', (s) => runsOn(s, 'deploy', 'web-1'));
        await example.lab.cut('web-1');
        await hasSwitched('web-1', watching.before.role);
        await example.lab.heal('web-1');
        expect(await ended(harness, id)).toMatchObject({ state: 'done' });
        await expectNobodyRefused(watching, ['web-1']);
        await expectRotated(harness, watching.before);
      });
    } finally {
      await slowSwitch(example, 'web-1', 0);
    }
  });

  test('in deploy and stays away parks the rotation, which names it, and keeps both values until it is back', async () => {
    const { example } = harness;
    await slowSwitch(example, 'web-1', 2);
    try {
      await watched(harness, async (watching) => {
        const { before } = watching;
        const spare = before.role === 'app_a' ? 'app_b' : 'app_a';
        const id = await harness.start();
        await reached(harness, id, 'switching web-1', (s) => runsOn(s, 'deploy', 'web-1'));
        await example.lab.cut('web-1');
        const parked = await ended(harness, id);
        expect(parked.state).toBe('needs-attention');
        expect(parked.reason?.message).toContain('web-1');
        // The others have the old value again; the new one may still be on the host that cannot be asked.
        for (const host of ['web-2', 'test-vm']) expect(await installed(host)).toEqual(before);
        expect(await mayLogIn(before.role)).toBe(true);
        expect(await mayLogIn(spare)).toBe(true);

        await example.lab.heal('web-1');
        await slowSwitch(example, 'web-1', 0);
        await say(harness, 'retry', id);
        expect(await ended(harness, id)).toMatchObject({ state: 'rolled-back' });
        await expectNobodyRefused(watching, ['web-1']);
        await expectUnchanged(harness, before);
      });
    } finally {
      await example.lab.heal('web-1');
      await slowSwitch(example, 'web-1', 0);
    }
  });

  test('in verify is waited for in the undo, and has the old value when it is back', async () => {
    const { lab } = harness.example;
    await slowVerify(harness, 'web-1', true);
    await watched(harness, async (watching) => {
      const id = await harness.start();
      await reached(harness, id, 'verifying web-1', (s) => runsOn(s, 'verify', 'web-1'));
      await lab.cut('web-1');
      try {
        await reached(harness, id, 'failed in verify', (s) => hostIs(s, 'verify', 'web-1', 'failed'));
      } finally {
        await lab.heal('web-1');
        await slowVerify(harness, 'web-1', false);
      }
      const status = await ended(harness, id);
      expect(status).toMatchObject({ state: 'rolled-back' });
      expect(stepIs(status, 'verify', 'failed')).toBe(true);
      expect(status.reason?.message).toContain('web-1');
      await expectNobodyRefused(watching, ['web-1']);
      await expectUnchanged(harness, watching.before);
    });
  });
});

/** Waits until a host that cannot be reached has another role's value installed; looks at its disk from outside. */
async function hasSwitched(host: string, before: string): Promise<void> {
  const { example } = harness;
  const script = `until LAB=${example.lab.name} bash infra/lab/lab.sh exec ${host} cat /run/agenix/db-password | grep -q 'postgresql://app' &&
  ! LAB=${example.lab.name} bash infra/lab/lab.sh exec ${host} grep -q '//${before}:' /run/agenix/db-password; do sleep 0.3; done`;
  await runHere('bash', ['-c', script], { cwd: projectRoot, timeoutMs: patienceMs });
}

describe('a host that reboots', { timeout: patienceMs }, () => {
  test('while it is switched comes up with the new system, and the rotation goes on', async () => {
    const { example } = harness;
    await slowSwitch(example, 'web-1', 5);
    try {
      await watched(harness, async (watching) => {
        const id = await harness.start();
        await reached(harness, id, 'switching web-1', (s) => runsOn(s, 'deploy', 'web-1'));
        await example.lab.reboot('web-1');
        expect(await ended(harness, id)).toMatchObject({ state: 'done' });
        await expectNobodyRefused(watching, ['web-1']);
        await expectRotated(harness, watching.before);
      });
    } finally {
      await slowSwitch(example, 'web-1', 0);
    }
  });

  test('in the soak has the new value after it', async () => {
    const { example } = harness;
    await setPolicy(example, { soak: '30s' });
    try {
      await watched(harness, async (watching) => {
        const id = await harness.start();
        await reached(harness, id, 'verified', (s) => hostIs(s, 'verify', 'web-1', 'done'));
        await example.lab.reboot('web-1');
        expect(await ended(harness, id)).toMatchObject({ state: 'done' });
        await expectNobodyRefused(watching, ['web-1']);
        await expectRotated(harness, watching.before);
      });
    } finally {
      await setPolicy(example, { soak: 0 });
    }
  });
});

describe('a switch that cuts the host’s own network', { timeout: patienceMs }, () => {
  test('is put back by the dead man, and the rotation is rolled back', async () => {
    const { lab } = harness.example;
    await lab.ssh('web-1', 'touch /etc/lab/cut-network');
    await watched(harness, async (watching) => {
      const id = await harness.start();
      const status = await ended(harness, id);
      expect(status).toMatchObject({ state: 'rolled-back', reason: { type: 'SwitchFailed' } });
      expect(status.reason?.message).toContain('web-1 could not be reached after the switch');
      expect(stepIs(status, 'deploy', 'failed')).toBe(true);
      await expectNobodyRefused(watching, ['web-1']);
      await expectUnchanged(harness, watching.before);
    });
  });
});

test('nothing is left behind by all this', { timeout: patienceMs }, async () => {
  await expectNothingLeftByAll(harness);
});
