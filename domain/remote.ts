/**
 * A host as the rest of the program sees it. `hosts/` implements it over SSH;
 * kinds are handed one, so that they need not know how it is reached.
 */
import type { Duplex } from 'node:stream';

export interface RemoteCommand {
  /** A POSIX shell script, sent by stdin when `input` is absent, else as the command line. Never holds a secret. */
  script: string;
  /** Positional parameters `$1`, `$2`, … of the script; quoted by the implementation. Never a secret. */
  args?: readonly string[];
  /** Fed to the script's standard input: the only way for a secret to reach a host. */
  input?: Uint8Array;
  /** As whom: `root` (through `sudo -n` where the login is not root), the login itself, or another system user. Default `root`. */
  as?: string;
  timeoutMs: number;
  signal?: AbortSignal;
}

export interface RemoteResult {
  /** Exit code; a command killed by a signal has 128 + its number. */
  code: number;
  stdout: string;
  stderr: string;
}

export interface RemoteHost {
  readonly name: string;
  /**
   * Runs a command to its end.
   * @throws RotateError HostUnreachable, HostKeyMismatch, HostAuthFailed; HostUnknownOutcome when the
   *   connection was lost after the command was sent (it may or may not have run); Timeout.
   */
  run(command: RemoteCommand): Promise<RemoteResult>;
  /**
   * A TCP connection from the host to `address:port`, carried over its SSH connection.
   * @throws RotateError HostUnreachable; IssuerUnreachable when the host cannot connect there.
   */
  forward(address: string, port: number): Promise<Duplex>;
}

/** Finds hosts by the names that `rotate.yaml` gives them. */
export interface HostAccess {
  /** @throws RotateError UnknownHost */
  host(name: string): RemoteHost;
}
