/** Copies a built system to a host. */
import { tmpdir } from 'node:os';
import { RotateError } from '../../domain/failure.js';
import type { HostSpec } from '../../domain/spec.js';
import { assertStorePath } from '../remote-paths.js';
import type { SharedConnection } from '../ssh/shared-connection.js';
import type { SshConfig } from '../ssh/ssh-config.js';
import { knownFailure, lastLines, nixError } from './failures.js';
import { nixFlags } from './flake-ref.js';
import { nixEnvironment, runProgram } from './process.js';
import type { Progress } from './process.js';

export interface CopyRequest extends Progress {
  toplevel: string;
  host: HostSpec;
  ssh: SshConfig;
  /** A connection that it may use; without one it opens its own. */
  shared?: Pick<SharedConnection, 'ready' | 'sshOptions'>;
  environment?: NodeJS.ProcessEnv;
  /** Default 30 min. */
  timeoutMs?: number;
}

/**
 * Copies the closure of `toplevel` from the worker's store; what is there already is not sent again. As
 * nix-copy-closure does, it does not ask for signatures. Where the login is not root, `sudo -n nix-store` receives it,
 * because a host takes unsigned paths from trusted users only.
 * @throws RotateError CopyFailed, NoSpace, HostUnreachable, HostKeyMismatch, HostAuthFailed, Timeout
 */
export async function copy(request: CopyRequest): Promise<void> {
  const { host, ssh } = request;
  const receiver =
    host.sudo && host.user !== 'root' ? `?remote-program=${encodeURIComponent('sudo -n nix-store')}` : '';
  await request.shared?.ready();
  const { code, stderr } = await runProgram(
    'nix',
    [
      ...nixFlags,
      'copy',
      '--no-check-sigs',
      '--to',
      `ssh://${ssh.alias(host.name)}${receiver}`,
      assertStorePath(request.toplevel),
    ],
    {
      ...request,
      cwd: tmpdir(),
      env: nixEnvironment(request.environment ?? process.env, {
        NIX_SSHOPTS: [ssh.nixSshOpts, ...(request.shared?.sshOptions ?? [])].join(' '),
      }),
      timeoutMs: request.timeoutMs ?? 30 * 60_000,
    },
  );
  if (code === 0) return;
  throw (
    knownFailure(stderr, host.name) ??
    new RotateError('CopyFailed', `cannot copy ${request.toplevel} to ${host.name}: ${nixError(stderr)}`, {
      host: host.name,
      hint: 'the path may have been collected on the worker (it is built again), or the host may not trust its login',
      details: { output: lastLines(stderr) },
    })
  );
}
