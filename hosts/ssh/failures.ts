/** Tells apart what can go wrong on the way to a host; ssh2 marks its errors with a `level`. */
import { RotateError } from '../../domain/failure.js';
import type { HostSpec } from '../../domain/spec.js';

/** Where ssh2 saw the error, e.g. `client-authentication`. */
export function errorLevel(error: unknown): string | undefined {
  return error instanceof Error && 'level' in error && typeof error.level === 'string'
    ? error.level
    : undefined;
}

/** `ECONNREFUSED` and the like; for a channel that was not opened, SSH's reason code. */
export function errorCode(error: unknown): string | number | undefined {
  if (!(error instanceof Error)) return undefined;
  for (const key of ['code', 'reason'] as const) {
    const value: unknown = Reflect.get(error, key);
    if (typeof value === 'string' || typeof value === 'number') return value;
  }
  return undefined;
}

/** The failure for an error of ssh2 while connecting (host keys are judged elsewhere). */
export function connectFailure(host: HostSpec, error: unknown): RotateError {
  const place = `${host.name} (${host.user}@${host.address}:${host.port})`;
  const said = error instanceof Error ? error.message : String(error);
  if (errorLevel(error) === 'client-authentication')
    return new RotateError('HostAuthFailed', `${place} does not accept the worker's SSH key`, {
      host: host.name,
      hint: `add the worker's public key to the authorized keys of ${host.user} on ${host.name}`,
      cause: error,
    });
  if (errorLevel(error) === 'agent')
    return new RotateError('HostAuthFailed', `the SSH agent gave no key for ${place}: ${said}`, {
      host: host.name,
      hint: 'check SSH_AUTH_SOCK and ssh-add -l, or set ssh.identityFile in worker.yaml',
      cause: error,
    });
  return new RotateError('HostUnreachable', `cannot connect to ${place}: ${said.toLowerCase()}`, {
    host: host.name,
    hint: 'check that the host is up and its sshd reachable from the worker',
    cause: error,
  });
}

/** The failure for a connection that was lost after a command had been sent. */
export function lostConnection(host: string, cause?: unknown): RotateError {
  return new RotateError(
    'HostUnknownOutcome',
    `lost the connection to ${host} while a command was running; it may or may not have ended`,
    { host, hint: 'rotate looks at the host again before it goes on', cause },
  );
}
