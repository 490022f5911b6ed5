/**
 * The secrets that a schedule rotates. Names and tags are looked up as they are declared, also in secrets with
 * mistakes: a mistake in one must not make it unknown to others.
 */
import type { Reader } from './fields.js';
import { unknownMessage } from './nearest.js';
import type { KeyPath } from './problem.js';

/**
 * Names of secrets of `environment`, sorted, each once; undefined when there are none. Unknown ones are noted.
 * @param path of the schedule
 */
export function readScheduledSecrets(
  reader: Reader,
  path: KeyPath,
  environment: string,
  asked: { secrets?: readonly string[] | undefined; tags?: readonly string[] | undefined },
): string[] | undefined {
  const tags = new Map(
    reader.keys(['secrets', environment]).map((name) => [name, tagsOf(reader, environment, name)]),
  );
  if (tags.size === 0) {
    reader.problem([...path, 'environment'], `environment \`${environment}\` has no secrets`, {
      hint: `declare one under \`secrets.${environment}\``,
    });
    return undefined;
  }
  const named = (asked.secrets ?? []).filter((name, i) =>
    isKnown(reader, [...path, 'secrets', i], 'secret', name, [...tags.keys()], environment),
  );
  const wanted = (asked.tags ?? []).filter((tag, i) =>
    isKnown(reader, [...path, 'tags', i], 'tag', tag, [...tags.values()].flat(), environment),
  );
  const all = ['secrets', 'tags'].every((key) => reader.raw([...path, key]) === undefined);
  const found = [...tags].filter(
    ([name, own]) => all || named.includes(name) || own.some((tag) => wanted.includes(tag)),
  );
  return found.length === 0 ? undefined : found.map(([name]) => name).toSorted();
}

function isKnown(
  reader: Reader,
  path: KeyPath,
  what: 'secret' | 'tag',
  name: string,
  known: readonly string[],
  environment: string,
): boolean {
  if (known.includes(name)) return true;
  reader.problem(path, unknownMessage(what, name, known), {
    hint:
      what === 'secret'
        ? `name a secret of \`${environment}\``
        : `a tag stands under \`tags\` of some secret of \`${environment}\``,
  });
  return false;
}

function tagsOf(reader: Reader, environment: string, name: string): string[] {
  const value = reader.raw(['secrets', environment, name, 'tags']);
  return Array.isArray(value) ? value.filter((tag) => typeof tag === 'string') : [];
}
