/** Runs a program of Nix on the worker: little environment, a group of its own that dies with it, output as it comes. */
import { spawn } from 'node:child_process';
import { RotateError } from '../../domain/failure.js';

export interface Progress {
  /** Ends the program and all that it started. */
  signal?: AbortSignal;
  /** Called at least every 5 s while it runs. */
  heartbeat?: (note: string) => void;
  /** What it prints on standard error, in pieces. Not for keeping: it is not redacted. */
  onOutput?: (text: string) => void;
}

export interface ProgramResult {
  code: number;
  stdout: string;
  /** The last 16 KiB of standard error. */
  stderr: string;
}

/** What Nix, git and ssh need to know of the worker's environment. Everything else stays out. */
const passed =
  /^(NIX_.*|PATH|HOME|USER|LOGNAME|TMPDIR|SSH_AUTH_SOCK|XDG_CACHE_HOME|SSL_CERT_FILE|https?_proxy|no_proxy|all_proxy)$/;

/** The part of `environment` that programs of Nix are given. */
export function nixEnvironment(
  environment: NodeJS.ProcessEnv,
  extra: Record<string, string> = {},
): NodeJS.ProcessEnv {
  const kept = Object.entries(environment).filter(([key]) => passed.test(key));
  return { ...Object.fromEntries(kept), LC_ALL: 'C', ...extra };
}

/**
 * @throws RotateError BadConfig when the program is not there; Timeout; when `signal` aborts: its reason
 */
export async function runProgram(
  file: string,
  args: readonly string[],
  options: Progress & { cwd: string; env: NodeJS.ProcessEnv; timeoutMs: number },
): Promise<ProgramResult> {
  const { signal, heartbeat, onOutput, timeoutMs } = options;
  signal?.throwIfAborted();
  const child = spawn(file, [...args], {
    cwd: options.cwd,
    env: options.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const stdout: Buffer[] = [];
  let stderr = Buffer.alloc(0);
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = Buffer.concat([stderr, chunk]).subarray(-16 * 1024);
    onOutput?.(chunk.toString('utf8'));
  });
  let stopped: unknown;
  let kill: NodeJS.Timeout | undefined;
  const stop = (reason: unknown) => {
    if (stopped !== undefined) return;
    stopped = reason;
    killGroup(child.pid, 'SIGTERM');
    kill = setTimeout(() => killGroup(child.pid, 'SIGKILL'), 5_000);
  };
  const limit = setTimeout(
    () =>
      stop(
        new RotateError('Timeout', `${file} ${args[0] ?? ''} did not end within ${timeoutMs / 1000} s`, {
          hint: 'see what the worker, and who builds for it, are busy with',
        }),
      ),
    timeoutMs,
  );
  const beat = setInterval(() => heartbeat?.(`running ${file} ${args[0] ?? ''}`), 5_000);
  const aborted = () => stop(signal?.reason);
  signal?.addEventListener('abort', aborted, { once: true });
  try {
    const code = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (exit) => resolve(exit ?? 128));
      // A shared ssh connection that it leaves behind may hold its output open.
      child.once('exit', (exit) => setTimeout(() => resolve(exit ?? 128), 1_000));
    });
    if (stopped !== undefined) throw stopped;
    return { code, stdout: Buffer.concat(stdout).toString('utf8'), stderr: stderr.toString('utf8') };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      throw new RotateError('BadConfig', `${file} is not on the worker's PATH`, {
        hint: 'install Nix (and nixos-rebuild, package nixos-rebuild-ng) where the worker runs',
        cause: error,
      });
    throw error;
  } finally {
    clearTimeout(limit);
    clearTimeout(kill);
    clearInterval(beat);
    child.stdout.destroy();
    child.stderr.destroy();
    signal?.removeEventListener('abort', aborted);
  }
}

/** The program is the leader of its group, so its builders and ssh go with it. */
function killGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // It has ended meanwhile.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
