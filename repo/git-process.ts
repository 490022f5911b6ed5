/**
 * One run of git as a process: a group of its own, which is killed as a whole when the time runs out or the caller
 * gives up. What goes in and what comes out is plain data, so that another process can do it. Imports nothing of ours.
 */
import { spawn } from 'node:child_process';

export interface GitProcess {
  args: readonly string[];
  cwd?: string;
  /** All of it: nothing is inherited. */
  env: Readonly<Record<string, string>>;
  /** Standard input. */
  input?: Uint8Array | string;
  timeoutMs: number;
}

export interface GitEnd {
  code: number | null;
  killedBy: NodeJS.Signals | null;
  timedOut: boolean;
  stdout: Buffer;
  /** The last 64 KiB. */
  stderr: string;
  /** It printed more than {@link maxOutput}, and was killed for it. */
  tooMuch: boolean;
  /** Why there was no process. */
  notStarted?: string;
  /** Why its input could not be written; that it did not read it to its end is none. */
  inputError?: string;
}

/** Never rejects. `signal` kills it. */
export type RunGitProcess = (run: GitProcess, signal?: AbortSignal) => Promise<GitEnd>;

export const maxOutput = 512 * 1024 * 1024;
const killGraceMs = 2_000;
const pipeGraceMs = 1_000;

export const runGitProcess: RunGitProcess = (run, signal) =>
  new Promise((resolve) => {
    const options = {
      ...(run.cwd === undefined ? {} : { cwd: run.cwd }),
      env: run.env,
      // a group of its own, so that ssh and index-pack die with it; no terminal to prompt on
      detached: true,
    };
    const child =
      run.input === undefined
        ? spawn('git', run.args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
        : spawn('git', run.args, { ...options, stdio: ['pipe', 'pipe', 'pipe'] });
    const out: Buffer[] = [];
    let size = 0;
    let stderr = '';
    let timedOut = false;
    let inputError: string | undefined;
    let killTimer: NodeJS.Timeout | undefined;
    let pipeTimer: NodeJS.Timeout | undefined;

    const kill = () => {
      if (killTimer !== undefined) return;
      signalGroup(child.pid, 'SIGTERM');
      killTimer = setTimeout(() => signalGroup(child.pid, 'SIGKILL'), killGraceMs);
    };
    const timer = setTimeout(() => {
      timedOut = true;
      kill();
    }, run.timeoutMs);
    if (signal?.aborted === true) kill();
    signal?.addEventListener('abort', kill, { once: true });

    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxOutput) out.push(chunk);
      else kill();
    });
    child.stderr.setEncoding('utf8');
    child.stderr.on('data', (text: string) => {
      // the end says why
      stderr = (stderr + text).slice(-64 * 1024);
    });
    // a git that ends without reading its input says why by its exit code
    child.stdin?.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'ECONNRESET') inputError ??= error.message;
    });
    child.stdin?.end(run.input);

    const end = (how: Pick<GitEnd, 'code' | 'killedBy' | 'notStarted'>) => {
      clearTimeout(timer);
      clearTimeout(killTimer);
      clearTimeout(pipeTimer);
      signal?.removeEventListener('abort', kill);
      resolve({
        ...how,
        timedOut,
        stdout: Buffer.concat(out),
        stderr,
        tooMuch: size > maxOutput,
        ...(inputError === undefined ? {} : { inputError }),
      });
    };
    child.on('error', ({ message }) => end({ code: null, killedBy: null, notStarted: message }));
    // a daemon that git started (a credential cache, an ssh master) may keep the pipes open
    child.on('exit', () => {
      // what it started may have outlived the first signal
      if (killTimer !== undefined) signalGroup(child.pid, 'SIGKILL');
      pipeTimer = setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
      }, pipeGraceMs);
    });
    child.on('close', (code, killedBy) => end({ code, killedBy }));
  });

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // ESRCH: it has ended by itself
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
