/** Real git repos in temporary folders: a bare remote over file://, a person's clone of it, and workers' clones. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';
import type { Claim } from '../../repo/claims.js';
import { Clone, type CloneOptions } from '../../repo/clone.js';
import { rotationMessage, type Signature } from '../../repo/commit.js';
import { gitAt, gitEnvironment, gitText, type Git } from '../../repo/git.js';

const folders: string[] = [];

afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rotate-repo-'));
  folders.push(folder);
  return folder;
}

export const author: Signature = {
  name: 'rotate',
  email: 'rotate@example.org',
  date: new Date('2026-11-23T12:00:00Z'),
};

export const dbPassword = { environment: 'prod', name: 'db-password' };
export const file = 'secrets/prod/db-password.age';
export const rules = ['secrets/prod/secrets.nix', 'rotate.yaml'];

export function claim(epoch: number, seq: number, secret = dbPassword): Claim {
  return { secret, fence: { epoch, seq } };
}

export function bytes(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text));
}

export function message(rotationId: string): string {
  return rotationMessage(rotationId, [dbPassword], 'd1ge57');
}

/** A fleet's repo: a bare remote and a person who works on it. */
export interface Fleet {
  folder: string;
  url: string;
  bare: string;
  /** Runs git in the bare remote. */
  remote: Git;
  /** Commit of the first push. */
  base: string;
  /** Opens a worker's clone with a state folder of its own. */
  worker(options?: Partial<CloneOptions>): Promise<Clone>;
  /** The person changes files on a branch and pushes; `force` rewrites it. */
  person(files: Record<string, string>, options?: PersonOptions): Promise<string>;
  show(rev: string, path: string): Promise<string>;
  environment: Record<string, string>;
}

interface PersonOptions {
  branch?: string;
  message?: string;
  onto?: string;
}

export async function makeFleet(options: { objectFormat?: 'sha1' | 'sha256' } = {}): Promise<Fleet> {
  const folder = await temporaryFolder();
  const home = join(folder, 'home');
  await mkdir(home);
  await writeFile(join(home, '.gitconfig'), '[user]\n\tname = Eve\n\temail = eve@example.org\n');
  const environment = { ...gitEnvironment({ PATH: process.env['PATH'] }), HOME: home };
  const bare = join(folder, 'infra.git');
  const work = join(folder, 'person');
  const outside = gitAt({ environment, cwd: folder });
  const format = `--object-format=${options.objectFormat ?? 'sha1'}`;
  await outside({ args: ['init', '--quiet', '--bare', format, '--initial-branch=main', bare] });
  await outside({ args: ['init', '--quiet', format, '--initial-branch=main', work] });
  const inWork = gitAt({ environment, cwd: work });
  const remote = gitAt({ environment, gitDir: bare, cwd: folder });
  const url = `file://${bare}`;
  await inWork({ args: ['remote', 'add', 'origin', url] });
  let workers = 0;

  const fleet: Fleet = {
    folder,
    url,
    bare,
    remote,
    base: '',
    environment,
    async worker(changes = {}) {
      workers += 1;
      return Clone.open({ remote: url, stateDir: join(folder, `state-${workers}`), environment, ...changes });
    },
    async person(files, changes = {}) {
      const branch = changes.branch ?? 'main';
      if (fleet.base !== '') {
        await inWork({ args: ['fetch', '--quiet', 'origin'] });
        const from = changes.onto ?? `origin/${branch}`;
        await inWork({ args: ['checkout', '--quiet', '-B', branch, from] });
      }
      for (const [path, text] of Object.entries(files)) {
        await mkdir(dirname(join(work, path)), { recursive: true });
        await writeFile(join(work, path), text);
      }
      await inWork({ args: ['add', '--all'] });
      await inWork({ args: ['commit', '--quiet', '--allow-empty', '-m', changes.message ?? 'work'] });
      await inWork({ args: ['push', '--quiet', '--force', 'origin', `HEAD:refs/heads/${branch}`] });
      return gitText(inWork, { args: ['rev-parse', 'HEAD'] });
    },
    show(rev, path) {
      return gitText(remote, { args: ['show', `${rev}:${path}`] });
    },
  };
  fleet.base = await fleet.person({
    'flake.nix': '{ outputs = _: {}; }\n',
    'rotate.yaml': 'version: 1\n',
    'secrets/prod/secrets.nix': '{ "db-password.age".publicKeys = []; }\n',
    [file]: 'old ciphertext\r\n',
  });
  return fleet;
}

/**
 * Arguments for node to run a script (`-e`) that imports our TypeScript as it is; the modules that it loads
 * are listed in `globalThis.loaded`.
 */
export const typeScript = [
  '--import',
  `data:text/javascript,${encodeURIComponent(`
    import { registerHooks } from 'node:module';
    globalThis.loaded = [];
    registerHooks({
      resolve(specifier, context, next) {
        const found = next(specifier.startsWith('.') ? specifier.replace(/\\.js$/, '.ts') : specifier, context);
        globalThis.loaded.push(found.url);
        return found;
      },
    });`)}`,
  '--input-type=module',
];
