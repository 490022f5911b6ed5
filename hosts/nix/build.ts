/** Builds a host's system at exactly one commit, with nixos-rebuild. */
import { readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { RotateError } from '../../domain/failure.js';
import { assertStorePath } from '../remote-paths.js';
import type { SshConfig } from '../ssh/ssh-config.js';
import { knownFailure, lastLines, nixError } from './failures.js';
import { configurationName, flakeAttribute, nixFlags, withFlake } from './flake-ref.js';
import type { FlakeSource, Workplace } from './flake-ref.js';
import { nixEnvironment, runProgram } from './process.js';
import type { Progress } from './process.js';

export interface BuildRequest extends FlakeSource, Progress {
  /** Attribute of nixosConfigurations. */
  configuration: string;
  /** Name of the host that builds (`--build-host`); absent: the worker. */
  buildHost?: string;
  ssh: SshConfig;
  /** Environment of the worker; see {@link nixEnvironment}. Default `process.env`. */
  environment?: NodeJS.ProcessEnv;
  /** Default 2 h. */
  timeoutMs?: number;
}

/**
 * The store path of `config.system.build.toplevel`. It is valid in the worker's store (after a remote build
 * nixos-rebuild has copied it back), but not kept from garbage collection there.
 *
 * `--build-host` evaluates here and builds as the login of the build host, through its Nix daemon; it needs no
 * sudo (nixpkgs: nixos-rebuild.sh, nixos_rebuild/nix.py), so none is asked for.
 * @throws RotateError BuildFailed with the last lines in `details.output`; NoSpace, HostUnreachable,
 *   HostKeyMismatch, HostAuthFailed (of the build host), BadConfig, Timeout
 */
export async function build(request: BuildRequest): Promise<string> {
  const what = `${configurationName(request.configuration)} at ${request.commit.slice(0, 12)}`;
  return await withFlake(request, async (place) => {
    const { code, stderr } = await runProgram(
      'nixos-rebuild',
      [
        'build',
        '--flake',
        `${place.reference}#${configurationName(request.configuration)}`,
        '--no-update-lock-file',
        ...(request.buildHost === undefined ? [] : ['--build-host', request.ssh.alias(request.buildHost)]),
      ],
      {
        ...request,
        cwd: place.cwd,
        env: environment(request),
        timeoutMs: request.timeoutMs ?? 2 * 3_600_000,
      },
    );
    if (code !== 0) throw buildFailure(what, request.buildHost, stderr);
    return (await builtHere(place.cwd)) ?? (await evaluatedPath(request, place, what));
  });
}

/** What `build` would give, by evaluation alone. @throws RotateError BuildFailed, Timeout, BadConfig */
export async function evaluateToplevel(request: Omit<BuildRequest, 'buildHost'>): Promise<string> {
  const what = `${configurationName(request.configuration)} at ${request.commit.slice(0, 12)}`;
  return await withFlake(request, async (place) => await evaluatedPath(request, place, what));
}

async function builtHere(cwd: string): Promise<string | undefined> {
  try {
    return assertStorePath(await readlink(join(cwd, 'result')));
  } catch (error) {
    // nixos-rebuild leaves no link here when another host has built.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

async function evaluatedPath(
  request: Omit<BuildRequest, 'buildHost'>,
  place: Workplace,
  what: string,
): Promise<string> {
  const { code, stdout, stderr } = await runProgram(
    'nix',
    [
      ...nixFlags,
      'eval',
      '--raw',
      '--no-update-lock-file',
      flakeAttribute(place, request.configuration, '.config.system.build.toplevel.outPath'),
    ],
    { ...request, cwd: place.cwd, env: environment(request), timeoutMs: request.timeoutMs ?? 15 * 60_000 },
  );
  if (code !== 0) throw buildFailure(what, undefined, stderr);
  return assertStorePath(stdout.trim());
}

function environment(request: Omit<BuildRequest, 'buildHost'>): NodeJS.ProcessEnv {
  return nixEnvironment(request.environment ?? process.env, { NIX_SSHOPTS: request.ssh.nixSshOpts });
}

function buildFailure(what: string, buildHost: string | undefined, stderr: string): RotateError {
  const known = knownFailure(stderr, buildHost ?? 'the worker');
  // Without a build host, what looks like a network error comes from inside the build.
  if (known !== undefined && (buildHost !== undefined || known.type === 'NoSpace')) return known;
  const locked = /lock file|flake\.lock/.test(stderr);
  return new RotateError('BuildFailed', `cannot build ${what}: ${nixError(stderr)}`, {
    hint: locked
      ? 'flake.lock is incomplete: run nix flake lock, commit it, and try again'
      : 'run nixos-rebuild build on that commit to see all of it',
    details: { output: lastLines(stderr) },
  });
}
