/**
 * Reads a file's values one field at a time, so that a mistake in one does not
 * hide those in the others. Mistakes are collected; whoever reads goes on with
 * what was right.
 */
import type { z } from 'zod';
import type { KeyPath, Problem } from './problem.js';
import type { YamlSource } from './yaml-source.js';
import { problemsOf, unknownKey, valueAt } from './zod-problems.js';
import { nearest } from './nearest.js';

export type Shape<S> = { readonly [K in keyof S]: z.ZodType };
/** What could be read; a key is absent when its value is wrong, or was optional and not given. */
export type Fields<S extends Shape<S>> = { [K in keyof S]?: z.output<S[K]> };

export interface Reader {
  readonly source: YamlSource;
  /** In the order in which they were found. */
  readonly problems: readonly Problem[];
  /** The value in the file, unchecked; undefined where there is none. */
  raw(path: KeyPath): unknown;
  /** Notes a mistake at a value (or, `at: 'key'`, at its key). */
  problem(path: KeyPath, message: string, options?: { hint?: string; at?: 'key' | 'value' }): void;
  /** The value at `path` by `schema`; undefined when it is wrong (noted). */
  read<T extends z.ZodType>(schema: T, path: KeyPath): z.output<T> | undefined;
  /**
   * The mapping at `path`, key by key; keys that `shape` does not have are mistakes. Nothing there counts as empty.
   * @param others keys that may stand there too and are read by themselves
   */
  fields<S extends Shape<S>>(shape: S, path: KeyPath, others?: readonly string[]): Fields<S>;
  /** Keys of the mapping at `path`; none when there is nothing, or something else (noted). */
  keys(path: KeyPath): string[];
  /** Number of items of the list at `path`; 0 when there is nothing, or something else (noted). */
  count(path: KeyPath): number;
}

export function createReader(source: YamlSource): Reader {
  const problems: Problem[] = [];
  const raw = (path: KeyPath): unknown => valueAt(source.value, path);
  const problem: Reader['problem'] = (path, message, options = {}) => {
    const place = options.at === 'key' ? source.keyAt(path) : source.valueAt(path);
    problems.push({ ...place, path, message, ...(options.hint === undefined ? {} : { hint: options.hint }) });
  };
  const keys: Reader['keys'] = (path) => {
    const value = raw(path);
    if (value === undefined || value === null) return [];
    if (typeof value === 'object' && !Array.isArray(value)) return Object.keys(value);
    problem(path, `must be a mapping, not ${Array.isArray(value) ? 'a list' : 'a single value'}`);
    return [];
  };
  const count: Reader['count'] = (path) => {
    const value = raw(path);
    if (value === undefined || value === null) return 0;
    if (Array.isArray(value)) return value.length;
    problem(path, `must be a list, not a ${typeof value === 'object' ? 'mapping' : 'single value'}`);
    return 0;
  };
  const read = <T extends z.ZodType>(schema: T, path: KeyPath): z.output<T> | undefined => {
    const result = schema.safeParse(raw(path));
    if (result.success) return result.data;
    problems.push(...problemsOf(result.error.issues, schema, path, source));
    return undefined;
  };
  const fields = <S extends Shape<S>>(shape: S, path: KeyPath, others: readonly string[] = []): Fields<S> => {
    const before = problems.length;
    const given = keys(path);
    const found: Fields<S> = {};
    if (given.length === 0 && problems.length > before) return found;
    const unread = [...Object.keys(shape), ...others].filter((key) => !given.includes(key));
    const meant = new Set<string>();
    for (const key of given) {
      if (Object.hasOwn(shape, key) || others.includes(key)) continue;
      problems.push(unknownKey(source, [...path, key], unread));
      for (const name of nearest(key, unread)) meant.add(name);
    }
    for (const key in shape) {
      // a misspelt key is told once, not also as the missing one
      if (meant.has(key)) continue;
      const value = read<S[typeof key]>(shape[key], [...path, key]);
      if (value !== undefined) found[key] = value;
    }
    return found;
  };
  return { source, problems, raw, problem, read, fields, keys, count };
}
