/** A lab of real hosts (systemd, sshd, nix) for the tests of this folder; each test file has one of its own. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll } from 'vitest';
import { z } from 'zod';
import type { HostSpec } from '../../domain/spec.js';
import { SshPool } from '../../hosts/ssh/pool.js';
import type { SshPoolOptions } from '../../hosts/ssh/pool.js';

const run = promisify(execFile);
const script = new URL('../../infra/lab.sh', import.meta.url).pathname;

const inventory = z.object({
  identityFile: z.string(),
  knownHosts: z.string(),
  hosts: z.array(z.object({ name: z.string(), address: z.string(), hostKey: z.string(), root: z.string() })),
});

export class Lab {
  readonly #name: string;
  #inventory: z.infer<typeof inventory> | undefined;
  readonly #pools: SshPool[] = [];
  /** Settings for nix on this machine that builds into a store of the lab's own. */
  env: Record<string, string> = {};
  /** A private folder, removed at the end. */
  scratch = '';

  constructor(name: string) {
    this.#name = `t-${name}-${process.pid}`;
  }

  /** `lab.sh …` */
  async sh(...args: string[]): Promise<string> {
    const { stdout } = await run('sh', [script, ...args], {
      env: { ...process.env, LAB: this.#name },
      maxBuffer: 16 * 1024 * 1024,
    });
    return stdout;
  }

  /** Runs a shell script as root on a host, without its network. */
  async exec(host: string, command: string): Promise<string> {
    return await this.sh('exec', host, 'sh', '-c', command);
  }

  async up(...names: string[]): Promise<void> {
    await this.sh('up', ...names);
    this.#inventory = inventory.parse(JSON.parse(await this.sh('inventory')));
    this.scratch = await mkdtemp(join(tmpdir(), 'rotate-test-'));
    const printed = await run('sh', ['-c', `eval "$(sh '${script}' env)"; env -0`], {
      env: { ...process.env, LAB: this.#name },
    });
    for (const entry of printed.stdout.split('\0')) {
      const [key] = entry.split('=', 1);
      if (key !== undefined && /^(NIX_CONF_DIR|NIX_SSHOPTS|XDG_CACHE_HOME|PATH)$/.test(key))
        this.env[key] = entry.slice(key.length + 1);
    }
  }

  async down(): Promise<void> {
    for (const pool of this.#pools) pool.close();
    await this.sh('down');
    await rm(this.scratch, { recursive: true, force: true });
  }

  get inventory(): z.infer<typeof inventory> {
    if (this.#inventory === undefined) throw new Error('the lab is not up');
    return this.#inventory;
  }

  host(name: string): z.infer<typeof inventory>['hosts'][number] {
    const found = this.inventory.hosts.find((host) => host.name === name);
    if (found === undefined) throw new Error(`no host ${name} in the lab`);
    return found;
  }

  spec(name: string, changes: Partial<HostSpec> = {}): HostSpec {
    const { address, hostKey } = this.host(name);
    return {
      name,
      environment: 'prod',
      address,
      port: 22,
      user: 'root',
      sudo: false,
      hostKey,
      configuration: name,
      build: 'worker',
      tags: [],
      ...changes,
    };
  }

  /** `value` encrypted to the key of a host, by age. */
  async encrypt(host: string, value: string): Promise<Uint8Array> {
    const plain = join(this.scratch, 'plain');
    await writeFile(plain, value);
    await run('age', ['-r', this.host(host).hostKey, '-o', join(this.scratch, 'sealed'), plain]);
    return new Uint8Array(await readFile(join(this.scratch, 'sealed')));
  }

  /** A pool of `specs` (all hosts as root when absent), closed with the lab. */
  pool(specs?: HostSpec[], options: Partial<SshPoolOptions> = {}): SshPool {
    const pool = new SshPool({
      hosts: specs ?? this.inventory.hosts.map((host) => this.spec(host.name)),
      auth: { identityFile: this.inventory.identityFile },
      ...options,
    });
    this.#pools.push(pool);
    return pool;
  }
}

/** Boots `hosts` before the tests of the calling file and removes them afterwards. */
export function useLab(name: string, hosts: string[]): Lab {
  const lab = new Lab(name);
  beforeAll(async () => {
    await lab.up(...hosts);
  }, 300_000);
  afterAll(async () => {
    await lab.down();
  }, 60_000);
  return lab;
}
