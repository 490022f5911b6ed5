/** Runs programs for the demo and the end-to-end tests. */
import { spawn } from 'node:child_process';

export interface RunResult {
  code: number;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  input?: string;
  /** Called with each piece of output. */
  onOutput?: (text: string) => void;
  /** Exit codes that are no error; default only 0. `any`: all. */
  accept?: readonly number[] | 'any';
  timeoutMs?: number;
}

/** @throws Error with the last lines of what it said, when it ends with another code than is accepted */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(options.timeoutMs === undefined
      ? {}
      : { timeout: options.timeoutMs, killSignal: 'SIGKILL' as const }),
  });
  const out: string[] = [];
  const err: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out.push(text);
    options.onOutput?.(text);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err.push(text);
    options.onOutput?.(text);
  });
  // A program that does not read its input to the end is no error of ours.
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  const code = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => resolve(status ?? (signal === null ? 1 : 137)));
  });
  const accept = options.accept ?? [0];
  if (accept !== 'any' && !accept.includes(code)) {
    const said = `${out.join('')}\n${err.join('')}`.trim().split('\n').slice(-15).join('\n');
    throw new Error(`${command} ${args.slice(0, 4).join(' ')} ended with ${code}:\n${said}`);
  }
  return { code, stdout: out.join(''), stderr: err.join('') };
}
