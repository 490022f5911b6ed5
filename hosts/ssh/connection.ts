/** One SSH connection: made with a verified host key, watched, and told when it is gone. */
import { readFile } from 'node:fs/promises';
import { NodeSSH } from 'node-ssh';
import ssh2 from 'ssh2';
import type { Client, ClientChannel } from 'ssh2';
import { RotateError } from '../../domain/failure.js';
import type { HostSpec } from '../../domain/spec.js';
import { connectFailure } from './failures.js';
import { isTrusted, mismatch, trustedKeys } from './host-key.js';

/** How the worker proves who it is. */
export type SshAuth =
  /** A private key without a passphrase. */
  | { identityFile: string }
  /** Path of the agent's socket, e.g. `$SSH_AUTH_SOCK`. */
  | { agent: string };

export interface ConnectOptions {
  auth: SshAuth;
  /** Path of a known_hosts file; read anew for each connection. */
  knownHosts?: string;
  /** For TCP connection, handshake and login together. */
  connectTimeoutMs: number;
  keepaliveIntervalMs: number;
  /** Unanswered keepalives after which the connection counts as lost. */
  keepaliveCount: number;
}

export class Connection {
  readonly host: HostSpec;
  readonly #ssh: NodeSSH;
  readonly #client: Client;
  #closed = false;
  #lastError: Error | undefined;

  private constructor(host: HostSpec, ssh: NodeSSH, client: Client) {
    this.host = host;
    this.#ssh = ssh;
    this.#client = client;
    client.on('close', () => {
      this.#closed = true;
    });
    // Without a listener, node-ssh lets an error after the login end the process.
    client.on('error', (error: Error) => {
      this.#lastError = error;
    });
  }

  /** @throws RotateError HostKeyMismatch, HostAuthFailed, HostUnreachable, BadConfig */
  static async open(host: HostSpec, options: ConnectOptions): Promise<Connection> {
    const trusted = trustedKeys(host, await readKnownHosts(options.knownHosts));
    const auth = await credentials(options.auth);
    let shown: Buffer | undefined;
    let refused = false;
    const ssh = new NodeSSH();
    const connecting = ssh.connect({
      ...auth,
      host: host.address,
      port: host.port,
      username: host.user,
      readyTimeout: options.connectTimeoutMs,
      keepaliveInterval: options.keepaliveIntervalMs,
      keepaliveCountMax: options.keepaliveCount,
      algorithms: { serverHostKey: trusted.algorithms },
      hostVerifier: (key: Buffer) => {
        shown = key;
        refused = !isTrusted(key, trusted);
        return !refused;
      },
    });
    // node-ssh makes the client before it waits for anything.
    const client = ssh.connection;
    if (client === null)
      throw new RotateError('Internal', 'node-ssh has made no connection', { host: host.name });
    // Else each small message waits for the answer to the one before it, which sshd delays: 40 ms a round trip.
    client.setNoDelay(true);
    const connection = new Connection(host, ssh, client);
    try {
      await connecting;
    } catch (error) {
      ssh.dispose();
      const noType = error instanceof Error && error.message.includes('no matching host key format');
      if (refused || noType) throw mismatch(host, trusted, shown ?? (await shownKey(host, options)));
      throw connectFailure(host, error);
    }
    return connection;
  }

  /** Whether it is not known to be lost. */
  get alive(): boolean {
    return !this.#closed;
  }

  /** What ended it, as far as known. */
  get lastError(): Error | undefined {
    return this.#lastError;
  }

  /**
   * A session that runs `command`. `attach` is called as soon as it is open, before anything that came with the
   * same packet is told: a short command may have ended by the next tick. Rejects with ssh2's error when it could
   * not be started.
   */
  exec<T>(command: string, attach: (channel: ClientChannel) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#client.exec(command, (error, channel) => {
        if (error === undefined) resolve(attach(channel));
        else reject(error);
      });
    });
  }

  /** A TCP connection from the host. Rejects with ssh2's error. */
  forward(address: string, port: number): Promise<ClientChannel> {
    return new Promise((resolve, reject) => {
      this.#client.forwardOut('127.0.0.1', 0, address, port, (error, channel) => {
        if (error === undefined) resolve(channel);
        else reject(error);
      });
    });
  }

  /** Calls `listener` when the connection is gone, at once if it is already. The result takes that back. */
  onLost(listener: () => void): () => void {
    if (this.#closed) listener();
    else this.#client.on('close', listener);
    return () => this.#client.removeListener('close', listener);
  }

  close(): void {
    this.#closed = true;
    this.#ssh.dispose();
    // A peer that does not answer would hold the socket open.
    this.#client.destroy();
  }
}

async function readKnownHosts(path: string | undefined): Promise<{ path: string; text: string } | undefined> {
  if (path === undefined) return undefined;
  try {
    return { path, text: await readFile(path, 'utf8') };
  } catch (error) {
    // Without the file no key is known by it; hosts whose key is pinned do not need it.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { path, text: '' };
    throw new RotateError('BadConfig', `cannot read the known_hosts file ${path}`, {
      hint: 'set ssh.knownHosts in worker.yaml to a file that the worker may read',
      cause: error,
    });
  }
}

async function credentials(auth: SshAuth): Promise<{ agent: string } | { privateKey: string }> {
  if ('agent' in auth) return { agent: auth.agent };
  let privateKey: string;
  try {
    privateKey = await readFile(auth.identityFile, 'utf8');
  } catch (error) {
    throw new RotateError('BadConfig', `cannot read the SSH key ${auth.identityFile}`, {
      hint: 'set ssh.identityFile in worker.yaml to a key that the worker may read',
      cause: error,
    });
  }
  const parsed = ssh2.utils.parseKey(privateKey);
  if (parsed instanceof Error)
    throw new RotateError(
      'BadConfig',
      `cannot use the SSH key ${auth.identityFile}: ${parsed.message.toLowerCase()}`,
      {
        hint: 'give the worker a private key without a passphrase, or an agent',
      },
    );
  return { privateKey };
}

/** Which key the server shows when it may choose; for the message only, so every failure means: not known. */
async function shownKey(host: HostSpec, options: ConnectOptions): Promise<Buffer | undefined> {
  let shown: Buffer | undefined;
  const ssh = new NodeSSH();
  const connecting = ssh.connect({
    host: host.address,
    port: host.port,
    username: host.user,
    readyTimeout: options.connectTimeoutMs,
    hostVerifier: (key: Buffer) => {
      shown = key;
      return false;
    },
  });
  ssh.connection?.on('error', () => undefined);
  // It always ends in an error, as no key is accepted: what counts is the key that was seen on the way.
  await connecting.then(
    () => ssh.dispose(),
    () => ssh.dispose(),
  );
  return shown;
}
