/** Other people work on the fleet and its repo while a rotation is under way; and other hosts build. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { appHosts, commit, deploy, parseContent, readSecret } from '../../infra/fleet/example.js';
import { run } from '../../infra/fleet/run.js';
import { expectNoFailedLogin, expectRotated, expectUnchanged, type Watch } from '../e2e/harness.js';
import { holdVerify, onHost, patienceMs, until } from './holds.js';
import {
  editRotateYaml,
  ended,
  expectNothingLeftByAll,
  makeFaultyFleet,
  pull,
  say,
  setPolicy,
  watched,
  type FaultyFleet,
} from './support.js';

let fleet: FaultyFleet;

const secretFile = 'secrets/prod/db-password.age';

beforeAll(async () => {
  fleet = await makeFaultyFleet('changes');
}, patienceMs);

afterAll(async () => {
  await fleet.close();
}, patienceMs);

/** Writes a line of his own into the secret's file, for the readers that it has, as `agenix -e` does. */
async function editSecretFile(line: string): Promise<string> {
  const { example } = fleet;
  const content = await readSecret(example);
  await pull(example);
  const rules = await readFile(join(example.clone, 'secrets', 'prod', 'secrets.nix'), 'utf8');
  const keys = [...rules.matchAll(/"(age1[^"]+|ssh-[^"]+)"/g)].flatMap((m) => ['-r', m[1] ?? '']);
  await run('age', [...keys, '-o', join(example.clone, secretFile)], { input: `${content}${line}\n` });
  return commit(example, `Add ${line}`);
}

/** A rotation that is held in the verification of a host while someone does `work`. */
async function meanwhile(
  host: string,
  work: (id: string) => Promise<void>,
  after: (id: string, watching: Watch) => Promise<void>,
): Promise<void> {
  const held = await holdVerify(fleet.example, host);
  await watched(fleet, async (watching) => {
    try {
      const id = await fleet.start();
      await held.caught();
      await work(id);
      await held.release();
      await after(id, watching);
    } finally {
      await held.release();
    }
  });
}

async function bare(...args: string[]): Promise<string> {
  return (await run('git', args, { cwd: fleet.example.bare })).stdout.trim();
}

describe('main moves on between publish and merge', { timeout: patienceMs }, () => {
  test('by someone’s own work: the ciphertext goes on top of it', async () => {
    const { example } = fleet;
    let theirs = '';
    let branch = '';
    await meanwhile(
      'web-1',
      async (id) => {
        branch = await bare('rev-parse', `refs/heads/rotate/${id}:${secretFile}`);
        await pull(example);
        await writeFile(join(example.clone, 'NOTES'), 'nothing to do with secrets\n');
        theirs = await commit(example, 'Write notes');
      },
      async (id, watching) => {
        expect(await ended(fleet, id)).toMatchObject({ state: 'done' });
        expect(await bare('rev-parse', 'main^')).toBe(theirs);
        expect(await bare('diff', '--name-only', theirs, 'main')).toBe(secretFile);
        expect(await bare('rev-parse', `main:${secretFile}`)).toBe(branch);
        await expectNoFailedLogin(watching);
        await expectRotated(fleet, watching.before);
      },
    );
  });

  test('by a rekey of the same file: the new value is written again for its new readers', async () => {
    const { example } = fleet;
    const { lab, inventory, clone } = example;
    const reader = lab.host(inventory, 'db-1');
    let theirs = '';
    await meanwhile(
      'web-1',
      async () => {
        const content = await readSecret(example);
        await pull(example);
        const rules = join(clone, 'secrets', 'prod', 'secrets.nix');
        const text = await readFile(rules, 'utf8');
        await writeFile(rules, text.replace('publicKeys = [', `publicKeys = [\n    "${reader.hostKey}"`));
        const keys = [...text.matchAll(/"(age1[^"]+|ssh-[^"]+)"/g)].map((m) => m[1] ?? '');
        const recipients = [...keys, reader.hostKey].flatMap((key) => ['-r', key]);
        await run('age', [...recipients, '-o', join(clone, secretFile)], { input: content });
        theirs = await commit(example, 'Let db-1 read the password, too');
      },
      async (id, watching) => {
        expect(await ended(fleet, id)).toMatchObject({ state: 'done' });
        expect(await bare('rev-parse', 'main^')).toBe(theirs);
        await expectNoFailedLogin(watching);
        const now = await expectRotated(fleet, watching.before);
        await pull(example);
        const opened = await run('age', ['-d', '-i', reader.hostKeyFile, join(clone, secretFile)]);
        expect(parseContent(opened.stdout)).toEqual(now);
      },
    );
    // What main would build is not what the hosts run now: the file has other readers.
    await deploy(example, ...appHosts);
  });
});

describe('someone changes another value of the file', { timeout: patienceMs }, () => {
  test('before the merge: a rollback takes only the new value back', async () => {
    const { example } = fleet;
    await setPolicy(example, { soak: '1h' });
    try {
      await meanwhile(
        'web-1',
        async () => {
          await editSecretFile('THEIRS=before');
        },
        async (id, watching) => {
          await until('the merge', async () => (await bare('log', '-1', '--format=%B', 'main')).includes(id));
          await say(fleet, 'rollback', id);
          expect(await ended(fleet, id)).toMatchObject({ state: 'rolled-back' });
          await expectNoFailedLogin(watching);
          await expectUnchanged(fleet, watching.before);
          expect((await readSecret(example)).split('\n')).toContain('THEIRS=before');
        },
      );
    } finally {
      await setPolicy(example, { soak: 0 });
    }
    // It was not deployed by whoever wrote it.
    await deploy(example, ...appHosts);
  });

  test('after the merge, and deploys it: the host keeps that, with the old value', async () => {
    const { example } = fleet;
    await setPolicy(example, { soak: '1h' });
    try {
      await watched(fleet, async (watching) => {
        const id = await fleet.start();
        await until('the merge', async () => (await bare('log', '-1', '--format=%B', 'main')).includes(id));
        await editSecretFile('THEIRS=after');
        await deploy(example, 'web-1');
        await say(fleet, 'rollback', id);
        expect(await ended(fleet, id)).toMatchObject({ state: 'rolled-back' });
        await expectNoFailedLogin(watching);
        await expectUnchanged(fleet, watching.before);
        const installed = await onHost(example, 'web-1', 'cat /run/agenix/db-password');
        expect(installed.stdout).toBe(await readSecret(example));
        expect(installed.stdout.split('\n')).toContain('THEIRS=after');
      });
    } finally {
      await setPolicy(example, { soak: 0 });
    }
    await deploy(example, ...appHosts);
  });
});

describe('someone deploys another system on a host', { timeout: patienceMs }, () => {
  /** Puts another label on web-1's system, on top of main, and deploys that. */
  async function deployTheirs(): Promise<void> {
    const { example } = fleet;
    await pull(example);
    const file = join(example.clone, 'hosts.json');
    const hosts: Record<string, { label?: string }> = JSON.parse(await readFile(file, 'utf8'));
    const label = `theirs-${Number(hosts['web-1']?.label?.split('-')[1] ?? '0') + 1}`;
    hosts['web-1'] = { ...hosts['web-1'], label };
    await writeFile(file, `${JSON.stringify(hosts, null, 2)}\n`);
    await commit(example, `Relabel web-1: ${label}`);
    await deploy(example, 'web-1');
    expect(await systemOf('web-1')).toContain(label);
  }

  async function systemOf(host: string): Promise<string> {
    return (await fleet.example.lab.ssh(host, 'readlink -f /run/current-system')).stdout.trim();
  }

  test('before its turn: it is left as it is, and the rotation is rolled back', async () => {
    let theirs = '';
    await meanwhile(
      'test-vm',
      async () => {
        await deployTheirs();
        theirs = await systemOf('web-1');
      },
      async (id, watching) => {
        expect(await ended(fleet, id)).toMatchObject({
          state: 'rolled-back',
          reason: { type: 'HostMoved', message: expect.stringContaining('web-1') },
        });
        expect(await systemOf('web-1')).toBe(theirs);
        await expectNoFailedLogin(watching);
        await expectUnchanged(fleet, watching.before);
      },
    );
  });

  test('in the soak, from main with the new value: a rollback takes only that value back', async () => {
    await setPolicy(fleet.example, { soak: '1h' });
    try {
      await watched(fleet, async (watching) => {
        const id = await fleet.start();
        await until('the merge', async () => (await bare('log', '-1', '--format=%B', 'main')).includes(id));
        await deployTheirs();
        const theirs = await systemOf('web-1');
        await say(fleet, 'rollback', id);
        expect(await ended(fleet, id)).toMatchObject({ state: 'rolled-back' });
        await expectNoFailedLogin(watching);
        await expectUnchanged(fleet, watching.before);
        const now = await systemOf('web-1');
        expect(now).not.toBe(theirs);
        expect(now.split('-nixos-system-')[1]).toBe(theirs.split('-nixos-system-')[1]);
      });
    } finally {
      await setPolicy(fleet.example, { soak: 0 });
    }
  });
});

describe('hosts that build for others', { timeout: patienceMs }, () => {
  test('build what the worker evaluates, for a root login and for one with sudo', async () => {
    const { example } = fleet;
    const builders = { 'web-1': 'test-vm', 'web-2': 'web-1' };
    await editRotateYaml(example, ({ hosts }) => {
      for (const [name, build] of Object.entries(builders)) hosts[name] = { ...hosts[name], build };
    });
    await watched(fleet, async (watching) => {
      const id = await fleet.start();
      expect(await ended(fleet, id)).toMatchObject({ state: 'done' });
      await expectNoFailedLogin(watching);
      await expectRotated(fleet, watching.before);
      for (const [name, builder] of Object.entries(builders)) {
        const { stdout } = await example.lab.ssh(name, 'readlink -f /run/current-system');
        const there = await example.lab.ssh(builder, `nix-store -q --deriver ${stdout.trim()}`);
        expect(there.stdout).toContain(`nixos-system-${name}`);
      }
    });
  });
});

test('nothing is left behind by all this', { timeout: patienceMs }, async () => {
  await expectNothingLeftByAll(fleet);
});
