/** `after` of the secrets: each names a secret of the environment, and none is rotated after itself. */
import type { Reader } from './fields.js';
import { unknownMessage } from './nearest.js';

export function checkOrder(reader: Reader): void {
  for (const environment of reader.keys(['secrets'])) {
    const names = reader.keys(['secrets', environment]);
    const after = new Map(names.map((name) => [name, namesAt(reader, environment, name)]));
    for (const [name, before] of after) {
      for (const [i, other] of before.entries()) {
        const path = ['secrets', environment, name, 'after', i];
        if (!names.includes(other))
          reader.problem(path, unknownMessage('secret', other, names), {
            hint: `name a secret of \`${environment}\``,
          });
        else {
          const cycle = pathBetween(after, other, name);
          if (cycle !== undefined)
            reader.problem(
              path,
              `\`${name}\` would be rotated after itself: ${[name, ...cycle].join(' after ')}`,
              {
                hint: 'take one of them out',
              },
            );
        }
      }
    }
  }
}

function namesAt(reader: Reader, environment: string, name: string): string[] {
  const value = reader.raw(['secrets', environment, name, 'after']);
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : [];
}

/** The names from `from` to `to` along `after`; undefined when it does not lead there. */
function pathBetween(
  after: ReadonlyMap<string, readonly string[]>,
  from: string,
  to: string,
  seen: ReadonlySet<string> = new Set(),
): string[] | undefined {
  if (from === to) return [from];
  if (seen.has(from)) return undefined;
  for (const next of after.get(from) ?? []) {
    const rest = pathBetween(after, next, to, new Set([...seen, from]));
    if (rest !== undefined) return [from, ...rest];
  }
  return undefined;
}
