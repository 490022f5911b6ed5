/** Reads from what Nix and ssh print why they failed; their exit codes do not tell. */
import { RotateError } from '../../domain/failure.js';

/** The failure that `stderr` names, when it is about reaching `host` or about space; else undefined. */
export function knownFailure(stderr: string, host: string): RotateError | undefined {
  const line = (pattern: RegExp): string | undefined =>
    stderr
      .split('\n')
      .find((text) => pattern.test(text))
      ?.trim()
      .slice(0, 500);
  const key = line(
    /Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED|No .* host key is known/,
  );
  if (key !== undefined)
    return new RotateError('HostKeyMismatch', `ssh refuses the host key of ${host}: ${key}`, {
      host,
      hint: 'check the key on the host and pin it as hostKey in rotate.yaml',
    });
  const auth = line(/Permission denied \(|Too many authentication failures/);
  if (auth !== undefined)
    return new RotateError('HostAuthFailed', `${host} does not accept the worker's SSH key: ${auth}`, {
      host,
      hint: `add the worker's public key to the authorized keys of its login on ${host}`,
    });
  const sudo = line(/^sudo: |is not in the sudoers file|^Sorry, user /);
  if (sudo !== undefined)
    return new RotateError('HostAuthFailed', `sudo refuses on ${host}: ${sudo}`, {
      host,
      hint: `let \`sudo -n\` work there without a password, e.g. security.sudo.wheelNeedsPassword = false`,
    });
  const space = line(/No space left on device|database or disk is full|Disk quota exceeded/);
  if (space !== undefined)
    return new RotateError('NoSpace', `no disk space on ${host}: ${space}`, {
      host,
      hint: 'free some, e.g. with nix-collect-garbage, and try again',
    });
  const network = line(
    /^ssh: |Connection (refused|closed|reset|timed out)|No route to host|Broken pipe|cannot connect to|failed to start SSH connection|Timeout, server .* not responding|client_loop: /,
  );
  if (network !== undefined)
    return new RotateError('HostUnreachable', `cannot connect to ${host}: ${network}`, {
      host,
      hint: 'check that the host is up and its sshd reachable from the worker',
    });
  return undefined;
}

/** The line of Nix that says most: the last `error:` with what follows, or the last line. */
export function nixError(stderr: string): string {
  const lines = stderr
    .trim()
    .split('\n')
    .map((line) => line.trim());
  const at = lines.findLastIndex((line) => line.startsWith('error:'));
  const said = at < 0 ? (lines.at(-1) ?? '') : lines.slice(at, at + 3).join(' ');
  return said.replace(/^error:\s*/, '').slice(0, 1_000);
}

/** The last 4 KiB, from the start of a line. */
export function lastLines(text: string): string {
  const tail = text.slice(-4_096);
  return tail.length < text.length ? tail.slice(tail.indexOf('\n') + 1) : tail;
}
