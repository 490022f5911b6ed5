/**
 * Runs the programs that worker.yaml declares under `commands`. They are handed a plaintext by standard input, so
 * they get little environment, no shell, and a process group that ends with them.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { CommandsPort } from '../activities/ports.js';
import type { WorkerSpec } from '../config/worker-yaml.js';
import { RotateError } from '../domain/failure.js';
import { systemReason } from '../domain/system-error.js';
import type { CommandResult } from '../kinds/kind.js';

/** Of the worker's own environment: how to find programs, certificates and proxies, and nothing that lets anyone in. */
const passed = /^(PATH|HOME|TMPDIR|SSL_CERT_FILE|SSL_CERT_DIR|NIX_SSL_CERT_FILE|(https?|no|all)_proxy)$/;

/** Of each stream; what comes later is dropped. */
const maxOutputBytes = 4 * 1024;
/** Between TERM and KILL. */
const graceMs = 2_000;

type Commands = WorkerSpec['commands'];

export function declaredCommands(commands: Commands, environment: NodeJS.ProcessEnv): CommandsPort {
  const kept = Object.entries(environment).filter(([key]) => passed.test(key));
  const env = { ...Object.fromEntries(kept), LC_ALL: 'C' };
  const names = Object.keys(commands);
  return {
    names,
    async run(name, input, signal) {
      const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
      if (command === undefined)
        throw new RotateError('BadConfig', `worker.yaml has no command \`${name}\``, {
          hint: `declare it under \`commands\` in worker.yaml, and start the worker again; it has: ${names.join(', ') || 'none'}`,
        });
      return runCommand(name, command, input, env, signal);
    },
  };
}

async function runCommand(
  name: string,
  { argv, timeoutMs }: Commands[string],
  input: Uint8Array,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<CommandResult> {
  signal.throwIfAborted();
  const [file = '', ...args] = argv;
  const child = spawn(file, args, { cwd: '/', env, stdio: 'pipe', detached: true });
  const stdout = gather();
  const stderr = gather();
  child.stdout.on('data', stdout.add);
  child.stderr.on('data', stderr.add);
  // One that ends without reading its input is judged by its exit code.
  child.stdin.on('error', () => undefined);
  child.stdin.end(Buffer.from(input));
  let stopped: unknown;
  let kill: NodeJS.Timeout | undefined;
  let giveUp: (reason: unknown) => void = () => undefined;
  const stop = (reason: unknown): void => {
    if (stopped !== undefined) return;
    stopped = reason;
    killGroup(child.pid, 'SIGTERM');
    kill = setTimeout(() => {
      killGroup(child.pid, 'SIGKILL');
      giveUp(reason);
    }, graceMs);
  };
  const limit = setTimeout(
    () =>
      stop(
        new RotateError(
          'Timeout',
          `the command \`${name}\` on the worker did not end within ${timeoutMs / 1000} s`,
          { hint: `run it by hand to see why, or raise \`commands.${name}.timeout\` in worker.yaml` },
        ),
      ),
    timeoutMs,
  );
  const aborted = (): void => stop(signal.reason);
  signal.addEventListener('abort', aborted, { once: true });
  try {
    const code = await new Promise<number>((resolve, reject) => {
      giveUp = reject;
      child.once('error', reject);
      child.once('exit', (exit, killedBy) => {
        const ended = exit ?? 128 + (killedBy === null ? 0 : constants.signals[killedBy]);
        child.once('close', () => resolve(ended));
        // What it has left behind must neither keep the value nor hold the output open.
        killGroup(child.pid, 'SIGKILL');
        setTimeout(() => resolve(ended), 1_000);
      });
    });
    if (stopped !== undefined) throw stopped;
    return { code, stdout: stdout.text(), stderr: stderr.text() };
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && 'syscall' in error)) throw error;
    throw new RotateError(
      'BadConfig',
      `the command \`${name}\` of worker.yaml cannot be run: ${systemReason(error)}`,
      { hint: `put ${file} there, executable and on the worker's PATH, or correct \`commands.${name}\`` },
    );
  } finally {
    clearTimeout(limit);
    clearTimeout(kill);
    child.stdout.destroy();
    child.stderr.destroy();
    signal.removeEventListener('abort', aborted);
  }
}

function gather(): { add: (chunk: Buffer) => void; text: () => string } {
  let kept = Buffer.alloc(0);
  return {
    add: (chunk) => {
      if (kept.length < maxOutputBytes) kept = Buffer.concat([kept, chunk]).subarray(0, maxOutputBytes);
    },
    text: () => kept.toString('utf8'),
  };
}

/** The program is the leader of its group, so what it has started goes with it. */
function killGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // It has ended meanwhile (ESRCH), or become another user (EPERM): then it ends by itself.
    const known =
      error instanceof Error && 'code' in error && ['ESRCH', 'EPERM'].includes(String(error.code));
    if (!known) throw error;
  }
}
