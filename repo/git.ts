/**
 * Runs the real `git`: arguments as an array, an environment of a few known
 * variables, no hooks, no prompts, no background gc, and a timeout on every call.
 */
import { RotateError } from '../domain/failure.js';
import { gitFailure } from './git-failure.js';
import { maxOutput, runGitProcess, type RunGitProcess } from './git-process.js';

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
  /** Default: started by this process itself. */
  runProcess?: RunGitProcess;
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

/**
 * Runs git to its end.
 * @throws RotateError GitUnreachable, GitAuthFailed, GitConflict, NoSpace, Timeout, GitFailed; when
 *   `signal` is aborted, its reason
 */
export async function runGit(place: GitPlace, command: GitCommand): Promise<GitResult> {
  command.signal?.throwIfAborted();
  const what = `git ${command.args.find((arg) => /^[a-z]/.test(arg) && !arg.includes('=')) ?? ''}`;
  const timeoutMs = command.timeoutMs ?? 60_000;
  const end = await (place.runProcess ?? runGitProcess)(
    {
      args: [
        ...overrides,
        ...(place.gitDir === undefined ? [] : [`--git-dir=${place.gitDir}`]),
        ...command.args,
      ],
      ...(place.cwd === undefined ? {} : { cwd: place.cwd }),
      env: {
        ...place.environment,
        ...command.variables,
        GIT_TERMINAL_PROMPT: '0',
        GIT_LITERAL_PATHSPECS: '1',
        GIT_OPTIONAL_LOCKS: '0',
        LC_ALL: 'C',
      },
      ...(command.input === undefined ? {} : { input: command.input }),
      timeoutMs,
    },
    command.signal,
  );
  command.signal?.throwIfAborted();
  if (end.notStarted !== undefined)
    throw new RotateError('GitFailed', `${what} could not be started: ${end.notStarted}`, {
      hint: 'install git and see that it is on the PATH',
    });
  if (end.tooMuch) throw new RotateError('GitFailed', `${what} printed more than ${maxOutput} bytes`);
  if (end.inputError !== undefined)
    throw new RotateError('GitFailed', `${what} could not be given its input: ${end.inputError}`);
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
