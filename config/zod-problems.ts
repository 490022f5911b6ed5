/**
 * Zod's issues as problems of a file: with the place, in words for a person, and
 * for a misspelt key with the one that was meant.
 */
import { z } from 'zod';
import { nearest, unknownMessage } from './nearest.js';
import type { KeyPath, Problem } from './problem.js';
import type { YamlSource } from './yaml-source.js';

type Issue = z.core.$ZodIssue;

/** An issue with its place in the file; `missing` and `meant` are there to tell a misspelt key once. */
interface Placed extends Problem {
  missing?: string;
  meant?: readonly string[];
}

/**
 * @param issues of parsing the value at `base` with `schema`
 * @param schema only asked for its keys
 */
export function problemsOf(
  issues: readonly Issue[],
  schema: z.ZodType,
  base: KeyPath,
  source: YamlSource,
): Problem[] {
  const keysAt = knownKeys(schema);
  const placed = issues.flatMap((issue) => place(issue, base, base.length, source, keysAt));
  const meant = new Set(placed.flatMap((problem) => problem.meant ?? []));
  return placed
    .filter((problem) => problem.missing === undefined || !meant.has(problem.missing))
    .map(({ missing: _missing, meant: _meant, ...problem }) => problem);
}

function place(
  issue: Issue,
  base: KeyPath,
  root: number,
  source: YamlSource,
  keysAt: (path: KeyPath) => string[],
): Placed[] {
  const path: KeyPath = [
    ...base,
    ...issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part)),
  ];
  const value = valueAt(source.value, path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => {
        const known = keysAt(path.slice(root)).filter((name) => !Object.hasOwn(Object(value), name));
        const meant = nearest(key, known).map((name) => JSON.stringify([...path, name]));
        return { ...unknownKey(source, [...path, key], known), meant };
      });
    case 'invalid_union': {
      // a single value is told what the author of the schema has to say, a mapping what is wrong inside it
      if (!isDefaultText(issue.message) && (typeof value !== 'object' || value === null)) break;
      const branch = bestBranch(issue.errors);
      if (branch !== undefined) return branch.flatMap((inner) => place(inner, path, root, source, keysAt));
      break;
    }
    case 'invalid_key':
    case 'invalid_element':
      return issue.issues.map((inner) => ({ ...source.keyAt(path), path, ...textOf(inner, undefined) }));
    default:
  }
  if (value === undefined && issue.code !== 'custom') {
    const key = path.at(-1);
    return [
      {
        ...source.keyAt(path),
        path,
        message: 'is missing',
        missing: JSON.stringify(path),
        ...missingHint(key),
      },
    ];
  }
  return [{ ...source.valueAt(path), path, ...textOf(issue, value) }];
}

function missingHint(key: string | number | undefined): { hint: string } {
  return { hint: `add \`${String(key)}\`` };
}

/** The problem of a key that nothing reads. */
export function unknownKey(source: YamlSource, path: KeyPath, known: Iterable<string>): Problem {
  const names = [...known];
  const key = String(path.at(-1));
  const near = nearest(key, names);
  const hint =
    near[0] !== undefined
      ? `rename it to \`${near[0]}\``
      : names.length === 0
        ? 'remove it'
        : `what can stand here: ${names.toSorted().join(', ')}`;
  return { ...source.keyAt(path), path, message: unknownMessage('key', key, names), hint };
}

/** The branch that the value comes closest to: the right type at the top, then the fewest mistakes. */
function bestBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const cost = (branch: readonly Issue[]): number =>
    branch.reduce((sum, issue) => {
      if (issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value'))
        return sum + 1000;
      return sum + (issue.code === 'unrecognized_keys' ? issue.keys.length : 1);
    }, 0);
  return branches.toSorted((a, b) => cost(a) - cost(b))[0];
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a mapping',
  record: 'a mapping',
  array: 'a list',
  null: 'empty',
};

function textOf(issue: Issue, value: unknown): { message: string; hint?: string } {
  if (value === null) return { message: 'is empty', hint: 'give it a value, or remove the key' };
  if (issue.code !== 'custom' && !isDefaultText(issue.message)) return { message: issue.message };
  switch (issue.code) {
    case 'invalid_type': {
      const expected = typeNames[issue.expected] ?? issue.expected;
      const scalar = typeof value === 'number' || typeof value === 'boolean';
      const message = `must be ${expected}, not ${nameOfType(value)}`;
      return issue.expected === 'string' && scalar ? { message, hint: 'put it in quotes' } : { message };
    }
    case 'invalid_value': {
      const values = issue.values.map(String);
      const near = typeof value === 'string' ? nearest(value, values) : [];
      const list = values.map((each) => `\`${each}\``).join(', ');
      const message = values.length === 1 ? `must be ${list}` : `must be one of ${list}`;
      return near[0] === undefined ? { message } : { message, hint: `did you mean \`${near[0]}\`?` };
    }
    case 'too_small':
      return { message: limitText(issue.origin, 'at least', Number(issue.minimum)) };
    case 'too_big':
      return { message: limitText(issue.origin, 'at most', Number(issue.maximum)) };
    case 'custom': {
      const hint: unknown = issue.params?.['hint'];
      return typeof hint === 'string' ? { message: issue.message, hint } : { message: issue.message };
    }
    default:
      return { message: `${issue.message.slice(0, 1).toLowerCase()}${issue.message.slice(1)}` };
  }
}

/** Whether zod wrote the message, and not the author of a schema. */
function isDefaultText(message: string): boolean {
  return /^(Invalid|Too small|Too big|Unrecognized)\b/.test(message);
}

function limitText(origin: string, bound: string, limit: number): string {
  if (origin === 'array') return `must have ${bound} ${limit} ${limit === 1 ? 'entry' : 'entries'}`;
  if (origin === 'string')
    return limit === 1 ? 'must not be empty' : `must have ${bound} ${limit} characters`;
  return `must be ${bound} ${limit}`;
}

function nameOfType(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  return typeof value === 'string' ? 'text' : (typeNames[typeof value] ?? typeof value);
}

/** The value at `path`, undefined where there is none. */
export function valueAt(value: unknown, path: KeyPath): unknown {
  let here: unknown = value;
  for (const part of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, part)) return undefined;
    here = Object.getOwnPropertyDescriptor(here, part)?.value;
  }
  return here;
}

const Outline = z.looseObject({
  properties: z.record(z.string(), z.unknown()).optional(),
  additionalProperties: z.unknown().optional(),
  items: z.unknown().optional(),
  anyOf: z.array(z.unknown()).optional(),
  oneOf: z.array(z.unknown()).optional(),
  allOf: z.array(z.unknown()).optional(),
});

/** Which keys `schema` knows at a path, read from its JSON schema; that is made only when a mistake asks for it. */
function knownKeys(schema: z.ZodType): (path: KeyPath) => string[] {
  let json: unknown;
  return (path) => {
    json ??= z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', reused: 'inline' });
    return keysIn(json, path);
  };
}

function keysIn(json: unknown, path: KeyPath): string[] {
  const parsed = Outline.safeParse(json);
  if (!parsed.success) return [];
  const { properties, additionalProperties, items, anyOf, oneOf, allOf } = parsed.data;
  const [first, ...rest] = path;
  const own =
    first === undefined
      ? Object.keys(properties ?? {})
      : keysIn(typeof first === 'number' ? items : (properties?.[first] ?? additionalProperties), rest);
  const branches = [...(anyOf ?? []), ...(oneOf ?? []), ...(allOf ?? [])];
  return [...new Set([...own, ...branches.flatMap((branch) => keysIn(branch, path))])];
}
