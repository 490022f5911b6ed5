/** Host names and `@tag` references, checked against the declared hosts and expanded. */
import type { Reader } from './fields.js';
import { unknownMessage } from './nearest.js';
import type { KeyPath } from './problem.js';
import { type DeclaredHost, type Fleet, declareHint } from './read-fleet.js';

/**
 * Names of hosts that the list at `path` means, sorted, each once. Unknown ones are noted.
 * @param refs as the list was read
 * @param environment tags mean only its hosts, and hosts of others are mistakes; undefined: all
 */
export function expandHosts(
  reader: Reader,
  fleet: Fleet,
  path: KeyPath,
  refs: readonly string[],
  environment: string | undefined,
): string[] {
  const found = new Set<string>();
  for (const [i, ref] of refs.entries()) {
    const hosts = ref.startsWith('@')
      ? tagged(reader, fleet, [...path, i], ref.slice(1), environment)
      : named(reader, fleet, [...path, i], ref, environment);
    for (const host of hosts) found.add(host);
  }
  return [...found].toSorted();
}

function tagged(
  reader: Reader,
  fleet: Fleet,
  path: KeyPath,
  tag: string,
  environment: string | undefined,
): string[] {
  const hosts = [...fleet.hosts.values()];
  const all = hosts.filter((host) => host.tags.includes(tag));
  if (all.length === 0) {
    const tags = hosts.flatMap((host) => host.tags);
    reader.problem(path, unknownMessage('tag', tag, tags), {
      hint: fleet.hosts.has(tag)
        ? `for the host \`${tag}\`, leave out the @`
        : 'a tag stands under `tags` of some host',
    });
    return [];
  }
  const inside = all.filter((host) => mayBeIn(host, environment));
  if (inside.length === 0) {
    reader.problem(path, `no host of environment \`${environment}\` has the tag \`${tag}\``, {
      hint: `those that have it: ${all.map((host) => host.name).join(', ')}`,
    });
  }
  return inside.map((host) => host.name);
}

function named(
  reader: Reader,
  fleet: Fleet,
  path: KeyPath,
  name: string,
  environment: string | undefined,
): string[] {
  const host = fleet.hosts.get(name);
  if (host === undefined) {
    unknownHost(reader, fleet, path, name);
    return [];
  }
  if (!mayBeIn(host, environment)) {
    reader.problem(
      path,
      `host \`${name}\` is of environment \`${host.environment}\`, the secret of \`${environment}\``,
      {
        hint: 'declare the secret in both environments, with a value of its own in each',
      },
    );
    return [];
  }
  return [name];
}

/** Notes a reference to a host that is not declared. */
export function unknownHost(reader: Reader, fleet: Fleet, path: KeyPath, name: string): void {
  const names = [...fleet.hosts.keys()];
  const isTag = [...fleet.hosts.values()].some((host) => host.tags.includes(name));
  reader.problem(path, unknownMessage('host', name, names), {
    hint: isTag ? `for the tag \`${name}\`, write "@${name}"` : declareHint('host', names),
  });
}

/** A host whose environment is wrong may be in any: that is noted already. */
function mayBeIn(host: DeclaredHost, environment: string | undefined): boolean {
  return environment === undefined || host.environment === undefined || host.environment === environment;
}
