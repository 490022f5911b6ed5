/** A host's disk, seen from outside: what it has beyond the image that all hosts share, and its /tmp. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { leaderOf } from '../../client/lab-host.js';
import type { CanaryHost } from '../host.js';
import { runOn } from '../host.js';
import { Inspector } from '../inspector.js';
import type { Place } from '../place.js';
import { searchTree } from '../walk.js';
import type { WalkOptions } from '../walk.js';

/** The overlay's upper layer: all files that the host has written. */
function upperLayer(host: CanaryHost): string {
  const upper = join(host.folder, 'disk/upper');
  if (!existsSync(upper))
    throw new Error(`there is no ${upper}: the disk of ${host.name} cannot be searched`);
  return upper;
}

/** The host's /nix: closures, derivations, the database, build logs. The decoy is a path added by the host's Nix. */
export function hostStorePlace(host: CanaryHost, options: Omit<WalkOptions, 'label'> = {}): Place {
  const planted: string[] = [];
  return {
    name: `Nix store of ${host.name}`,
    async search(needles, signal) {
      const inspector = new Inspector(needles, signal);
      await searchTree(inspector, join(upperLayer(host), 'nix'), { ...options, label: `${host.name}:/nix` });
      return inspector.hits;
    },
    async plant(decoy) {
      const script =
        'd=$(mktemp -d) && cat > "$d/decoy" && PATH=$PATH:/run/current-system/sw/bin nix-store --add "$d/decoy"; code=$?; rm -r "$d"; exit $code';
      const path = (await runOn(host, script, `${decoy}\n`)).trim();
      planted.push(path);
      return [`${host.name}:${path}`];
    },
    async clean() {
      for (const path of planted.splice(0)) await runOn(host, `nix-store --delete ${path} >/dev/null 2>&1`);
    },
  };
}

export interface HostDiskOptions extends Omit<WalkOptions, 'label' | 'exclude'> {
  /**
   * Paths on the host that are left out. The data folder of PostgreSQL is the default: the verifier belongs there,
   * and its log has a place of its own.
   */
  exclude?: readonly string[];
}

/**
 * All else on the host's disk (with /var/lib/rotate, /var/tmp and homes), and what it keeps in memory under /tmp and
 * /dev/shm. Not /run, where secrets are installed. The decoys are files.
 */
export function hostDiskPlace(host: CanaryHost, options: HostDiskOptions = {}): Place {
  const folders = ['/var/lib/rotate', '/var/tmp', '/tmp', '/dev/shm'];
  const inMemory = ['/tmp', '/dev/shm'];
  const planted: string[] = [];
  return {
    name: `disk of ${host.name}`,
    async search(needles, signal) {
      const inspector = new Inspector(needles, signal);
      const { exclude = ['/var/lib/postgresql'], ...rest } = options;
      const upper = upperLayer(host);
      await searchTree(inspector, upper, {
        ...rest,
        exclude: ['/nix', ...exclude].map((path) => join(upper, path)),
        label: `${host.name}:/`,
      });
      const leader = leaderOf(host.folder);
      // A host that is off has no memory.
      for (const folder of leader === undefined ? [] : inMemory)
        await searchTree(inspector, `/proc/${leader}/root${folder}`, {
          ...rest,
          exclude: exclude.map((path) => `/proc/${leader}/root${path}`),
          label: `${host.name}:${folder}`,
        });
      return inspector.hits;
    },
    async plant(decoy) {
      const file = `rotate-canary-${process.pid}-${planted.length}`;
      const paths = folders.map((folder) => `${folder}/${file}`);
      planted.push(...paths);
      await runOn(
        host,
        `umask 077; mkdir -p ${folders.join(' ')} && tee ${paths.join(' ')} >/dev/null && rmdir /var/lib/rotate 2>/dev/null; true`,
        `value=${decoy}\n`,
      );
      return paths.map((path) => `${host.name}:${path}`);
    },
    async clean() {
      const paths = planted.splice(0);
      if (paths.length > 0) await runOn(host, `rm -f ${paths.join(' ')}`);
    },
  };
}
