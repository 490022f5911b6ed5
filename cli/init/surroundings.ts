/** What a repo and a person's machine already say: rules files, the names and keys in them, known_hosts. Reads only. */
import { existsSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';
import { join, posix } from 'node:path';

import { lookUpKnownHosts } from '../../hosts/ssh/known-hosts.js';
import { readRules, type NamedKey, type RulesText } from './rules-text.js';

export interface Surroundings {
  /** The branch that is checked out. */
  branch?: string;
  /** Folders with a flake.nix, from the root of the repo; the root is `.`. */
  flakes: readonly string[];
  /** Paths of rules files. */
  rules: readonly string[];
  /** Whether there is a file at a path from the root of the repo. */
  has(path: string): boolean;
  /** What a rules file says, as far as that can be seen without evaluating it. */
  readRules(path: string): Promise<RulesText>;
  /** Keys of a host in the person's known_hosts and the machine's. */
  knownKeys(address: string, port: number): Promise<NamedKey[]>;
}

/** @param root of the repo @param home of the person */
export async function lookAround(
  root: string,
  home: string | undefined,
  branch?: string,
): Promise<Surroundings> {
  const files = await filesNamed(root, ['secrets.nix', 'flake.nix']);
  const ofName = (name: string): string[] => files.filter((path) => posix.basename(path) === name);
  return {
    ...(branch === undefined ? {} : { branch }),
    flakes: ofName('flake.nix').map((path) => posix.dirname(path)),
    rules: ofName('secrets.nix'),
    has: (path) => existsSync(join(root, path)),
    readRules: (path) => readRules(root, path),
    knownKeys: (address, port) => knownKeys(home, address, port),
  };
}

/** Deeper, nobody keeps rules; and a link may lead anywhere. */
const deepest = 6;
const skipped = new Set(['.git', '.direnv', 'node_modules', 'result']);

/** Paths from `root`, sorted. */
async function filesNamed(root: string, names: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  const walk = async (folder: string, depth: number): Promise<void> => {
    for (const entry of await readdir(join(root, folder), { withFileTypes: true })) {
      const path = posix.join(folder, entry.name);
      if (entry.isFile() && names.includes(entry.name)) found.push(path);
      else if (entry.isDirectory() && depth < deepest && !skipped.has(entry.name))
        await walk(path, depth + 1);
    }
  };
  await walk('.', 1);
  return found.toSorted();
}

/** The best first, as ssh itself prefers them. */
const preferred = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'ssh-rsa',
];

async function knownKeys(home: string | undefined, address: string, port: number): Promise<NamedKey[]> {
  const files = [
    ...(home === undefined ? [] : [{ path: join(home, '.ssh/known_hosts'), name: '~/.ssh/known_hosts' }]),
    { path: '/etc/ssh/ssh_known_hosts', name: '/etc/ssh/ssh_known_hosts' },
  ];
  const keys: (NamedKey & { type: string })[] = [];
  const revoked = new Set<string>();
  for (const { path, name } of files) {
    if (!existsSync(path)) continue;
    const known = lookUpKnownHosts(await readFile(path, 'utf8'), address, port);
    for (const { type, blob } of known.trusted)
      keys.push({ type, key: `${type} ${blob.toString('base64')}`, from: name });
    for (const { type, blob } of known.revoked) revoked.add(`${type} ${blob.toString('base64')}`);
  }
  return keys
    .filter(({ key, type }) => !revoked.has(key) && preferred.includes(type))
    .toSorted((a, b) => preferred.indexOf(a.type) - preferred.indexOf(b.type))
    .map(({ key, from }) => ({ key, from }));
}
