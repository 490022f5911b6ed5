import { spawn } from 'node:child_process';
import { readdir, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { withLock } from '../../repo/lock.js';
import { temporaryFolder, typeScript } from './fixtures.js';

async function lockFile(): Promise<{ folder: string; file: string }> {
  const folder = await temporaryFolder();
  return { folder, file: join(folder, 'x.lock') };
}

test('lets one work at a time and leaves nothing behind', async () => {
  const { folder, file } = await lockFile();
  let inside = 0;
  let most = 0;
  const work = async () => {
    inside += 1;
    most = Math.max(most, inside);
    await new Promise((resolve) => setImmediate(resolve));
    inside -= 1;
  };
  await Promise.all(Array.from({ length: 20 }, () => withLock(file, work)));
  expect(most).toBe(1);
  expect(await readdir(folder)).toEqual([]);
});

test('work that fails gives the lock back', async () => {
  const { file } = await lockFile();
  await expect(withLock(file, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await withLock(file, async () => 'next')).toBe('next');
});

test('the lock of a process that lives is waited for, and then a conflict', async () => {
  const { folder, file } = await lockFile();
  const script = `
    const { withLock } = await import('./repo/lock.ts');
    await withLock(${JSON.stringify(file)}, () => new Promise((r) => { console.log('held'); setTimeout(r, 60000); }));`;
  const child = spawn(process.execPath, [...typeScript, '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const waiting = withLock(file, async () => 'mine', { timeoutMs: 200 });
    await expect(waiting).rejects.toMatchObject({
      type: 'GitConflict',
      message: expect.stringContaining(`${child.pid}`),
    });
    const stop = new AbortController();
    const aborted = withLock(file, async () => 'mine', { signal: stop.signal });
    const reason = new Error('cancelled');
    setTimeout(() => stop.abort(reason), 50);
    await expect(aborted).rejects.toBe(reason);
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    // killed: the lock is taken over at once
    const taken = await Promise.all(
      [1, 2, 3].map((n) => withLock(file, async () => n, { timeoutMs: 5_000 })),
    );
    expect(taken).toEqual([1, 2, 3]);
    expect(await readdir(folder)).toEqual([]);
  } finally {
    child.kill('SIGKILL');
  }
});

test.each([
  ['of an earlier boot', { token: 'x', host: hostname(), pid: 1, boot: 'other' }, 0],
  [
    'of a process id that was given out again',
    { token: 'x', host: hostname(), pid: process.pid, start: '1' },
    0,
  ],
  ['of a frozen holder on another machine', { token: 'x', host: 'elsewhere', pid: 1 }, 120],
  ['that is no lock of ours', 'garbage', 120],
])('a lock %s is taken over', async (_, content, ageSeconds) => {
  const { folder, file } = await lockFile();
  const { readFile, readlink } = await import('node:fs/promises');
  const here = {
    boot: (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim(),
    namespace: await readlink('/proc/self/ns/pid'),
  };
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify({ ...here, ...content }));
  const then = new Date(Date.now() - ageSeconds * 1000);
  await utimes(file, then, then);
  expect(await withLock(file, async () => 'mine', { timeoutMs: 1_000 })).toBe('mine');
  expect(await readdir(folder)).toEqual([]);
});
