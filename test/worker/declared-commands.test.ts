/** Programs that worker.yaml declares, as real processes: what they are given, and how they end. */
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { declaredCommands } from '../../worker/declared-commands.js';

const environment = {
  PATH: process.env['PATH'],
  HOME: '/root',
  https_proxy: 'http://proxy:3128',
  SSH_AUTH_SOCK: '/run/agent',
  CREDENTIALS_DIRECTORY: '/run/credentials/rotate',
  TEMPORAL_API_KEY: 'hunter2',
};
const input = new TextEncoder().encode('the-value');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rotate-commands-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true });
});

function run(argv: string[], options: { timeoutMs?: number; signal?: AbortSignal; input?: Uint8Array } = {}) {
  const { timeoutMs = 10_000, signal = new AbortController().signal } = options;
  return declaredCommands({ it: { argv, timeoutMs } }, environment).run('it', options.input ?? input, signal);
}
const shell = (script: string, options = {}) => run(['/bin/sh', '-c', script, 'it'], options);

async function isAlive(pid: string): Promise<boolean> {
  const stat = await readFile(`/proc/${pid.trim()}/stat`, 'utf8').catch(() => '');
  return stat !== '' && !/\) Z /.test(stat);
}

describe('a command gets', () => {
  test('the value on its standard input, and nothing after it', async () => {
    expect(await run(['cat'])).toEqual({ code: 0, stdout: 'the-value', stderr: '' });
  });

  test('of the environment only what it cannot do without', async () => {
    const { stdout } = await run(['env']);
    expect(stdout.trim().split('\n').toSorted()).toEqual([
      'HOME=/root',
      'LC_ALL=C',
      `PATH=${process.env['PATH']}`,
      'https_proxy=http://proxy:3128',
    ]);
  });

  test('its arguments as they are, without a shell, in the root folder', async () => {
    expect((await run(['printf', '%s|', '$(id)', '*', 'a b'])).stdout).toBe('$(id)|*|a b|');
    expect((await run(['pwd'])).stdout).toBe('/\n');
  });
});

describe('what it says is', () => {
  test('its exit code, and the first 4 KiB of each stream', async () => {
    const { code, stdout, stderr } = await shell(
      'yes out | head -c 1000000; yes err | head -c 5000 >&2; exit 7',
    );
    expect(code).toBe(7);
    expect(stdout).toHaveLength(4096);
    expect(stderr).toHaveLength(4096);
  });

  test('128 and the number of the signal that has ended it', async () => {
    expect((await shell('kill -KILL $$')).code).toBe(137);
  });

  test('taken as it is when it does not read its input', async () => {
    expect((await shell('exit 3', { input: new Uint8Array(1_000_000) })).code).toBe(3);
  });
});

describe('it is ended', () => {
  const hanging = (pids: string): string =>
    `trap '' TERM; sleep 60 & echo $! >${pids}; echo $$ >>${pids}; wait; wait`;

  async function expectGone(pids: string): Promise<void> {
    const all = (await readFile(pids, 'utf8')).trim().split('\n');
    expect(all).toHaveLength(2);
    await vi.waitFor(async () => {
      for (const pid of all) expect(await isAlive(pid)).toBe(false);
    });
  }

  test('with all that it has started, when its time is over', async () => {
    const pids = join(folder, 'slow');
    await expect(shell(hanging(pids), { timeoutMs: 500 })).rejects.toMatchObject({
      type: 'Timeout',
      message: 'the command `it` on the worker did not end within 0.5 s',
    });
    await expectGone(pids);
  });

  test('when the attempt is given up', async () => {
    const pids = join(folder, 'cancelled');
    const controller = new AbortController();
    const running = shell(hanging(pids), { signal: controller.signal });
    await vi.waitFor(async () => expect((await readFile(pids, 'utf8')).trim().split('\n')).toHaveLength(2));
    controller.abort(new Error('cancelled'));
    await expect(running).rejects.toThrow('cancelled');
    await expectGone(pids);
  });

  test('and so is what it has left behind', async () => {
    const pids = join(folder, 'left');
    expect((await shell(`sleep 60 & echo $! >${pids}; echo done`)).stdout).toBe('done\n');
    await vi.waitFor(async () => expect(await isAlive(await readFile(pids, 'utf8'))).toBe(false));
  });

  test('before it is begun, when the attempt is given up already', async () => {
    const mark = join(folder, 'mark');
    await expect(
      shell(`touch ${mark}`, { signal: AbortSignal.abort(new Error('cancelled')) }),
    ).rejects.toThrow('cancelled');
    await expect(readFile(mark)).rejects.toThrow('ENOENT');
  });
});

describe('it is told', () => {
  test.each(['other', 'constructor', '__proto__'])('that worker.yaml has no %s', async (name) => {
    const commands = declaredCommands({ it: { argv: ['true'], timeoutMs: 1 } }, environment);
    expect(commands.names).toEqual(['it']);
    await expect(commands.run(name, input, new AbortController().signal)).rejects.toMatchObject({
      type: 'BadConfig',
      message: `worker.yaml has no command \`${name}\``,
      hint: 'declare it under `commands` in worker.yaml, and start the worker again; it has: it',
    });
  });

  test('that a program is not there, or may not be run', async () => {
    await expect(run(['/no/such'])).rejects.toMatchObject({
      type: 'BadConfig',
      message: 'the command `it` of worker.yaml cannot be run: there is no such file (ENOENT)',
      hint: "put /no/such there, executable and on the worker's PATH, or correct `commands.it`",
    });
    const plain = join(folder, 'plain');
    await writeFile(plain, '#!/bin/sh\n');
    await chmod(plain, 0o644);
    await expect(run([plain])).rejects.toMatchObject({ type: 'BadConfig' });
  });
});
