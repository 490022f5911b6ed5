/**
 * Formats `json` and `yaml`: one value in a document, found by its path; all else in the file, comments and layout
 * included, belongs to others and stays byte for byte.
 */
import {
  type Document,
  isAlias,
  isCollection,
  isNode,
  isScalar,
  isSeq,
  parseDocument,
  Scalar,
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
      const found = find(syntax, document, path, writing);
      const spliced =
        found.range === undefined
          ? undefined
          : text.slice(0, found.range[0]) + written(syntax, value, found.plain) + text.slice(found.range[1]);
      // A list in block style has no place to splice at; the document is written anew then, comments and all.
      const result =
        spliced !== undefined && onlyThis(syntax, document, spliced, path, value)
          ? spliced
          : rewritten(syntax, text, path, value);
      if (result === undefined || !onlyThis(syntax, document, result, path, value))
        throw new RotateError('BadFormat', `the value cannot be written to ${formatPath(path)} of ${what}`, {
          hint: 'is it an anchor that other places refer to? write it out there',
        });
      return SecretValue.fromText(result);
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
  const document = parseDocument(text, { uniqueKeys: true, logLevel: 'silent', prettyErrors: false });
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
  /** Where it is written, in UTF-16 units; absent where it cannot be replaced in place. */
  range?: [number, number];
  /** Written without quotes. */
  plain: boolean;
}

function find(syntax: Syntax, document: Document, path: ValuePath, { list }: Writing): Found {
  const node = document.getIn(path, true);
  const where = `${formatPath(path)} of the ${names[syntax]} file`;
  if (!isNode(node)) throw missing(document, path, where);
  if (isAlias(node))
    throw new RotateError('BadFormat', `${where} is an alias`, { hint: 'write the value itself there' });
  if (list !== undefined) {
    const values = isSeq(node) ? textsOf(node) : undefined;
    if (!isSeq(node) || values === undefined)
      throw new RotateError('BadFormat', `${where} is no list of texts`);
    const inPlace = node.flow === true && node.range != null;
    return {
      value: values,
      plain: false,
      ...(inPlace && node.range != null ? { range: [node.range[0], node.range[1]] } : {}),
    };
  }
  if (!isScalar(node) || typeof node.value !== 'string')
    throw new RotateError('BadFormat', `${where} is no text`, {
      hint: isCollection(node) ? 'name a value in it' : 'put it in quotes',
    });
  return {
    value: node.value,
    plain: node.type === Scalar.PLAIN,
    ...(node.range == null ? {} : { range: [node.range[0], node.range[1]] }),
  };
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

/** Without quotes where it stood so and would still be read as the same text. */
function written(syntax: Syntax, value: string | readonly string[], plain: boolean): string {
  if (typeof value !== 'string') return `[${value.map((entry) => JSON.stringify(entry)).join(', ')}]`;
  if (syntax === 'yaml' && plain && /^[A-Za-z][A-Za-z0-9_./+-]*$/.test(value)) return value;
  return JSON.stringify(value);
}

function rewritten(
  syntax: Syntax,
  text: string,
  path: ValuePath,
  value: string | readonly string[],
): string | undefined {
  const document = read(syntax, text);
  const node = document.getIn(path, true);
  if (isSeq(node) && typeof value !== 'string') node.items = value.map((entry) => quoted(entry));
  else document.setIn(path, typeof value === 'string' ? quoted(value) : value);
  try {
    return document.toString({ lineWidth: 0 });
  } catch (error) {
    if (isAliasError(error)) return undefined;
    throw error;
  }
}

/** The anchor of an alias is gone. The library has no type for it. */
function isAliasError(error: unknown): boolean {
  return error instanceof Error && /\balias\b/i.test(error.message);
}

function quoted(value: string): Scalar {
  const scalar = new Scalar(value);
  scalar.type = Scalar.QUOTE_DOUBLE;
  return scalar;
}

/** What would be deployed is read once more: nothing but our value may have changed. */
function onlyThis(
  syntax: Syntax,
  before: Document,
  after: string,
  path: ValuePath,
  value: string | readonly string[],
): boolean {
  try {
    const actual: unknown = read(syntax, after).toJS();
    const expected = replaceAt(before.toJS(), path, value);
    return JSON.stringify(actual) === JSON.stringify(expected);
  } catch (error) {
    if (error instanceof RotateError || isAliasError(error)) return false;
    throw error;
  }
}

function replaceAt(tree: unknown, path: ValuePath, value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (Array.isArray(tree))
    return tree.map((item: unknown, i) => (i === Number(key) ? replaceAt(item, rest, value) : item));
  return Object.fromEntries(
    Object.entries(toRecord(tree)).map(([name, item]: [string, unknown]) => [
      name,
      name === String(key) ? replaceAt(item, rest, value) : item,
    ]),
  );
}
