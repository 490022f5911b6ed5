/**
 * The rotate.yaml that comes about, as data, and what its reader has to say of it. The file's own reader judges every
 * answer, so that a person is told now what he would be told later, in the same words.
 */
import { formatKeyPath, type KeyPath, type Problem } from '../../config/problem.js';
import { readRotateYaml } from '../../config/rotate-yaml.js';
import { RotateError } from '../../domain/failure.js';
import type { Complaint } from './question.js';

/** As the file says it, before defaults. */
export type Draft = Readonly<Record<string, unknown>>;

export const emptyDraft: Draft = { version: 1 };

/** `draft` with a value at `path`; mappings on the way are made. Keys keep the order in which they came. */
export function withValue(draft: Draft, path: readonly string[], value: unknown): Draft {
  const [key, ...rest] = path;
  if (key === undefined) return draft;
  const inner = rest.length === 0 ? value : withValue(mappingOf(valueIn(draft, [key])), rest, value);
  const entries = Object.entries(draft);
  const at = entries.findIndex(([name]) => name === key);
  // fromEntries, unlike an assignment, takes `__proto__` for a name like any other.
  return Object.fromEntries(at < 0 ? [...entries, [key, inner]] : entries.with(at, [key, inner]));
}

export function valueIn(draft: Draft, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => {
    const inside = mappingOf(value);
    return Object.hasOwn(inside, key) ? inside[key] : undefined;
  }, draft);
}

export function mappingOf(value: unknown): Draft {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

/** The empty text where there is none. */
export function textIn(draft: Draft, path: readonly string[]): string {
  return textOf(valueIn(draft, path));
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** A mistake, with its place from where it was looked for. */
export interface Mistake extends Complaint {
  place: KeyPath;
}

/**
 * The first mistake of `draft` that is about `path`.
 * @param scope `at`: about it alone; `under`: also about what is in it
 */
export function mistakeAt(draft: Draft, path: KeyPath, scope: 'at' | 'under'): Mistake | undefined {
  const found = problemsIn(draft).find(
    (problem) =>
      path.every((part, i) => problem.path[i] === part) &&
      (scope === 'under' || problem.path.length === path.length),
  );
  return found === undefined
    ? undefined
    : { place: found.path.slice(path.length), ...complaintOf(found, path) };
}

function problemsIn(draft: Draft): Problem[] {
  return readRotateYaml(JSON.stringify(draft), 'rotate.yaml').problems;
}

/** Says where it is, as far as `said` does not; what is in a list names itself. */
function complaintOf({ path, message, hint }: Problem, said: KeyPath): Complaint {
  const rest = formatKeyPath(path.slice(said.length));
  return {
    message: rest === '' || rest.startsWith('[') ? message : `${rest}: ${message}`,
    ...(hint === undefined ? {} : { hint }),
  };
}

/** @throws RotateError BadConfig when something is wrong that no question was about */
export function requireSound(draft: Draft): void {
  const [problem] = problemsIn(draft);
  if (problem === undefined) return;
  const { message, hint } = complaintOf(problem, []);
  throw new RotateError('BadConfig', message, hint === undefined ? {} : { hint });
}
