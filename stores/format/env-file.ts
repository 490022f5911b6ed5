/**
 * Reads and edits files in the syntax of systemd's `EnvironmentFile=`, one assignment at a time.
 *
 * A port of the state machine `parse_env_file_internal` in systemd's src/basic/env-file.c (since v254), which is the
 * only definition of the syntax: quotes may start and end within a value, `\` at the end of a line continues it,
 * `#` and `;` start comments only at the start of a line, `export` is not part of it, CR ends a line like LF.
 */
import { RotateError } from '../../domain/failure.js';

/** `NAME=value` in a file. Offsets are in UTF-16 units of the text. */
export interface Assignment {
  readonly name: string;
  /** As the unit sees it: unquoted, unescaped. */
  readonly value: string;
  /** Start of what follows the `=`. */
  readonly start: number;
  /** End of it, before the newline that ends the assignment. */
  readonly end: number;
  readonly quoting: Quoting;
}

/** How a value is written; `mixed` is anything that is not plainly one of the others. */
export type Quoting = 'none' | 'single' | 'double' | 'mixed';

type State = 'start' | 'value' | 'escape' | 'single' | 'double' | 'double-escape';

/**
 * All assignments, in the order of the text.
 * @throws RotateError `BadFormat` for a NUL character or a quote that is never closed (systemd would take the rest of
 * the file as the value).
 */
export function parseEnvFile(text: string): Assignment[] {
  if (text.includes('\0')) throw new RotateError('BadFormat', 'the environment file holds a NUL character');
  const assignments: Assignment[] = [];
  let offset = 0;
  while (offset < text.length) {
    const c = text.charAt(offset);
    if (isSpace(c)) {
      offset++;
    } else if (c === '#' || c === ';') {
      offset = lineEnd(text, offset);
    } else {
      const equals = findEquals(text, offset);
      if (equals === undefined) {
        // a line without "=" is ignored by systemd
        offset = lineEnd(text, offset);
        continue;
      }
      const assignment = readValue(text, text.slice(offset, equals).replace(/[ \t]+$/, ''), equals + 1);
      assignments.push(assignment);
      offset = assignment.end;
    }
  }
  return assignments;
}

/**
 * The text with another value for one assignment; every byte outside the value stays.
 * The quoting is kept where it can carry the value.
 *
 * @throws RotateError `BadFormat` when no quoting can carry it: systemd drops variables with control characters.
 */
export function replaceValue(text: string, assignment: Assignment, value: string): string {
  // systemd's env_value_is_valid: no control characters but tab and newline, no non-characters of Unicode
  // oxlint-disable-next-line no-control-regex
  if (/[\x00-\x08\x0b-\x1f\x7f]|\p{Noncharacter_Code_Point}/u.test(value)) {
    throw new RotateError(
      'BadFormat',
      `the value has characters that systemd does not accept in ${assignment.name}`,
    );
  }
  return text.slice(0, assignment.start) + quote(value, assignment.quoting) + text.slice(assignment.end);
}

function quote(value: string, quoting: Quoting): string {
  // what stands unquoted must read the same to systemd and to whatever else people run on such files
  if (quoting === 'none' && /^[^\s\\'"`$#;]*$/.test(value)) return value;
  if (quoting !== 'double' && quoting !== 'mixed' && !value.includes("'")) return `'${value}'`;
  return `"${value.replaceAll(/["\\`$]/g, '\\$&')}"`;
}

function readValue(text: string, name: string, start: number): Assignment {
  let state: State = 'start';
  let value = '';
  let trimTo: number | undefined;
  let offset = start;
  for (; offset < text.length; offset++) {
    const c = text.charAt(offset);
    if ((state === 'start' || state === 'value') && isNewline(c)) break;
    switch (state) {
      case 'start':
        if (c === "'") state = 'single';
        else if (c === '"') state = 'double';
        else if (c === '\\') state = 'escape';
        else if (!isSpace(c)) {
          state = 'value';
          value += c;
        }
        break;
      case 'value':
        if (c === '\\') {
          state = 'escape';
          trimTo = undefined;
        } else {
          trimTo = isSpace(c) ? (trimTo ?? value.length) : undefined;
          value += c;
        }
        break;
      case 'escape':
        state = 'value';
        if (!isNewline(c)) value += c;
        break;
      case 'single':
        if (c === "'") state = 'start';
        else value += c;
        break;
      case 'double':
        if (c === '"') state = 'start';
        else if (c === '\\') state = 'double-escape';
        else value += c;
        break;
      case 'double-escape':
        state = 'double';
        if ('"\\`$'.includes(c)) value += c;
        else if (c !== '\n') value += `\\${c}`;
        break;
    }
  }
  if (state === 'single' || state === 'double' || state === 'double-escape') {
    // by line and not by name: in a file that is something else, what looks like a name may be a secret
    const line = text.slice(0, start).split('\n').length;
    throw new RotateError('BadFormat', `a quote in line ${line} of the environment file is never closed`);
  }
  if (trimTo !== undefined && state === 'value') value = value.slice(0, trimTo);
  return { name, value, start, end: offset, quoting: quotingOf(text.slice(start, offset)) };
}

function quotingOf(raw: string): Quoting {
  const text = raw.trim();
  if (/^'[^']*'$/.test(text)) return 'single';
  if (/^"(?:[^"\\]|\\[^])*"$/.test(text)) return 'double';
  return /^[^\\'"]*$/.test(text) ? 'none' : 'mixed';
}

/** The `=` of the assignment that starts at `offset`, on the same line. A name has a first character, whatever it is. */
function findEquals(text: string, offset: number): number | undefined {
  const equals = text.indexOf('=', offset + 1);
  return equals !== -1 && equals < lineEnd(text, offset) ? equals : undefined;
}

function lineEnd(text: string, offset: number): number {
  const length = text.slice(offset).search(/[\r\n]/);
  return length === -1 ? text.length : offset + length;
}

function isNewline(c: string): boolean {
  return c === '\n' || c === '\r';
}

function isSpace(c: string): boolean {
  return c === ' ' || c === '\t' || isNewline(c);
}
