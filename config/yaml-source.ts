/**
 * Reads a YAML file into plain data and remembers where each key and value
 * stands, so that every later mistake can name its line and column.
 *
 * One document, YAML 1.2. Anchors, aliases and merge keys are expanded here, with
 * a limit, and duplicate keys are mistakes. Knows nothing of zod, so that quick
 * readers stay quick.
 */
import {
  type Document,
  type Node,
  LineCounter,
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  parseDocument,
  visit,
} from 'yaml';
import type { Alias, YAMLMap, YAMLParseError } from 'yaml';
import type { KeyPath, Problem } from './problem.js';
import { yamlErrorText } from './yaml-errors.js';

export interface Position {
  /** From 1. */
  line: number;
  /** From 1. */
  column: number;
}

export interface YamlSource {
  /** As it is named in messages. */
  readonly file: string;
  /** Mappings are objects without a prototype, in the order of the file. */
  readonly value: unknown;
  /** Where the key (or list item) at `path` begins; of what is not there, the nearest thing that encloses it. */
  keyAt(path: KeyPath): Position;
  /** Where the value at `path` begins; of what is not there, {@link keyAt}. */
  valueAt(path: KeyPath): Position;
}

export interface YamlResult {
  source: YamlSource;
  problems: Problem[];
  /** The text is not YAML; what could be read of it means nothing. */
  broken: boolean;
}

/** Values that aliases and merge keys may add: far above any fleet, far below an alias bomb. */
const expansionLimit = 100_000;
const sizeLimit = 4 * 1024 * 1024;

interface Offsets {
  key?: number;
  value: number;
}

interface Reading {
  targets: ReadonlyMap<Alias, Node>;
  offsets: Map<string, Offsets>;
  /** Nodes being expanded, to see one that contains itself. */
  open: Set<Node>;
  /** How many more values aliases may add. */
  budget: { left: number };
  problem(offset: number, path: KeyPath, message: string, hint?: string): void;
  lineOf(offset: number): number;
}

/** @param file how the file is named in messages */
export function parseYaml(text: string, file: string): YamlResult {
  const lines = new LineCounter();
  const problems: Problem[] = [];
  const offsets = new Map<string, Offsets>();
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const problem: Reading['problem'] = (offset, path, message, hint) => {
    problems.push({ ...at(offset), path, message, ...(hint === undefined ? {} : { hint }) });
  };
  const sourceOf = (value: unknown): YamlSource => ({
    file,
    value,
    keyAt: (path) => at(keyOffset(offsets, path)),
    valueAt: (path) => at(offsets.get(keyOf(path))?.value ?? keyOffset(offsets, path)),
  });

  if (text.length > sizeLimit) {
    problem(0, [], `the file has ${text.length} characters; at most ${sizeLimit} are read`);
    return { source: sourceOf(undefined), problems, broken: true };
  }
  const document = parse(text, lines);
  if (document === undefined) {
    problem(0, [], 'the file is nested too deeply');
    return { source: sourceOf(undefined), problems, broken: true };
  }
  const reading: Reading = {
    targets: aliasTargets(document, problem),
    offsets,
    open: new Set(),
    budget: { left: expansionLimit },
    problem,
    lineOf: (offset) => at(offset).line,
  };
  const value = read(document.contents, [], reading, false);
  const broken = syntaxErrors(document);
  if (broken.length > 0) {
    problems.length = 0;
    for (const error of broken) {
      const { message, hint } = yamlErrorText(error, text);
      problem(error.pos[0], enclosingPath(offsets, error.pos[0]), message, hint);
    }
  } else if (document.contents === null) {
    problem(0, [], 'the file is empty');
  }
  return { source: sourceOf(value), problems, broken: broken.length > 0 || document.contents === null };
}

function parse(text: string, lines: LineCounter): Document | undefined {
  try {
    return parseDocument(text, {
      lineCounter: lines,
      prettyErrors: false,
      schema: 'core',
      merge: false,
      uniqueKeys: false,
    });
  } catch (error) {
    // the parser recurses: a stack that overflows is its only way to say "too deep"
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** What makes a text unusable, once a place. Warnings are about tags, which nothing here uses. */
function syntaxErrors(document: Document): Pick<YAMLParseError, 'code' | 'message' | 'pos'>[] {
  const errors: Pick<YAMLParseError, 'code' | 'message' | 'pos'>[] = [
    ...document.errors,
    ...document.warnings,
  ];
  const { version } = document.directives?.yaml ?? { version: '1.2' };
  if (version !== '1.2') {
    errors.push({ code: 'BAD_DIRECTIVE', message: `YAML ${version} is not read, only 1.2`, pos: [0, 0] });
  }
  const places = new Set<number>();
  return errors.filter((error) => !places.has(error.pos[0]) && places.add(error.pos[0]));
}

/** What each alias stands for: the last anchor of its name before it. */
function aliasTargets(document: Document, problem: Reading['problem']): Map<Alias, Node> {
  const anchors = new Map<string, Node>();
  const targets = new Map<Alias, Node>();
  visit(document, {
    Node: (_key, node) => {
      if (!isAlias(node)) {
        if (node.anchor !== undefined) anchors.set(node.anchor, node);
        return;
      }
      const target = anchors.get(node.source);
      if (target !== undefined) targets.set(node, target);
      else
        problem(
          start(node),
          [],
          `unknown alias \`*${node.source}\``,
          `set the anchor \`&${node.source}\` before it`,
        );
    },
  });
  return targets;
}

function read(node: unknown, path: KeyPath, reading: Reading, viaAlias: boolean): unknown {
  if (viaAlias && --reading.budget.left < 0) {
    if (reading.budget.left === -1) {
      reading.problem(
        start(node),
        path,
        `aliases add more than ${expansionLimit} values`,
        'use fewer aliases of aliases',
      );
    }
    return undefined;
  }
  if (isAlias(node)) {
    const target = reading.targets.get(node);
    if (target === undefined) return undefined;
    if (reading.open.has(target)) {
      reading.problem(start(node), path, `alias \`*${node.source}\` stands inside what it stands for`);
      return undefined;
    }
    return read(target, path, reading, true);
  }
  if (isScalar(node)) return node.value;
  if (!isCollection(node)) return null;
  reading.open.add(node);
  const value = isMap(node)
    ? readMap(node, path, reading, viaAlias)
    : readItems(node.items, path, reading, viaAlias);
  reading.open.delete(node);
  return value;
}

function readItems(items: readonly unknown[], path: KeyPath, reading: Reading, viaAlias: boolean): unknown[] {
  return items.map((item, i) => {
    reading.offsets.set(keyOf([...path, i]), { value: start(item) });
    return read(item, [...path, i], reading, viaAlias);
  });
}

function readMap(map: YAMLMap, path: KeyPath, reading: Reading, viaAlias: boolean): Record<string, unknown> {
  const object: Record<string, unknown> = emptyObject();
  const lines = new Map<string, number>();
  const merges: { node: unknown; offset: number }[] = [];
  for (const { key: keyNode, value } of map.items) {
    const key = keyText(keyNode, reading);
    const offset = start(keyNode);
    if (key === undefined) {
      reading.problem(offset, path, 'a key must be a word', 'put a key that is more than a word in quotes');
      continue;
    }
    const first = lines.get(key);
    if (first !== undefined) {
      reading.problem(
        offset,
        [...path, key],
        `duplicate key \`${key}\``,
        `it stands already in line ${first}`,
      );
      continue;
    }
    lines.set(key, reading.lineOf(offset));
    if (key === '<<' && isScalar(keyNode) && keyNode.type === 'PLAIN') {
      merges.push({ node: value, offset });
      continue;
    }
    const inside = [...path, key];
    const empty = isScalar(value) && value.value === null && value.range?.[0] === value.range?.[1];
    reading.offsets.set(keyOf(inside), {
      key: offset,
      value: value === null || empty ? offset : start(value),
    });
    define(object, key, read(value, inside, reading, viaAlias));
  }
  for (const merge of merges) mergeInto(object, merge.node, merge.offset, path, reading);
  return object;
}

/** `<<: *defaults`, or a list of such; what the mapping itself says stays. */
function mergeInto(
  object: Record<string, unknown>,
  node: unknown,
  offset: number,
  path: KeyPath,
  reading: Reading,
): void {
  const target = isAlias(node) ? reading.targets.get(node) : node;
  if (isSeq(target)) {
    for (const item of target.items) mergeInto(object, item, offset, path, reading);
    return;
  }
  if (!isMap(target)) {
    if (!isAlias(node) || target !== undefined) {
      reading.problem(offset, [...path, '<<'], 'a merge key needs an alias of a mapping, or a list of them');
    }
    return;
  }
  const offsets = new Map<string, Offsets>();
  const merged: unknown = read(node, path, { ...reading, offsets }, true);
  if (typeof merged !== 'object' || merged === null) return;
  for (const [key, value] of Object.entries(merged))
    if (!Object.hasOwn(object, key)) define(object, key, value);
  for (const [key, place] of offsets) if (!reading.offsets.has(key)) reading.offsets.set(key, place);
}

/** A key as it is written, so that `1.10` stays `1.10`. */
function keyText(node: unknown, reading: Reading): string | undefined {
  const target = isAlias(node) ? reading.targets.get(node) : node;
  if (!isScalar(target) || target.value === null) return undefined;
  return typeof target.value === 'string' ? target.value : (target.source ?? String(target.value));
}

function define(object: Record<string, unknown>, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
}

function emptyObject(): Record<string, unknown> {
  return Object.setPrototypeOf({}, null);
}

function start(node: unknown): number {
  if (isAlias(node) || isScalar(node) || isCollection(node)) return node.range?.[0] ?? 0;
  return 0;
}

function keyOf(path: KeyPath): string {
  return JSON.stringify(path);
}

function keyOffset(offsets: ReadonlyMap<string, Offsets>, path: KeyPath): number {
  for (let length = path.length; length > 0; length--) {
    const place = offsets.get(keyOf(path.slice(0, length)));
    if (place !== undefined) return place.key ?? place.value;
  }
  return 0;
}

/** The last key that begins at or before `offset`: near enough to say where broken text stands. */
function enclosingPath(offsets: ReadonlyMap<string, Offsets>, offset: number): KeyPath {
  let best: KeyPath = [];
  let bestOffset = -1;
  for (const [key, place] of offsets) {
    const begin = place.key ?? place.value;
    if (begin <= offset && begin >= bestOffset) {
      best = parseKey(key);
      bestOffset = begin;
    }
  }
  return best;
}

function parseKey(key: string): KeyPath {
  const path: unknown = JSON.parse(key);
  return Array.isArray(path)
    ? path.filter((part) => typeof part === 'string' || typeof part === 'number')
    : [];
}
