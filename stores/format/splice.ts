/**
 * Writes a value into the text of a JSON or YAML document in place of the one that stands there. Nothing but the value's
 * own bytes is touched: a document that is printed anew has other numbers (what a double cannot hold, `0017`), other
 * blank lines and other ends of lines.
 */
import { isScalar, Scalar, type YAMLSeq } from 'yaml';

/** Where a value stands: a text, or a list of texts. */
export type Place = Scalar | YAMLSeq;

/** Offsets are in UTF-16 units of the text. */
interface Edit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/**
 * The text with `value` at `place`. What comes of it is to be read once more: a value without quotes may be read as
 * something else.
 *
 * @param place a node of the document that `text` was parsed to, with `keepSourceTokens`
 * @param quoted in quotes, also where the value stood without
 * @returns undefined where the value has no text of its own that could be replaced
 */
export function splice(
  text: string,
  place: Place,
  value: string | readonly string[],
  quoted: boolean,
): string | undefined {
  const edits = editsFor(text, place, value, quoted);
  if (edits === undefined) return undefined;
  let result = '';
  let offset = 0;
  for (const edit of edits.toSorted((a, b) => a.from - b.from)) {
    result += text.slice(offset, edit.from) + edit.text;
    offset = edit.to;
  }
  result += text.slice(offset);
  // where the last line had no end and is gone, the one before it has none now
  return text.endsWith('\n') ? result : result.replace(/\r?\n$/, '');
}

function editsFor(
  text: string,
  place: Place,
  value: string | readonly string[],
  quoted: boolean,
): Edit[] | undefined {
  if (isScalar(place)) return typeof value === 'string' ? replaceText(text, place, value, quoted) : undefined;
  if (typeof value === 'string' || place.range == null) return undefined;
  if (place.flow !== true) return replaceItems(text, place, value, quoted);
  const entries = value.map((entry) => JSON.stringify(entry)).join(', ');
  return [{ from: place.range[0], to: place.range[1], text: `[${entries}]` }];
}

function replaceText(
  text: string,
  { range, type }: Pick<Scalar, 'range' | 'type'>,
  value: string,
  quoted: boolean,
): Edit[] | undefined {
  if (range == null) return undefined;
  const [from, to] = range;
  const written = write(value, quoted || type !== Scalar.PLAIN);
  const isBlock = type === Scalar.BLOCK_LITERAL || type === Scalar.BLOCK_FOLDED;
  return [{ from, to, text: isBlock ? written + aroundBlock(text.slice(from, to)) : written }];
}

/** What stays of a block scalar (`|`, `>`): a comment in its first line, and the ends of line behind its last one. */
function aroundBlock(source: string): string {
  const [, comment = ''] = /^[|>][-+0-9]*([^\r\n]*)/.exec(source) ?? [];
  const [end = ''] = /(?:\r?\n[ \t]*)*$/.exec(source) ?? [];
  return comment.trimEnd() + end;
}

/** A list in block style, item by item: comments and blank lines between them stay. */
function replaceItems(
  text: string,
  { items, srcToken }: YAMLSeq,
  values: readonly string[],
  quoted: boolean,
): Edit[] | undefined {
  if (srcToken?.type !== 'block-seq') return undefined;
  const dashes = srcToken.items.flatMap(({ start }) => start.filter(({ type }) => type === 'seq-item-ind'));
  const edits: Edit[] = [];
  let last: { column: number; end: number; plain: boolean } | undefined;
  for (const [i, item] of items.entries()) {
    const dash = dashes[i]?.offset;
    if (!isScalar(item) || item.range == null || dash === undefined) return undefined;
    const value = values[i];
    const line = text.lastIndexOf('\n', dash - 1) + 1;
    const end = endOfLine(text, item.range[1]);
    if (value === undefined) {
      if (text.slice(line, dash).trim() !== '') return undefined;
      edits.push({ from: line, to: end, text: '' });
      continue;
    }
    if (value !== item.value) edits.push(...(replaceText(text, item, value, quoted) ?? []));
    last = { column: dash - line, end, plain: item.type === Scalar.PLAIN };
  }
  const more = values.slice(items.length);
  if (last === undefined || more.length === 0) return edits;
  const { column, end, plain } = last;
  const newline = /\r?\n/.exec(text.slice(dashes[0]?.offset))?.[0] ?? /\r?\n/.exec(text)?.[0] ?? '\n';
  const lines = more.map((value) => `${' '.repeat(column)}- ${write(value, quoted || !plain)}`).join(newline);
  edits.push({ from: end, to: end, text: isLineStart(text, end) ? lines + newline : newline + lines });
  return edits;
}

/** Where the next line begins: at `offset` itself, if a line begins there. */
function endOfLine(text: string, offset: number): number {
  if (isLineStart(text, offset)) return offset;
  const newline = text.indexOf('\n', offset);
  return newline === -1 ? text.length : newline + 1;
}

function isLineStart(text: string, offset: number): boolean {
  return text.charAt(offset - 1) === '\n';
}

/** Every text of JSON is one of YAML. */
function write(value: string, quoted: boolean): string {
  return !quoted && /^[A-Za-z][A-Za-z0-9_./+-]*$/.test(value) ? value : JSON.stringify(value);
}
