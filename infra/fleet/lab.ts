/** The lab (infra/lab), for programs. */
import { fileURLToPath } from 'node:url';
import { dirname, join } from 'node:path';
import { existsSync } from 'node:fs';
import { run, type RunOptions, type RunResult } from './run.js';

export interface LabHost {
  name: string;
  address: string;
  port: number;
  hostKey: string;
  hostKeyFile: string;
  /** The host's file system as seen from this machine. */
  root: string;
}

export interface Inventory {
  state: string;
  network: string;
  /** This machine's own address in it. */
  gateway: string;
  identityFile: string;
  knownHosts: string;
  sshConfig: string;
  hosts: LabHost[];
}

/** The project's folder, from the sources as well as from dist/. */
export const projectRoot = findRoot(dirname(fileURLToPath(import.meta.url)));

function findRoot(folder: string): string {
  if (existsSync(join(folder, 'tsconfig.json'))) return folder;
  return findRoot(dirname(folder));
}

const script = join(projectRoot, 'infra', 'lab', 'lab.sh');

export class Lab {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  #lab(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    return run('bash', [script, ...args], {
      ...options,
      env: { ...(options.env ?? process.env), LAB: this.name },
    });
  }

  async up(...names: string[]): Promise<void> {
    await this.#lab(['up', ...names]);
  }
  async down(): Promise<void> {
    await this.#lab(['down']);
  }
  async cut(name: string): Promise<void> {
    await this.#lab(['cut', name]);
  }
  async heal(name: string): Promise<void> {
    await this.#lab(['heal', name]);
  }
  async reboot(name: string): Promise<void> {
    await this.#lab(['reboot', name]);
  }
  async fill(name: string): Promise<void> {
    await this.#lab(['fill', name]);
  }
  async drain(name: string): Promise<void> {
    await this.#lab(['drain', name]);
  }

  /** Runs a shell script on a host as root. */
  ssh(name: string, shell: string, options: RunOptions = {}): Promise<RunResult> {
    return this.#lab(['ssh', name, shell], options);
  }

  async inventory(): Promise<Inventory> {
    const inventory: Inventory = JSON.parse((await this.#lab(['inventory'])).stdout);
    return inventory;
  }

  host(inventory: Inventory, name: string): LabHost {
    const host = inventory.hosts.find((h) => h.name === name);
    if (host === undefined) throw new Error(`the lab has no host ${name}`);
    return host;
  }

  /** The environment of a worker on this machine: its own Nix store, strict SSH, the stand-in for nixos-rebuild. */
  async environment(base: NodeJS.ProcessEnv = process.env): Promise<NodeJS.ProcessEnv> {
    const { stdout } = await this.#lab(['env']);
    const dumped = await run('bash', ['-c', `${stdout}\nenv -0`], { env: base });
    const env: NodeJS.ProcessEnv = {};
    for (const line of dumped.stdout.split('\0')) {
      const at = line.indexOf('=');
      if (at > 0) env[line.slice(0, at)] = line.slice(at + 1);
    }
    return env;
  }
}
