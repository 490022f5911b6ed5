/** The process that starts git for a worker. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';

import { gitAt, gitEnvironment } from '../../repo/git.js';
import { runGitProcess, type GitProcess } from '../../repo/git-process.js';
import { makeGitLauncher, type GitLauncher } from '../../worker/git-launcher.js';

const program = join(import.meta.dirname, '../../worker/git-launcher-process.ts');
const fromSources = ['--import', join(import.meta.dirname, '../support/resolve-sources.mjs')];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rotate-launcher-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

let launcher: GitLauncher;
beforeEach(() => {
  launcher = makeGitLauncher(program, fromSources);
});
afterEach(() => launcher.close());

const env = { PATH: process.env['PATH'] ?? '' };
const hash: GitProcess = {
  args: ['hash-object', '--stdin'],
  cwd: '/',
  env,
  input: Uint8Array.from([0, 255, 10, 13]),
  timeoutMs: 30_000,
};

/** A git that says its process id, and that of its parent, and does not end by itself. */
function hangingGit(): GitProcess & { said: string } {
  const bin = mkdtempSync(join(folder, 'bin-'));
  const said = join(bin, 'said');
  writeFileSync(
    join(bin, 'git'),
    `#!/bin/sh\necho $$ $PPID > ${said}.new\nmv ${said}.new ${said}\nsleep 600\n`,
  );
  chmodSync(join(bin, 'git'), 0o755);
  return { args: [], env: { PATH: `${bin}:${env.PATH}` }, timeoutMs: 60_000, said };
}

async function pidsOf(said: string): Promise<{ git: number; parent: number }> {
  await expect.poll(() => existsSync(said), { timeout: 20_000 }).toBe(true);
  const [git = 0, parent = 0] = readFileSync(said, 'utf8').split(' ').map(Number);
  return { git, parent };
}

/** A zombie is no life: who has to wait for it may be slow. */
function lives(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

test('what comes of a run is what comes of it here', async () => {
  for (const run of [hash, { ...hash, args: ['no-such-command'] }, { ...hash, env: { PATH: folder } }]) {
    const end = await launcher.run(run);
    expect(end).toStrictEqual(await runGitProcess(run));
    expect(Buffer.isBuffer(end.stdout)).toBe(true);
  }
});

test('many run at once, each with its own answer', async () => {
  const inputs = Array.from({ length: 20 }, (_, i) => `number ${i}`);
  const ends = await Promise.all(inputs.map((input) => launcher.run({ ...hash, input })));
  const alone = await Promise.all(inputs.map((input) => runGitProcess({ ...hash, input })));
  expect(ends.map(({ stdout }) => stdout.toString())).toEqual(alone.map(({ stdout }) => stdout.toString()));
});

test('git fails by it as it fails by itself', async () => {
  const git = gitAt({ environment: gitEnvironment(process.env), cwd: folder, runProcess: launcher.run });
  await expect(git({ args: ['cat-file', '-p', 'HEAD'] })).rejects.toMatchObject({ type: 'GitFailed' });
  const without = gitAt({ environment: { PATH: folder }, cwd: folder, runProcess: launcher.run });
  await expect(without({ args: ['version'] })).rejects.toMatchObject({
    type: 'GitFailed',
    message: expect.stringContaining('could not be started') as unknown,
  });
});

test('who gives up ends git, and all that it has started', async () => {
  const { said, ...run } = hangingGit();
  const given = new AbortController();
  const ended = launcher.run(run, given.signal);
  const { git } = await pidsOf(said);
  given.abort();
  expect(await ended).toMatchObject({ killedBy: 'SIGTERM', timedOut: false });
  expect(lives(git)).toBe(false);
});

test('the time of a run runs out there, too', async () => {
  const { said: _, ...run } = hangingGit();
  expect(await launcher.run({ ...run, timeoutMs: 300 })).toMatchObject({ timedOut: true });
});

test('a launcher that is killed fails what it ran, and the next run starts another', async () => {
  const { said, ...run } = hangingGit();
  const ended = launcher.run(run);
  const { git, parent } = await pidsOf(said);
  try {
    expect(parent).not.toBe(process.pid);
    process.kill(parent, 'SIGKILL');
    expect(await ended).toMatchObject({ code: null, killedBy: 'SIGKILL' });
    expect(await launcher.run(hash)).toMatchObject({ code: 0 });
  } finally {
    process.kill(-git, 'SIGKILL');
  }
});

test('a program that cannot be run says so', async () => {
  const none = makeGitLauncher(join(folder, 'no-such-program.js'));
  expect(await none.run(hash)).toMatchObject({ code: null });
  none.close();
});

test('it ends with who uses it, and not by the signals that end that', async () => {
  const { said, ...run } = hangingGit();
  const ended = launcher.run(run);
  const { git, parent } = await pidsOf(said);
  try {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(parent, signal);
    await sleep(200);
    expect(await launcher.run(hash)).toMatchObject({ code: 0 });
    launcher.close();
    await expect.poll(() => lives(parent), { timeout: 20_000 }).toBe(false);
    // As when a worker dies: what it has begun goes on.
    expect(lives(git)).toBe(true);
    expect(await ended).toMatchObject({ code: null });
  } finally {
    process.kill(-git, 'SIGKILL');
  }
});
