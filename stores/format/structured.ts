/**
 * Formats `json` and `yaml`: one value in a document, found by its path; all else in the file, comments and layout
 * included, belongs to others and stays byte for byte.
 */
import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  isSeq,
  parseDocument,
  visit,
  type YAMLSeq,
} from 'yaml';
import { RotateError } from '../../domain/failure.js';
import { SecretValue } from '../../domain/secret-value.js';
import { didYouMean } from '../suggest.js';
import {
  type ContentFormat,
  fieldsToList,
  fieldsToText,
  listToFields,
  type SecretFields,
  textToFields,
  toText,
  type Writing,
} from './content.js';
import { type Place, splice } from './splice.js';

type Syntax = 'json' | 'yaml';
export type ValuePath = readonly (string | number)[];

const names = { json: 'JSON', yaml: 'YAML' } as const;

export function structuredFormat(syntax: Syntax, path: ValuePath, writing: Writing): ContentFormat {
  const what = `the ${names[syntax]} file`;
  return {
    render(fields, old) {
      if (old === undefined) {
        throw new RotateError(
          'BadFormat',
          `${formatPath(path)} can only be put into ${what} when it is there already`,
        );
      }
      const text = toText(old, what);
      const document = read(syntax, text);
      const value = writing.list === undefined ? fieldsToText(writing, fields) : fieldsToList(fields);
      const { place } = find(syntax, document, path, writing);
      const where = `${formatPath(path)} of ${what}`;
      if (isReferredTo(document, path))
        throw new RotateError('BadFormat', `the value cannot be written to ${where}: others refer to it`, {
          hint: 'write it out where an alias of its anchor stands',
        });
      for (const quoted of [false, true]) {
        const result = splice(text, place, value, quoted);
        if (result !== undefined && onlyThis(syntax, document, result, path, value))
          return SecretValue.fromText(result);
      }
      throw new RotateError('BadFormat', `the value cannot be written to ${where} without changing more`, {
        hint: `write what stands there on one line, ${typeof value === 'string' ? 'in quotes' : 'as `["…"]`'}`,
      });
    },
    parse(content): SecretFields {
      const { value } = find(syntax, read(syntax, toText(content, what)), path, writing);
      return typeof value === 'string' ? textToFields(writing, value) : listToFields(value);
    },
  };
}

/** `session.keys[0]`, for messages. */
export function formatPath(path: ValuePath): string {
  return path
    .map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i === 0 ? '' : '.'}${part}`))
    .join('');
}

/** @throws RotateError `BadFormat`, without any of the text: a parser would quote it */
function read(syntax: Syntax, text: string): Document {
  const document = parseDocument(text, {
    uniqueKeys: true,
    keepSourceTokens: true,
    logLevel: 'silent',
    prettyErrors: false,
  });
  const [error] = document.errors;
  const line = error === undefined ? undefined : text.slice(0, error.pos[0]).split('\n').length;
  if (line !== undefined || (syntax === 'json' && !isJson(text)))
    throw new RotateError(
      'BadFormat',
      `the file is not valid ${names[syntax]}${line === undefined ? '' : ` (line ${line})`}`,
    );
  return document;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

interface Found {
  value: string | string[];
  place: Place;
}

function find(syntax: Syntax, document: Document, path: ValuePath, { list }: Writing): Found {
  const place = document.getIn(path, true);
  const where = `${formatPath(path)} of the ${names[syntax]} file`;
  if (!isNode(place)) throw missing(document, path, where);
  if (isAlias(place))
    throw new RotateError('BadFormat', `${where} is an alias`, { hint: 'write the value itself there' });
  if (list !== undefined) {
    const value = isSeq(place) ? textsOf(place) : undefined;
    if (!isSeq(place) || value === undefined)
      throw new RotateError('BadFormat', `${where} is no list of texts`);
    return { value, place };
  }
  if (!isScalar(place) || typeof place.value !== 'string')
    throw new RotateError('BadFormat', `${where} is no text`, {
      hint: isCollection(place) ? 'name a value in it' : 'put it in quotes',
    });
  return { value: place.value, place };
}

function textsOf(node: YAMLSeq): string[] | undefined {
  const values: string[] = [];
  for (const item of node.items) {
    if (!isScalar(item) || typeof item.value !== 'string') return undefined;
    values.push(item.value);
  }
  return values;
}

function missing(document: Document, path: ValuePath, where: string): RotateError {
  const parent = document.getIn(path.slice(0, -1));
  const known = new Set<string>();
  const last = path.at(-1);
  if (isCollection(parent))
    for (const key of Object.keys(toRecord(parent.toJSON()))) if (typeof last === 'string') known.add(key);
  return new RotateError('BadFormat', `there is no ${where}`, {
    hint: didYouMean(String(last), known, 'put a first value there by hand'),
  });
}

function toRecord(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}

/** Whether an alias has the anchor of the value, of what it stands in, or of an entry of the list: it would change too. */
function isReferredTo(document: Document, path: ValuePath): boolean {
  const aliases = new Set<string>();
  visit(document, {
    Alias: (_, { source }) => {
      aliases.add(source);
    },
  });
  const around = path.map((_, i) => document.getIn(path.slice(0, i), true));
  const place = document.getIn(path, true);
  return [...around, place, ...(isSeq(place) ? place.items : [])].some(
    (node) => (isScalar(node) || isCollection(node)) && node.anchor !== undefined && aliases.has(node.anchor),
  );
}

/** What would be deployed is read once more: nothing but our value may have changed. */
function onlyThis(
  syntax: Syntax,
  before: Document,
  text: string,
  path: ValuePath,
  value: string | readonly string[],
): boolean {
  try {
    const after = read(syntax, text);
    const place = after.getIn(path, true);
    const actual = isSeq(place) ? textsOf(place) : isScalar(place) ? place.value : undefined;
    return (
      JSON.stringify(actual) === JSON.stringify(value) &&
      JSON.stringify(allBut(path, after)) === JSON.stringify(allBut(path, before))
    );
  } catch (error) {
    if (error instanceof RotateError) return false;
    throw error;
  }
}

/** The document around the value: scalars as they are written, for as numbers two that differ may be the same. */
function allBut(path: ValuePath, document: Document): unknown[] {
  const place = document.getIn(path, true);
  const found: unknown[] = [];
  visit(document, (_, node) => {
    if (node === place) {
      found.push('the value');
      return visit.SKIP;
    }
    if (isAlias(node)) found.push({ alias: node.source });
    else if (isScalar(node)) found.push({ type: node.type, source: node.source, ...properties(node) });
    else if (isCollection(node))
      found.push({ map: isMap(node), size: node.items.length, ...properties(node) });
    return undefined;
  });
  return found;
}

function properties({ anchor, tag }: { anchor?: string | undefined; tag?: string | undefined }): object {
  return { anchor, tag };
}
