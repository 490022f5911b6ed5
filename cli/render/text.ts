/** Text that fits: cut, padded, wrapped, and without what could command a terminal. */
import { displayWidth, fitting } from './width.js';

// C0 but newline and tab, DEL, C1, bidirectional overrides, line separators: text that comes from hosts, git or Temporal is not trusted.
// oxlint-disable-next-line no-control-regex
const commanding = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** `text` without control characters; newlines stay. */
export function printable(text: string): string {
  return text.replaceAll('\t', ' ').replace(commanding, '\uFFFD');
}

/** {@link printable} on one line. */
export function oneLine(text: string): string {
  return printable(text).replaceAll(/\s*\n\s*/g, ' ');
}

/** At most `width` columns; what was cut shows as `…`. */
export function cut(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  return width <= 0 ? '' : `${fitting(text, width - 1)}…`;
}

/** Exactly `width` columns. */
export function pad(text: string, width: number): string {
  const short = cut(text, width);
  return short + ' '.repeat(Math.max(0, width - displayWidth(short)));
}

/** Lines of at most `width`, broken at spaces; a longer word stands alone, uncut (it may be a path to copy). */
export function wrap(text: string, width: number, indent = ''): string[] {
  const lines: string[] = [];
  for (const paragraph of printable(text).split('\n')) {
    let line = '';
    for (const word of paragraph.split(' ')) {
      if (line !== '' && displayWidth(line) + 1 + displayWidth(word) > width - indent.length) {
        lines.push(indent + line);
        line = word;
      } else line = line === '' ? word : `${line} ${word}`;
    }
    lines.push(indent + line);
  }
  return lines;
}

/** Lines of at most `width` columns, broken at spaces where there are any. For what must not be longer, come what may. */
export function fold(text: string, width: number, indent = ''): string[] {
  const room = Math.max(1, width - indent.length);
  return wrap(text, room)
    .flatMap((line) => chop(line, room))
    .map((line) => cut(`${indent}${line}`, width));
}

function chop(line: string, room: number): string[] {
  const pieces: string[] = [];
  for (let rest = line; ;) {
    // A wide character has no place in one column, and is cut by who gives no more.
    const piece = fitting(rest, room) || String.fromCodePoint(rest.codePointAt(0) ?? 0x20);
    if (piece.length >= rest.length) return [...pieces, rest];
    pieces.push(piece);
    rest = rest.slice(piece.length);
  }
}

/** At most `most` lines; that there are others shows as `…`. */
export function atMost(lines: readonly string[], most: number): string[] {
  return lines.length <= most || most <= 1
    ? lines.slice(0, Math.max(0, most))
    : [...lines.slice(0, most - 1), '…'];
}

/** `1 host`, `3 hosts`. */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

/** `4 s`, `2 min 5 s`, `3 h 10 min`, `12 days`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return join(minutes, 'min', seconds % 60, 's');
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return join(hours, 'h', minutes % 60, 'min');
  return count(Math.floor(hours / 24), 'day');
}

function join(a: number, unit: string, b: number, smaller: string): string {
  return b === 0 ? `${a} ${unit}` : `${a} ${unit} ${b} ${smaller}`;
}

/** `4s`, `2m05s`, `3h10m`, `12d`: {@link duration} for the cell of a table, at most six columns. */
export function shortDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m${String(seconds % 60).padStart(2, '0')}s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours}h${String(minutes % 60).padStart(2, '0')}m`;
  return `${Math.floor(hours / 24)}d`;
}
