/** Other people work on the fleet and its repo while a rotation is under way; and other hosts build. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { appHosts, commit, deploy, readSecret } from '../../infra/fleet/example.js';
import { run } from '../../infra/fleet/run.js';
import { expectNoFailedLogin, expectRotated, expectUnchanged } from '../e2e/harness.js';
import {
  editRotateYaml,
  ended,
  expectNothingLeftByAll,
  type FaultyFleet,
  makeFaultyFleet,
  patienceMs,
  pull,
  reached,
  runsOn,
  say,
  slowVerify,
  watched,
} from './support.js';

let harness: FaultyFleet;

const secretFile = 'secrets/prod/db-password.age';

beforeAll(async () => {
  harness = await makeFaultyFleet('changes');
}, patienceMs);

afterAll(async () => {
  await harness.close();
});

/** Does `work` between the switch of a host and the merge. */
async function duringVerify(id: string, host: string, work: () => Promise<void>): Promise<void> {
  await reached(harness, id, `verifying ${host}`, (s) => runsOn(s, 'verify', host));
  await work();
}

async function bare(...args: string[]): Promise<string> {
  return (await run('git', args, { cwd: harness.example.bare })).stdout.trim();
}

/** `nixos-rebuild switch` of all holders at main as it is now. */
async function deployMain(): Promise<void> {
  await pull(harness.example);
  await deploy(harness.example, ...appHosts);
}

/** Puts another label on a host's system. */
async function relabel(host: string, label: string): Promise<void> {
  const file = join(harness.example.clone, 'hosts.json');
  const hosts: Record<string, object> = JSON.parse(await readFile(file, 'utf8'));
  hosts[host] = { ...hosts[host], label };
  await writeFile(file, `${JSON.stringify(hosts, null, 2)}\n`);
}

describe('main moves on between publish and merge', { timeout: patienceMs }, () => {
  test('by someone’s own work: the ciphertext goes on top of it', async () => {
    const { example } = harness;
    await slowVerify(harness, 'web-1', true);
    try {
      await watched(harness, async (watching) => {
        const id = await harness.start();
        let theirs = '';
        let branch = '';
        await duringVerify(id, 'web-1', async () => {
          branch = await bare('rev-parse', `refs/heads/rotate/${id}:${secretFile}`);
          await pull(example);
          await writeFile(join(example.clone, 'NOTES'), 'nothing to do with secrets\n');
          theirs = await commit(example, 'Write notes');
        });
        expect(await ended(harness, id)).toMatchObject({ state: 'done' });
        expect(await bare('rev-parse', 'main^')).toBe(theirs);
        expect(await bare('diff', '--name-only', theirs, 'main')).toBe(secretFile);
        expect(await bare('rev-parse', `main:${secretFile}`)).toBe(branch);
        await expectNoFailedLogin(watching);
        await expectRotated(harness, watching.before);
      });
    } finally {
      await slowVerify(harness, 'web-1', false);
    }
  });

  test('by a rekey of the same file: the new value is written again for its new readers', async () => {
    const { example } = harness;
    const { lab, inventory, clone } = example;
    const reader = lab.host(inventory, 'db-1');
    await slowVerify(harness, 'web-1', true);
    try {
      await watched(harness, async (watching) => {
        const id = await harness.start();
        let theirs = '';
        await duringVerify(id, 'web-1', async () => {
          const content = await readSecret(example);
          await pull(example);
          const rules = join(clone, 'secrets', 'prod', 'secrets.nix');
          const text = await readFile(rules, 'utf8');
          await writeFile(rules, text.replace('publicKeys = [', `publicKeys = [\n    "${reader.hostKey}"`));
          const keys = [...text.matchAll(/"((?:age1|ssh-)[^"]+)"/g)].flatMap((m) => (m[1] ? [m[1]] : []));
          const recipients = [...keys, reader.hostKey].flatMap((key) => ['-r', key]);
          await run('age', [...recipients, '-o', join(clone, secretFile)], { input: content });
          theirs = await commit(example, 'Let db-1 read the password, too');
        });
        expect(await ended(harness, id)).toMatchObject({ state: 'done' });
        expect(await bare('rev-parse', 'main^')).toBe(theirs);
        await expectNoFailedLogin(watching);
        const now = await expectRotated(harness, watching.before);
        await pull(example);
        const { stdout } = await run('age', ['-d', '-i', reader.hostKeyFile, join(clone, secretFile)]);
        expect(stdout).toContain(`//${now.role}:${now.password}@`);
      });
    } finally {
      await slowVerify(harness, 'web-1', false);
    }
    // What main would build is not what the hosts run now: the file has other readers.
    await deployMain();
  });
});

describe('someone deploys another system', { timeout: patienceMs }, () => {
  test('on a host before its turn: it is not overwritten, and the rotation asks for a person', async () => {
    const { example } = harness;
    await slowVerify(harness, 'test-vm', true);
    try {
      await watched(harness, async (watching) => {
        const id = await harness.start();
        await duringVerify(id, 'test-vm', async () => {
          await pull(example);
          await relabel('web-1', 'theirs');
          await commit(example, 'Relabel web-1');
          await deploy(example, 'web-1');
        });
        const parked = await ended(harness, id);
        expect(parked).toMatchObject({ state: 'needs-attention', reason: { type: 'HostMoved' } });
        expect(parked.reason?.message).toContain('web-1');
        const { stdout } = await example.lab.ssh('web-1', 'readlink /run/current-system');
        expect(stdout).toContain('theirs');

        await relabel('web-1', '1');
        await commit(example, 'Take the label back');
        await deploy(example, 'web-1');
        await say(harness, 'retry', id);
        expect(await ended(harness, id)).toMatchObject({ state: 'rolled-back' });
        await expectNoFailedLogin(watching);
        await expectUnchanged(harness, watching.before);
      });
    } finally {
      await slowVerify(harness, 'test-vm', false);
    }
  });
});

describe('hosts that build for others', { timeout: patienceMs }, () => {
  test('build what the worker evaluates, for a root login and for one with sudo', async () => {
    const { example } = harness;
    const builders = { 'web-1': 'test-vm', 'web-2': 'web-1' };
    const build = (by: Record<string, string>): Promise<void> =>
      editRotateYaml(example, ({ hosts }) => {
        for (const [name, builder] of Object.entries(by)) hosts[name] = { ...hosts[name], build: builder };
      });
    await build(builders);
    try {
      await watched(harness, async (watching) => {
        const id = await harness.start();
        expect(await ended(harness, id)).toMatchObject({ state: 'done' });
        await expectNoFailedLogin(watching);
        await expectRotated(harness, watching.before);
        for (const [name, builder] of Object.entries(builders)) {
          const system = (await example.lab.ssh(name, 'readlink -f /run/current-system')).stdout.trim();
          // A store path that was copied there would have come from somewhere; a build leaves its derivation's log.
          const { stdout } = await example.lab.ssh(builder, `nix-store -q --deriver ${system}`);
          expect(stdout).toContain(`nixos-system-${name}`);
        }
      });
    } finally {
      await build({ 'web-1': 'worker', 'web-2': 'worker' });
    }
  });
});

test('nothing is left behind by all this', { timeout: patienceMs }, async () => {
  await expectNothingLeftByAll(harness);
});
