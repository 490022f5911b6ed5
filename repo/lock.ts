/**
 * One at a time over a folder: a queue inside this process and a lock file across
 * processes. Git protects its own refs, so the lock is there to order work, not to
 * keep data whole: a holder that died or stands still loses it.
 */
import { randomUUID } from 'node:crypto';
import { link, readFile, readlink, rename, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { RotateError } from '../domain/failure.js';

/** A holder that has not touched its lock for so long is taken for gone (it may be frozen). */
const silentMs = 60_000;
const touchMs = 5_000;
const pollMs = 50;

interface Holder {
  token: string;
  host: string;
  pid: number;
  /** Tell a process from a later one with the same pid; absent where there is no /proc. */
  boot?: string;
  namespace?: string;
  start?: string;
}

const queues = new Map<string, Promise<void>>();

/**
 * Runs `work` while holding `file`.
 * @param options.timeoutMs how long to wait for another process
 * @throws RotateError GitConflict when another process still holds it after that; the signal's reason
 */
export async function withLock<T>(
  file: string,
  work: () => Promise<T>,
  options: { timeoutMs?: number; signal?: AbortSignal } = {},
): Promise<T> {
  const before = queues.get(file) ?? Promise.resolve();
  let release = () => {};
  const done = new Promise<void>((resolve) => {
    release = resolve;
  });
  const mine = before.then(() => done);
  queues.set(file, mine);
  try {
    await aborted(before, options.signal);
    const holder = await acquire(file, options.timeoutMs ?? 120_000, options.signal);
    const touching = setInterval(() => void touch(file, () => clearInterval(touching)), touchMs);
    touching.unref();
    try {
      return await work();
    } finally {
      clearInterval(touching);
      await giveUp(file, holder);
    }
  } finally {
    release();
    if (queues.get(file) === mine) queues.delete(file);
  }
}

/** `promise`, or the signal's reason when that comes first. */
async function aborted(promise: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return promise;
  signal.throwIfAborted();
  let stop = () => {};
  const abort = new Promise<void>((resolve) => {
    stop = resolve;
    signal.addEventListener('abort', stop, { once: true });
  });
  await Promise.race([promise, abort]);
  signal.removeEventListener('abort', stop);
  signal.throwIfAborted();
}

async function acquire(file: string, timeoutMs: number, signal: AbortSignal | undefined): Promise<Holder> {
  const me = await self();
  const draft = `${file}.${me.token}`;
  await writeFile(draft, JSON.stringify(me), { flag: 'wx', mode: 0o600 });
  try {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      signal?.throwIfAborted();
      // a link appears with its content, so that nobody sees a half-written lock
      if (await unless('EEXIST', () => link(draft, file))) return me;
      const other = await readHolder(file);
      if (other !== undefined && (await isGone(file, other, me))) {
        await breakLock(file, other, me);
        continue;
      }
      if (performance.now() > deadline)
        throw new RotateError('GitConflict', `${file} is held by process ${other?.pid ?? '?'}`, {
          hint: 'another rotate works on this clone; it is tried again',
        });
      await sleep(pollMs);
    }
  } finally {
    await unlink(draft);
  }
}

async function self(): Promise<Holder> {
  const [boot, namespace, start] = await Promise.all([
    bootId(),
    readlink('/proc/self/ns/pid').catch(missing),
    startOf(process.pid),
  ]);
  return {
    token: randomUUID(),
    host: hostname(),
    pid: process.pid,
    ...(boot === undefined ? {} : { boot }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(start === undefined ? {} : { start }),
  };
}

/** The kernel's id of this boot, where it has one. */
export async function bootId(): Promise<string | undefined> {
  const text = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(missing);
  return text?.trim();
}

/** When the process started, in the kernel's ticks; undefined when there is none, or no /proc. */
async function startOf(pid: number): Promise<string | undefined> {
  const line = await readFile(`/proc/${pid}/stat`, 'utf8').catch(missing);
  // the second field is the program's name in brackets, and may hold anything
  return line?.slice(line.lastIndexOf(')') + 2).split(' ')[19];
}

async function isGone(file: string, other: Holder, me: Holder): Promise<boolean> {
  const silence = await stat(file).then(({ mtimeMs }) => Date.now() - mtimeMs, missing);
  if (silence === undefined) return false;
  if (silence > silentMs) return true;
  if (other.host !== me.host) return false;
  if (other.boot !== me.boot) return true;
  if (other.namespace !== me.namespace) return false;
  if (me.start !== undefined) return (await startOf(other.pid)) !== other.start;
  try {
    process.kill(other.pid, 0);
    return false;
  } catch (error) {
    return code(error) === 'ESRCH';
  }
}

/** Takes the lock of `gone` away, and no other's: whoever was quicker gets his back. */
async function breakLock(file: string, gone: Holder, me: Holder): Promise<void> {
  const aside = `${file}.broken.${me.token}`;
  if (!(await unless('ENOENT', () => rename(file, aside)))) return;
  const taken = await readHolder(aside);
  if (taken?.token !== gone.token) await unless('EEXIST', () => link(aside, file));
  await unlink(aside);
}

async function giveUp(file: string, me: Holder): Promise<void> {
  const holder = await readHolder(file);
  if (holder?.token === me.token) await unless('ENOENT', () => unlink(file));
}

/** A lock that cannot be kept alive falls to the next who wants it, which is no reason to fail the work. */
async function touch(file: string, stop: () => void): Promise<void> {
  const now = new Date();
  await utimes(file, now, now).catch(stop);
}

async function readHolder(file: string): Promise<Holder | undefined> {
  const text = await readFile(file, 'utf8').catch(missing);
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (isHolder(value)) return value;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  // not written by us: gone once it is silent
  return { token: text, host: '', pid: 0 };
}

function isHolder(value: unknown): value is Holder {
  return (
    typeof value === 'object' &&
    value !== null &&
    'token' in value &&
    typeof value.token === 'string' &&
    'host' in value &&
    typeof value.host === 'string' &&
    'pid' in value &&
    typeof value.pid === 'number'
  );
}

/** Whether `act` succeeded, rather than failed with `expected`. */
async function unless(expected: string, act: () => Promise<void>): Promise<boolean> {
  try {
    await act();
    return true;
  } catch (error) {
    if (code(error) === expected) return false;
    throw error;
  }
}

/** For what may be absent. */
function missing(error: unknown): undefined {
  const reason = code(error);
  if (reason === 'ENOENT' || reason === 'ENOTDIR' || reason === 'ESRCH') return undefined;
  throw error;
}

function code(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
