/**
 * Runs the real `git`: arguments as an array, an environment of a few known
 * variables, no hooks, no prompts, no background gc, a timeout on every call, and
 * the whole process group killed when it runs out or the caller gives up.
 */
import { spawn } from 'node:child_process';
import { RotateError } from '../domain/failure.js';
import { gitFailure } from './git-failure.js';

/**
 * Variables that git may see. System and user configuration are read (credential
 * helpers, signing keys and CA files live there); what would surprise is
 * overridden for each call.
 */
const passed = [
  'PATH',
  'HOME',
  'XDG_CONFIG_HOME',
  'GIT_CONFIG_GLOBAL',
  'SSH_AUTH_SOCK',
  'GIT_SSH_COMMAND',
  'GNUPGHOME',
  'SSL_CERT_FILE',
  'NIX_SSL_CERT_FILE',
  'GIT_SSL_CAINFO',
  'http_proxy',
  'https_proxy',
  'HTTPS_PROXY',
  'all_proxy',
  'ALL_PROXY',
  'no_proxy',
  'NO_PROXY',
] as const;

export type GitEnvironment = Readonly<Record<string, string>>;

/**
 * The few variables of `from` that git needs.
 * @param options.sshCommand for GIT_SSH_COMMAND, see {@link sshCommand}; else `from`'s own
 */
export function gitEnvironment(
  from: Readonly<Record<string, string | undefined>>,
  options: { sshCommand?: string } = {},
): GitEnvironment {
  const environment: Record<string, string> = {};
  for (const name of passed) {
    const value = from[name];
    if (value !== undefined) environment[name] = value;
  }
  if (options.sshCommand !== undefined) environment['GIT_SSH_COMMAND'] = options.sshCommand;
  return environment;
}

/** A GIT_SSH_COMMAND (a shell command) that never asks and accepts only known host keys. */
export function sshCommand(options: { identityFile?: string; knownHosts?: string } = {}): string {
  const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  const words = ['ssh', '-o BatchMode=yes', '-o StrictHostKeyChecking=yes', '-o ConnectTimeout=15'];
  words.push('-o ServerAliveInterval=5', '-o ServerAliveCountMax=3');
  if (options.identityFile !== undefined)
    words.push('-o IdentitiesOnly=yes', `-i ${quote(options.identityFile)}`);
  if (options.knownHosts !== undefined)
    words.push(`-o ${quote(`UserKnownHostsFile="${options.knownHosts}"`)}`);
  return words.join(' ');
}

/** Where a git runs. */
export interface GitPlace {
  environment: GitEnvironment;
  /** `--git-dir`; without it git looks upward from `cwd`. */
  gitDir?: string;
  cwd?: string;
}

export interface GitCommand {
  args: readonly string[];
  /** Standard input. */
  input?: Uint8Array | string;
  /** For this call only, e.g. `GIT_INDEX_FILE`. */
  variables?: Readonly<Record<string, string>>;
  /** Exit codes that are answers rather than failures. Default `[0]`. */
  accept?: readonly number[];
  /** Talks to a remote: a timeout then means unreachable. */
  network?: boolean;
  /** Milliseconds; default 60 s. */
  timeoutMs?: number;
  signal?: AbortSignal;
}

export interface GitResult {
  code: number;
  stdout: Buffer;
  stderr: string;
}

/** A git bound to its place. */
export type Git = (command: GitCommand) => Promise<GitResult>;

export function gitAt(place: GitPlace): Git {
  return (command) => runGit(place, command);
}

/** The command's output as text, without the newline at its end. */
export async function gitText(git: Git, command: GitCommand): Promise<string> {
  return (await git(command)).stdout.toString('utf8').replace(/\n$/, '');
}

const overrides = [
  'core.hooksPath=/dev/null',
  'core.fsmonitor=false',
  'core.quotePath=false',
  'gc.auto=0',
  'maintenance.auto=false',
  'fetch.recurseSubmodules=false',
  'push.recurseSubmodules=no',
  'push.followTags=false',
  'submodule.recurse=false',
  'protocol.ext.allow=never',
  'http.lowSpeedLimit=100',
  'http.lowSpeedTime=30',
].flatMap((setting) => ['-c', setting]);

const killGraceMs = 2_000;
const pipeGraceMs = 1_000;
const maxOutput = 512 * 1024 * 1024;

/**
 * Runs git to its end.
 * @throws RotateError GitUnreachable, GitAuthFailed, GitConflict, NoSpace, Timeout, GitFailed; when
 *   `signal` is aborted, its reason
 */
export async function runGit(place: GitPlace, command: GitCommand): Promise<GitResult> {
  command.signal?.throwIfAborted();
  const what = `git ${command.args.find((arg) => /^[a-z]/.test(arg) && !arg.includes('=')) ?? ''}`;
  const timeoutMs = command.timeoutMs ?? 60_000;
  const end = await start(place, command, timeoutMs, what);
  command.signal?.throwIfAborted();
  if (end.timedOut) {
    const type = command.network === true ? 'GitUnreachable' : 'Timeout';
    throw new RotateError(type, `${what} did not end within ${timeoutMs / 1000} s`, {
      hint: 'check the network, the remote and the disk of the clone',
    });
  }
  if (end.killedBy !== null)
    throw new RotateError('Timeout', `${what} was killed by ${end.killedBy}`, {
      hint: 'see who ended it: the kernel does so when memory is short',
    });
  const result = { code: end.code ?? -1, stdout: end.stdout, stderr: end.stderr };
  if ((command.accept ?? [0]).includes(result.code)) return result;
  throw gitFailure(what, result.code, result.stderr);
}

interface End {
  code: number | null;
  killedBy: NodeJS.Signals | null;
  timedOut: boolean;
  stdout: Buffer;
  stderr: string;
}

function start(place: GitPlace, command: GitCommand, timeoutMs: number, what: string): Promise<End> {
  const at = place.gitDir === undefined ? [] : [`--git-dir=${place.gitDir}`];
  return new Promise((resolve, reject) => {
    const args = [...overrides, ...at, ...command.args];
    const options = {
      ...(place.cwd === undefined ? {} : { cwd: place.cwd }),
      env: {
        ...place.environment,
        ...command.variables,
        GIT_TERMINAL_PROMPT: '0',
        GIT_LITERAL_PATHSPECS: '1',
        GIT_OPTIONAL_LOCKS: '0',
        LC_ALL: 'C',
      },
      // a group of its own, so that ssh and index-pack die with it; no terminal to prompt on
      detached: true,
    };
    const child =
      command.input === undefined
        ? spawn('git', args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
        : spawn('git', args, { ...options, stdio: ['pipe', 'pipe', 'pipe'] });
    const out: Buffer[] = [];
    let size = 0;
    let stderr = '';
    let timedOut = false;
    let problem: Error | undefined;
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
    }, timeoutMs);
    command.signal?.addEventListener('abort', kill, { once: true });

    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxOutput) out.push(chunk);
      else {
        problem = new RotateError('GitFailed', `${what} printed more than ${maxOutput} bytes`);
        kill();
      }
    });
    child.stderr.setEncoding('utf8');
    child.stderr.on('data', (text: string) => {
      // the end says why
      stderr = (stderr + text).slice(-64 * 1024);
    });
    // a git that ends without reading its input says why by its exit code
    child.stdin?.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'ECONNRESET') problem ??= error;
    });
    child.stdin?.end(command.input);

    const cleanUp = () => {
      clearTimeout(timer);
      clearTimeout(killTimer);
      clearTimeout(pipeTimer);
      command.signal?.removeEventListener('abort', kill);
    };
    child.on('error', (cause) => {
      cleanUp();
      reject(
        new RotateError('GitFailed', `${what} could not be started: ${cause.message}`, {
          hint: 'install git and see that it is on the PATH',
          cause,
        }),
      );
    });
    // a daemon that git started (a credential cache, an ssh master) may keep the pipes open
    child.on('exit', () => {
      // what it started may have outlived the first signal
      if (killTimer !== undefined) signalGroup(child.pid, 'SIGKILL');
      pipeTimer = setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
      }, pipeGraceMs);
    });
    child.on('close', (code, killedBy) => {
      cleanUp();
      if (problem !== undefined) reject(problem);
      else resolve({ code, killedBy, timedOut, stdout: Buffer.concat(out), stderr });
    });
  });
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // ESRCH: it has ended by itself
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
