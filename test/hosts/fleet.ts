/** A repo with the lab's flake, whose hosts a test describes; built by nixos-rebuild as a user's would be. */
import { execFile } from 'node:child_process';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { build } from '../../hosts/nix/build.js';
import { copy } from '../../hosts/nix/copy.js';
import { writeSshConfig } from '../../hosts/ssh/ssh-config.js';
import type { SshConfig } from '../../hosts/ssh/ssh-config.js';
import type { Lab } from './lab.js';

const run = promisify(execFile);
const template = new URL('../../infra/lab/flake', import.meta.url).pathname;

export class Fleet {
  readonly repository: string;
  readonly #lab: Lab;
  #ssh: SshConfig | undefined;

  private constructor(lab: Lab) {
    this.#lab = lab;
    this.repository = join(lab.scratch, 'repo');
  }

  static async create(lab: Lab): Promise<Fleet> {
    const fleet = new Fleet(lab);
    await cp(template, fleet.repository, { recursive: true });
    await fleet.git('init', '-q', '-b', 'main');
    return fleet;
  }

  async git(...args: string[]): Promise<string> {
    const identity = ['-c', 'user.name=t', '-c', 'user.email=t@example.org', '-c', 'commit.gpgsign=false'];
    return (await run('git', ['-C', this.repository, ...identity, ...args])).stdout.trim();
  }

  /** Writes hosts.json and other files, commits them, and gives the commit. */
  async commit(
    hosts: Record<string, unknown>,
    files: Record<string, string | Uint8Array> = {},
  ): Promise<string> {
    await writeFile(join(this.repository, 'hosts.json'), JSON.stringify(hosts, null, 2));
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(this.repository, path)), { recursive: true });
      await writeFile(join(this.repository, path), content);
    }
    await this.git('add', '-A');
    await this.git('commit', '-q', '--allow-empty', '-m', 'change');
    return await this.git('rev-parse', 'HEAD');
  }

  async ssh(): Promise<SshConfig> {
    this.#ssh ??= await writeSshConfig({
      directory: join(this.#lab.scratch, 'ssh'),
      hosts: this.#lab.inventory.hosts.map((host) => this.#lab.spec(host.name)),
      auth: { identityFile: this.#lab.inventory.identityFile },
    });
    return this.#ssh;
  }

  get source(): { repository: string; flakeDir: string; environment: NodeJS.ProcessEnv } {
    return { repository: this.repository, flakeDir: '.', environment: { ...process.env, ...this.#lab.env } };
  }

  /** The system of `host` as described, built here. */
  async build(
    host: string,
    description: unknown,
    files: Record<string, string | Uint8Array> = {},
  ): Promise<string> {
    const commit = await this.commit({ [host]: description }, files);
    return await build({ ...this.source, commit, configuration: host, ssh: await this.ssh() });
  }

  /** The same, and its closure on the host. */
  async deliver(
    host: string,
    description: unknown,
    files: Record<string, string | Uint8Array> = {},
  ): Promise<string> {
    const toplevel = await this.build(host, description, files);
    await copy({
      toplevel,
      host: this.#lab.spec(host),
      ssh: await this.ssh(),
      environment: this.source.environment,
    });
    return toplevel;
  }

  /** The same, installed as a first system: a host that runs none yet is no NixOS host. */
  async install(
    host: string,
    description: unknown,
    files: Record<string, string | Uint8Array> = {},
  ): Promise<string> {
    const toplevel = await this.deliver(host, description, files);
    const set = `nix-env -p /nix/var/nix/profiles/system --set ${toplevel}`;
    await this.#lab.exec(host, `${set} && ${toplevel}/bin/switch-to-configuration switch`);
    return toplevel;
  }
}
