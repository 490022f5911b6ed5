/** The worker's Nix store: what was built and copied, derivations, the database, build logs. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { Inspector } from '../inspector.js';
import type { Place } from '../place.js';
import { searchTree } from '../walk.js';
import type { WalkOptions } from '../walk.js';

const run = promisify(execFile);

/**
 * The store below `root` (with `nix/store` and `nix/var`), to which `nix-store --add` with `env` adds the decoy as a
 * path of its own.
 */
export function storePlace(
  name: string,
  root: string,
  env: NodeJS.ProcessEnv,
  options: Omit<WalkOptions, 'label'> = {},
): Place {
  const planted: string[] = [];
  return {
    name,
    async search(needles, signal) {
      const inspector = new Inspector(needles, signal);
      await searchTree(inspector, join(root, 'nix'), options);
      return inspector.hits;
    },
    async plant(decoy) {
      const folder = await mkdtemp(join(tmpdir(), 'rotate-canary-'));
      try {
        await writeFile(join(folder, 'decoy'), `${decoy}\n`, { mode: 0o600 });
        const { stdout } = await run('nix-store', ['--add', join(folder, 'decoy')], { env });
        planted.push(stdout.trim());
      } finally {
        await rm(folder, { recursive: true });
      }
      return [basename(planted.at(-1) ?? '')];
    },
    async clean() {
      for (const path of planted.splice(0)) await run('nix-store', ['--delete', path], { env });
    },
  };
}
