/** Reads `repo`, `environments` and `hosts` of `rotate.yaml`, and what other parts may refer to. */
import type { EnvironmentSpec, HostSpec, RepoSpec } from '../domain/spec.js';
import type { Reader } from './fields.js';
import { unknownMessage } from './nearest.js';
import type { KeyPath } from './problem.js';
import { environmentShape, hostShape, repoShape } from './rotate-shapes.js';
import { nameHint, namePattern } from './scalars.js';

/** Hosts as they are declared, also those with mistakes: a mistake in one must not make it unknown to others. */
export interface DeclaredHost {
  name: string;
  /** Undefined where it is wrong. */
  environment: string | undefined;
  tags: readonly string[];
}

export interface Fleet {
  environments: readonly string[];
  hosts: ReadonlyMap<string, DeclaredHost>;
}

/** Notes keys that cannot be names; `extra` are words that mean something else. */
export function checkName(reader: Reader, path: KeyPath, reserved: readonly string[] = []): void {
  const name = String(path.at(-1));
  if (!namePattern.test(name)) {
    reader.problem(path, `\`${name}\` is not a name`, { at: 'key', hint: nameHint });
  } else if (reserved.includes(name)) {
    reader.problem(path, `\`${name}\` cannot be a name here: it has a meaning of its own`, {
      at: 'key',
      hint: 'choose another name',
    });
  }
}

export function readRepo(reader: Reader): RepoSpec {
  const { branch, flake } = reader.fields(repoShape, ['repo']);
  return { branch: branch ?? 'main', flake: flake ?? '.' };
}

/** With the policy that its secrets have by default. */
export interface ReadEnvironment {
  spec: EnvironmentSpec;
  policy: string | undefined;
}

export function readEnvironments(reader: Reader): ReadEnvironment[] {
  const found: ReadEnvironment[] = [];
  for (const name of reader.keys(['environments'])) {
    const path = ['environments', name];
    checkName(reader, path);
    const { store, rules, policy } = reader.fields(environmentShape, path);
    if (store === 'agenix' && reader.raw([...path, 'rules']) === undefined) {
      reader.problem(path, 'an agenix environment needs `rules`', {
        at: 'key',
        hint: 'add `rules:` with the path of its secrets.nix',
      });
    }
    if (store === 'sops' && reader.raw([...path, 'rules']) !== undefined) {
      reader.problem([...path, 'rules'], '`rules` is for agenix; sops finds .sops.yaml by itself', {
        at: 'key',
        hint: 'remove `rules`',
      });
    }
    if (store === undefined) continue;
    found.push({ spec: { name, store, ...(rules === undefined ? {} : { rules }) }, policy });
  }
  return found;
}

export function readHosts(reader: Reader): { specs: HostSpec[]; declared: Map<string, DeclaredHost> } {
  const environments = reader.keys(['environments']);
  const names = reader.keys(['hosts']);
  const specs: HostSpec[] = [];
  const declared = new Map<string, DeclaredHost>();
  for (const name of names) {
    const path = ['hosts', name];
    checkName(reader, path, ['worker']);
    const host = reader.fields(hostShape, path);
    const { environment, build } = host;
    if (environment !== undefined && !environments.includes(environment)) {
      reader.problem([...path, 'environment'], unknownMessage('environment', environment, environments), {
        hint: declareHint('environment', environments),
      });
    }
    if (build !== undefined && build !== 'worker' && !names.includes(build)) {
      reader.problem([...path, 'build'], unknownMessage('host', build, ['worker', ...names]), {
        hint: '`worker`, or the name of a host of this file',
      });
    }
    declared.set(name, { name, environment, tags: host.tags ?? [] });
    if (environment === undefined) continue;
    specs.push({
      name,
      environment,
      address: host.address ?? name,
      port: host.port ?? 22,
      user: host.user ?? 'root',
      sudo: host.sudo ?? false,
      ...(host.hostKey === undefined ? {} : { hostKey: host.hostKey }),
      configuration: host.configuration ?? name,
      build: build ?? 'worker',
      tags: host.tags ?? [],
    });
  }
  return { specs, declared };
}

/** What to do about a name that is not declared. */
export function declareHint(what: 'environment' | 'host' | 'policy', known: readonly string[]): string {
  const section = what === 'policy' ? 'policies' : `${what}s`;
  if (known.length === 0) return `declare it under \`${section}\``;
  const listed = known.length <= 12 ? known.toSorted().join(', ') : `${known.length} are declared`;
  return `declare it under \`${section}\`, or use one of: ${listed}`;
}
