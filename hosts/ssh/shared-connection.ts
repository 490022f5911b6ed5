/**
 * A connection of OpenSSH to a host that programs share which run `ssh` themselves: Nix copies to it twice in a
 * rotation. See ControlMaster in ssh_config(5).
 *
 * It is a child of the worker that reads from it, so it ends when the worker does, however that ends. Nobody depends on
 * it: without it, `ssh` opens a connection of its own.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SshConfig } from './ssh-config.js';

export interface SharedConnectionOptions {
  ssh: SshConfig;
  /** By its name in {@link ssh}. */
  host: string;
  environment: NodeJS.ProcessEnv;
  /** Milliseconds after the last {@link SharedConnection.ready} until it is closed. Default 2 min. */
  idleMs?: number;
}

/** Milliseconds that a host may take to answer before programs connect by themselves, and tell why they cannot. */
const patienceMs = 2_000;

export class SharedConnection {
  /** For `ssh`: where the connection is. Without any, there is none to share. */
  readonly sshOptions: readonly string[];
  readonly #options: SharedConnectionOptions;
  #child: ChildProcess | undefined;
  #opened: Promise<void> | undefined;
  #idle: NodeJS.Timeout | undefined;

  constructor(options: SharedConnectionOptions) {
    this.#options = options;
    const path = options.ssh.controlPath(options.host);
    this.sshOptions = path === undefined ? [] : ['-o', `ControlPath=${path}`];
  }

  /** Opens it where it is not open. Resolves, also when that fails, when there is nothing more to wait for. */
  async ready(): Promise<void> {
    if (this.sshOptions.length === 0) return;
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.close(), this.#options.idleMs ?? 120_000).unref();
    this.#opened ??= this.#open();
    await Promise.race([this.#opened, sleep(patienceMs, undefined, { ref: false })]);
  }

  /** Programs that use it are let finish. It can be opened again. */
  close(): void {
    clearTimeout(this.#idle);
    // Its far end reads to the end of this.
    this.#child?.stdin?.end();
    this.#child = undefined;
    this.#opened = undefined;
  }

  #open(): Promise<void> {
    const { ssh, host, environment } = this.#options;
    const options = [...ssh.nixSshOpts.split(' '), ...this.sshOptions, '-o', 'ControlMaster=yes'];
    const child = spawn('ssh', [...options, ssh.alias(host), 'echo; exec cat > /dev/null'], {
      env: environment,
      stdio: ['pipe', 'pipe', 'ignore'],
      detached: true,
    });
    this.#child = child;
    return new Promise((resolve) => {
      const lost = (): void => {
        resolve();
        if (this.#child === child) this.close();
      };
      child.once('error', lost);
      child.once('close', lost);
      // It may have ended before it could be told to.
      child.stdin.on('error', lost);
      // The socket is there before the first session is.
      child.stdout.once('data', () => resolve());
      child.stdout.resume();
    });
  }
}
