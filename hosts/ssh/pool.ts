/** Reaches hosts over SSH: one kept connection a host for everyone, made when it is first needed and again after a loss. */
import type { Duplex } from 'node:stream';
import { RotateError } from '../../domain/failure.js';
import type { HostAccess, RemoteCommand, RemoteHost, RemoteResult } from '../../domain/remote.js';
import type { HostSpec } from '../../domain/spec.js';
import { Connection } from './connection.js';
import type { SshAuth } from './connection.js';
import { execute } from './execute.js';
import { connectFailure, errorCode } from './failures.js';
import { ForwardedSocket } from './forwarded-socket.js';
import { commandLine, routeTo } from './shell.js';
import type { Route } from './shell.js';
import { Slots } from './slots.js';

export interface SshPoolOptions {
  hosts: readonly HostSpec[];
  auth: SshAuth;
  /** Path of a known_hosts file, for hosts without a pinned key. */
  knownHosts?: string;
  /** Default 10 s. */
  connectTimeoutMs?: number;
  /** Default 2 s. */
  keepaliveIntervalMs?: number;
  /** Unanswered keepalives after which the connection counts as lost. Default 3. */
  keepaliveCount?: number;
  /** How long a forwarded connection may take to open. Default 10 s. */
  forwardTimeoutMs?: number;
  /** Sessions at once on a host. Default 8 (sshd allows 10). */
  maxSessions?: number;
}

/** A host of the pool. */
export interface PooledHost extends RemoteHost {
  readonly spec: HostSpec;
  /**
   * The same host over a connection of its own, made now: what it answers proves that it can still be reached.
   * Close it after use.
   * @throws RotateError HostUnreachable, HostKeyMismatch, HostAuthFailed
   */
  freshConnection(): Promise<RemoteHost & { close(): void }>;
}

export class SshPool implements HostAccess {
  readonly #options: SshPoolOptions;
  readonly #hosts = new Map<string, SshHost>();

  constructor(options: SshPoolOptions) {
    this.#options = options;
    for (const spec of options.hosts) this.#hosts.set(spec.name, new SshHost(spec, options));
  }

  /** @throws RotateError UnknownHost */
  host(name: string): PooledHost {
    const host = this.#hosts.get(name);
    if (host === undefined)
      throw new RotateError('UnknownHost', `there is no host ${name} in rotate.yaml`, {
        hint: `hosts: ${this.#options.hosts.map((spec) => spec.name).join(', ')}`,
      });
    return host;
  }

  /** Closes all connections. The pool can be used again afterwards. */
  close(): void {
    for (const host of this.#hosts.values()) host.close();
  }
}

class SshHost implements PooledHost {
  readonly spec: HostSpec;
  readonly #options: SshPoolOptions;
  readonly #slots: Slots;
  #kept: Kept | undefined;

  constructor(spec: HostSpec, options: SshPoolOptions) {
    this.spec = spec;
    this.#options = options;
    this.#slots = new Slots(options.maxSessions ?? 8);
  }

  get name(): string {
    return this.spec.name;
  }

  async run(command: RemoteCommand): Promise<RemoteResult> {
    const route = routeTo(command.as ?? 'root', this.spec);
    const release = await this.#slots.take(command.signal);
    try {
      const connection = await this.#connection();
      const result = await execute(connection, {
        line: commandLine(command.script, command.args ?? [], route),
        timeoutMs: command.timeoutMs,
        ...(command.input === undefined ? {} : { input: command.input }),
        ...(command.signal === undefined ? {} : { signal: command.signal }),
      });
      await refuseDeniedRoute(connection, route, result);
      return result;
    } finally {
      release();
    }
  }

  async forward(address: string, port: number): Promise<Duplex> {
    const connection = await this.#connection();
    const timeoutMs = this.#options.forwardTimeoutMs ?? 10_000;
    const opening = connection.forward(address, port);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs / 1000} s`)), timeoutMs);
    });
    try {
      return new ForwardedSocket(await Promise.race([opening, late]));
    } catch (error) {
      // One that opens after we have given up must not stay open; that it fails is told already.
      opening.then(
        (channel) => channel.destroy(),
        () => undefined,
      );
      if (!connection.alive) throw connectFailure(this.spec, error);
      // 1: AllowTcpForwarding or PermitOpen forbids it; else the far side did.
      const forbidden = errorCode(error) === 1;
      throw new RotateError('IssuerUnreachable', `${this.name} cannot connect to ${address}:${port}`, {
        host: this.name,
        hint: forbidden
          ? `allow TCP forwarding for ${this.spec.user} in the sshd_config of ${this.name}`
          : `check that ${address}:${port} listens and lets ${this.name} in`,
        cause: error,
      });
    } finally {
      clearTimeout(timer);
    }
  }

  async freshConnection(): Promise<RemoteHost & { close(): void }> {
    const fresh = new SshHost(this.spec, this.#options);
    await fresh.#connection();
    return fresh;
  }

  close(): void {
    this.#kept?.connection?.close();
    this.#kept = undefined;
  }

  /** The kept connection; those who ask while it is being made wait for the same one. */
  #connection(): Promise<Connection> {
    if (this.#kept !== undefined && this.#kept.connection?.alive !== false) return this.#kept.opening;
    const kept: Kept = {
      connection: undefined,
      opening: Connection.open(this.spec, {
        auth: this.#options.auth,
        ...(this.#options.knownHosts === undefined ? {} : { knownHosts: this.#options.knownHosts }),
        connectTimeoutMs: this.#options.connectTimeoutMs ?? 10_000,
        keepaliveIntervalMs: this.#options.keepaliveIntervalMs ?? 2_000,
        keepaliveCount: this.#options.keepaliveCount ?? 3,
      }),
    };
    this.#kept = kept;
    kept.opening.then(
      (connection) => {
        kept.connection = connection;
        // Closed while it was being made.
        if (this.#kept !== kept) connection.close();
      },
      () => {
        // Whoever asked is told; the next one tries anew.
        if (this.#kept === kept) this.#kept = undefined;
      },
    );
    return kept.opening;
  }
}

interface Kept {
  opening: Promise<Connection>;
  /** Once it is made. */
  connection: Connection | undefined;
}

/** sudo and runuser say no with an exit code that a script may have as well; so ask again with `true`. */
async function refuseDeniedRoute(connection: Connection, route: Route, result: RemoteResult): Promise<void> {
  if (route.type === 'direct' || result.code === 0) return;
  const said = /^(sudo|runuser): .*$|^Sorry, user .*$|^.* is not (allowed|in the sudoers).*$/m.exec(
    result.stderr,
  )?.[0];
  if (said === undefined && result.code !== 127) return;
  const again = await execute(connection, { line: commandLine('exit 0', [], route), timeoutMs: 15_000 });
  if (again.code === 0) return;
  const { name, user } = connection.host;
  throw new RotateError(
    'HostAuthFailed',
    `${user} cannot become ${route.user} on ${name}: ${said ?? again.stderr.trim()}`,
    {
      host: name,
      hint:
        route.type === 'sudo'
          ? `sudo -n must work: give ${user} NOPASSWD on ${name}, e.g. security.sudo.wheelNeedsPassword = false`
          : `check that the user ${route.user} exists on ${name}`,
    },
  );
}
