/**
 * Reads a YAML file into plain data and remembers where each key and value
 * stands, so that every later mistake can name its line and column.
 *
 * One document, YAML 1.2. Knows nothing of zod, so that quick readers stay quick.
 */
import { type Document, parseDocument } from 'yaml';
import type { KeyPath, Problem } from './problem.js';
import { type YamlError, conflictMarker, yamlErrorText } from './yaml-errors.js';
import {
  type Places,
  type Reading,
  aliasTargets,
  enclosingPath,
  keyOf,
  keyOffset,
  readNode,
} from './yaml-tree.js';

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
  /** The text is not YAML, or holds nothing; what could be read of it means nothing. */
  broken: boolean;
}

/** Values that aliases and merge keys may add: far above any fleet, far below an alias bomb. */
const expansionLimit = 100_000;
const sizeLimit = 4 * 1024 * 1024;

/** @param file how the file is named in messages */
export function parseYaml(text: string, file: string): YamlResult {
  const at = positions(text);
  const problems: Problem[] = [];
  const places: Places = new Map();
  const problem: Reading['problem'] = (offset, path, message, hint) => {
    problems.push({ ...at(offset), path, message, ...(hint === undefined ? {} : { hint }) });
  };
  const sourceOf = (value: unknown): YamlSource => ({
    file,
    value,
    keyAt: (path) => at(keyOffset(places, path)),
    valueAt: (path) => at(places.get(keyOf(path))?.value ?? keyOffset(places, path)),
  });
  const unusable = (message: string, hint: string, offset: number = 0): YamlResult => {
    problem(offset, [], message, hint);
    return { source: sourceOf(undefined), problems, broken: true };
  };

  if (text.length > sizeLimit)
    return unusable(
      `the file has more than ${sizeLimit} characters`,
      `see whether ${file} is the right file`,
    );
  const document = parse(text);
  if (document === undefined) return unusable('the file is nested too deeply', 'nest less');
  if (document.contents === null && document.errors.length === 0)
    return unusable('the file is empty', 'begin it with `version: 1`; docs/configuration.md has all keys');
  const reading: Reading = {
    targets: aliasTargets(document, problem),
    places,
    open: new Set(),
    budget: { left: expansionLimit },
    problem,
    lineOf: (offset) => at(offset).line,
  };
  const value = readNode(document.contents, [], reading);
  const errors = syntaxErrors(document);
  const conflict = errors.length === 0 ? undefined : conflictMarker(text);
  if (errors.length > 0) problems.length = 0;
  if (conflict !== undefined)
    return unusable('a merge conflict stands here', 'resolve it, and remove the markers of git', conflict);
  for (const error of errors) {
    const { message, hint } = yamlErrorText(error, text);
    problem(error.pos[0], enclosingPath(places, error.pos[0]), message, hint);
  }
  return { source: sourceOf(value), problems, broken: errors.length > 0 };
}

/** The position of an offset. (The parser's own counter loses lines in broken text.) */
function positions(text: string): (offset: number) => Position {
  const starts = [0];
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', end + 1)) starts.push(end + 1);
  return (offset) => {
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
  };
}

function parse(text: string): Document | undefined {
  try {
    return parseDocument(text, {
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

/** What makes a text unusable. Warnings are about tags, which nothing here uses. */
function syntaxErrors(document: Document): YamlError[] {
  const errors: YamlError[] = [...document.errors, ...document.warnings];
  if (document.directives?.yaml.explicit === true && document.directives.yaml.version !== '1.2') {
    errors.push({ code: 'BAD_DIRECTIVE', message: 'only YAML 1.2 is read', pos: [0, 0] });
  }
  const exhausted = errors.find((error) => error.code === 'RESOURCE_EXHAUSTION');
  // one mistake makes others further down; the first ones say enough
  return exhausted === undefined ? errors.slice(0, 10) : [exhausted];
}
