/**
 * The parser's nodes as plain data, with the place of every key and value. Aliases
 * and merge keys are expanded here, within a budget, and duplicate keys noted.
 */
import { type Document, type Node, isAlias, isCollection, isMap, isScalar, isSeq, visit } from 'yaml';
import type { Alias, YAMLMap } from 'yaml';
import type { KeyPath } from './problem.js';

/** Character offsets of a key and its value; a list item has no key. */
interface Offsets {
  key?: number;
  value: number;
}

/** Where things stand, by {@link keyOf} of their path. */
export type Places = Map<string, Offsets>;

export interface Reading {
  targets: ReadonlyMap<Alias, Node>;
  places: Places;
  /** Collections being read, to see one that contains itself. */
  open: Set<Node>;
  /** How many more values aliases may add. */
  budget: { left: number };
  problem(offset: number, path: KeyPath, message: string, hint?: string): void;
  lineOf(offset: number): number;
}

/** What each alias stands for: the last anchor of its name before it. */
export function aliasTargets(document: Document, problem: Reading['problem']): Map<Alias, Node> {
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

/** The value of a node: mappings become objects without a prototype, in the order of the file. */
export function readNode(node: unknown, path: KeyPath, reading: Reading, viaAlias: boolean = false): unknown {
  if (viaAlias && --reading.budget.left < 0) {
    if (reading.budget.left === -1) {
      reading.problem(start(node), path, 'aliases add too many values', 'use fewer aliases of aliases');
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
    return readNode(target, path, reading, true);
  }
  if (isScalar(node)) return node.value;
  if (!isCollection(node)) return null;
  reading.open.add(node);
  const value = isMap(node)
    ? readMap(node, path, reading, viaAlias)
    : node.items.map((item, i) => {
        reading.places.set(keyOf([...path, i]), { value: start(item) });
        return readNode(item, [...path, i], reading, viaAlias);
      });
  reading.open.delete(node);
  return value;
}

function readMap(map: YAMLMap, path: KeyPath, reading: Reading, viaAlias: boolean): Record<string, unknown> {
  const object: Record<string, unknown> = Object.create(null);
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
    reading.places.set(keyOf(inside), { key: offset, value: isEmpty(value) ? offset : start(value) });
    object[key] = readNode(value, inside, reading, viaAlias);
  }
  for (const merge of merges) mergeInto(object, merge.node, merge.offset, path, reading);
  return object;
}

/** `<<: *defaults`, or a list of such; what the mapping itself says stays, and so do earlier ones. */
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
    // an unknown alias is noted already
    if (isAlias(node) && target === undefined) return;
    reading.problem(offset, [...path, '<<'], 'a merge key needs an alias of a mapping, or a list of them');
    return;
  }
  const places: Places = new Map();
  const merged: unknown = readNode(node, path, { ...reading, places }, true);
  if (typeof merged !== 'object' || merged === null) return;
  for (const [key, value] of Object.entries(merged)) if (!Object.hasOwn(object, key)) object[key] = value;
  for (const [key, place] of places) if (!reading.places.has(key)) reading.places.set(key, place);
}

/** A key as it is written, so that `1.10` stays `1.10`. */
function keyText(node: unknown, reading: Reading): string | undefined {
  const target = isAlias(node) ? reading.targets.get(node) : node;
  if (!isScalar(target) || target.value === null) return undefined;
  return typeof target.value === 'string' ? target.value : target.source;
}

/** `port:` with nothing behind it: its place is that of the key. */
function isEmpty(node: unknown): boolean {
  return node === null || (isScalar(node) && node.value === null && node.range?.[0] === node.range?.[1]);
}

function start(node: unknown): number {
  return isAlias(node) || isScalar(node) || isCollection(node) ? (node.range?.[0] ?? 0) : 0;
}

/** A path as a key of {@link Places}. */
export function keyOf(path: KeyPath): string {
  return JSON.stringify(path);
}

/** The offset of the key at `path`, or of the nearest thing that encloses it. */
export function keyOffset(places: Places, path: KeyPath): number {
  for (let length = path.length; length > 0; length--) {
    const place = places.get(keyOf(path.slice(0, length)));
    if (place !== undefined) return place.key ?? place.value;
  }
  return 0;
}

/** The last key that begins before `offset`: near enough to say where broken text stands. */
export function enclosingPath(places: Places, offset: number): KeyPath {
  let best = '[]';
  let bestOffset = -1;
  for (const [key, place] of places) {
    const begin = place.key ?? place.value;
    if (begin >= offset || begin < bestOffset) continue;
    best = key;
    bestOffset = begin;
  }
  const path: unknown = JSON.parse(best);
  return Array.isArray(path)
    ? path.filter((part) => typeof part === 'string' || typeof part === 'number')
    : [];
}
