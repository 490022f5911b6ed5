/**
 * Evaluates a rules file (`secrets.nix`): any Nix, written by whoever can push to the repo, so it is given nothing.
 *
 * - `restrict-eval` with the checkout as the only search path: no file outside it, no URL. Without it a rules file
 *   reads any file of the worker.
 * - `store dummy://`: nothing can be built or added to a store, so import-from-derivation is impossible.
 * - An environment of its own without the machine's nix.conf (which may allow URIs or hold access tokens), and an
 *   empty HOME: no path to an identity is in it.
 * - One evaluation for all files; root and rules are passed as strings, never pasted into the expression.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RotateError } from '../../domain/failure.js';
import { isObject } from '../../domain/is-object.js';

export interface EvaluateOptions {
  /** The checkout, absolute. */
  readonly root: string;
  /** The rules file, relative to `root`. */
  readonly rules: string;
  /** Milliseconds; an endless evaluation is killed. Default 30 s. */
  readonly timeout?: number;
  /** Default: `nix-instantiate` on PATH. */
  readonly nixInstantiate?: string;
}

/** The evaluated rules by attribute name, as written there. */
export type RawRules = Readonly<Record<string, { publicKeys: readonly string[]; armor: boolean }>>;

// what has no publicKeys is no error yet: the other files can still be rotated
const expression = `{ root, rules }:
  builtins.mapAttrs
    (_: rule: { publicKeys = rule.publicKeys or [ ]; armor = rule.armor or false; })
    (import (root + "/" + rules))`;

const restrictions = {
  'restrict-eval': 'true',
  'allowed-uris': '',
  'nix-path': '',
  'allow-import-from-derivation': 'false',
  'allow-unsafe-native-code-during-evaluation': 'false',
  store: 'dummy://',
};

/** Where a relocated Nix has its store: paths, no secrets. */
const relocation = ['NIX_STORE_DIR', 'NIX_STATE_DIR', 'NIX_LOG_DIR', 'NIX_DATA_DIR', 'NIX_LOCALSTATE_DIR'];

const maxOutput = 16 * 1024 * 1024;

/** @throws RotateError `BadRules` when the evaluation fails, takes too long or gives something else than rules. */
export async function evaluateRules(options: EvaluateOptions): Promise<RawRules> {
  const root = await realpath(options.root);
  const home = await mkdtemp(join(tmpdir(), 'rotate-eval-'));
  try {
    return toRules(await run(options, root, home), options.rules);
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

function run(options: EvaluateOptions, root: string, home: string): Promise<string> {
  const { rules, timeout = 30_000, nixInstantiate = 'nix-instantiate' } = options;
  const args = ['--json', '--eval', '--strict', '-I', `repo=${root}`];
  for (const [name, value] of Object.entries(restrictions)) args.push('--option', name, value);
  args.push('--argstr', 'root', root, '--argstr', 'rules', rules, '-E', expression);
  return new Promise((resolve, reject) => {
    const execution = {
      cwd: home,
      env: environment(home),
      timeout,
      killSignal: 'SIGKILL',
      maxBuffer: maxOutput,
    } as const;
    const child = execFile(nixInstantiate, args, execution, (error, stdout, stderr) => {
      // the exit code decides: nix 2.8 prints what it had got so far even when it fails
      if (error === null) resolve(stdout);
      else reject(failure(error, stderr, root, rules, timeout));
    });
    child.stdin?.end();
  });
}

function environment(home: string): NodeJS.ProcessEnv {
  const kept = relocation.flatMap((name) =>
    process.env[name] === undefined ? [] : [[name, process.env[name]]],
  );
  return {
    PATH: process.env['PATH'],
    HOME: home,
    TMPDIR: home,
    NIX_CONF_DIR: home,
    NIX_USER_CONF_FILES: '',
    NIX_PATH: '',
    // read by the garbage collector of nix: "out of memory" instead of a worker that the kernel kills
    GC_MAXIMUM_HEAP_SIZE: '1G',
    ...Object.fromEntries(kept),
  };
}

function toRules(json: string, rules: string): RawRules {
  const value = parsed(json);
  if (isRules(value)) return value;
  throw new RotateError('BadRules', `${rules} does not evaluate to agenix rules`, {
    hint: 'it is an attribute set of files, each with `publicKeys = [ "ssh-ed25519 …" ];`',
  });
}

/** Undefined for what is no JSON. */
function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** By hand: to load zod takes longer than to evaluate most rules. */
function isRules(value: unknown): value is RawRules {
  return isObject(value) && Object.values(value).every(isRule);
}

function isRule(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { publicKeys, armor } = value;
  return (
    Array.isArray(publicKeys) &&
    publicKeys.every((key) => typeof key === 'string') &&
    typeof armor === 'boolean'
  );
}

function failure(
  error: Error & { code?: number | string | null; killed?: boolean },
  stderr: string,
  root: string,
  rules: string,
  timeout: number,
): RotateError {
  if (error.code === 'ENOENT') {
    return new RotateError('BadRules', 'nix-instantiate cannot be run', {
      hint: 'install nix where the worker runs, or put it on its PATH',
    });
  }
  if (error.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') {
    return new RotateError(
      'BadRules',
      `the rules in ${rules} are larger than ${maxOutput / 1024 / 1024} MiB`,
      { hint: 'split them: each environment may name a rules file of its own' },
    );
  }
  if (error.killed === true) {
    return new RotateError('BadRules', `evaluating ${rules} did not end within ${timeout / 1000} s`, {
      hint: 'try `nix-instantiate --eval --strict` on it, and make it simpler',
    });
  }
  const why = firstError(stderr).replaceAll(`${root}/`, '');
  return new RotateError('BadRules', `${rules} cannot be evaluated: ${why}`, {
    hint: /restricted mode/.test(why)
      ? 'rules may only read files of the repo'
      : 'try `nix-instantiate --eval --strict` on it',
  });
}

/** Only the error itself: what `builtins.trace` printed before it may be anything. */
function firstError(stderr: string): string {
  const line = stderr.split('\n').find((text) => text.startsWith('error:')) ?? 'nix-instantiate failed';
  const text = line.slice('error:'.length).trim();
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
