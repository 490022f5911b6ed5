/**
 * A mistake in a configuration file: where it is, what it is and what to do. All
 * mistakes of a file are collected and told at once, so that a person corrects
 * it in one go.
 */
import { RotateError } from '../domain/failure.js';

/** Keys and list indices from the root of a file to a value. */
export type KeyPath = readonly (string | number)[];

export interface Problem {
  /** From 1. */
  line: number;
  /** From 1, in UTF-16 units. */
  column: number;
  path: KeyPath;
  message: string;
  hint?: string;
}

/** `secrets.prod.db-password.consumers[0]`; a key that is more than a word is quoted. Empty for the root. */
export function formatKeyPath(path: KeyPath): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else text += (text === '' ? '' : '.') + (/^[\w-]+$/.test(part) ? part : JSON.stringify(part));
  }
  return text;
}

/** `rotate.yaml:12:7: hosts.web-1.port: must be a number`, one line. */
export function formatProblem(file: string, problem: Problem): string {
  const path = formatKeyPath(problem.path);
  const text = `${path === '' ? '' : `${path}: `}${problem.message}`;
  return `${file}:${problem.line}:${problem.column}: ${printable(text)}`;
}

/** What the file says may hold anything: no control characters reach the terminal, and no page of text. */
function printable(text: string): string {
  const escaped = text.replaceAll(/[\p{Cc}\p{Bidi_Control}]/gu, (c) =>
    JSON.stringify(c).slice(1, -1).replace(c, '\u{fffd}'),
  );
  return escaped.length <= 600 ? escaped : `${escaped.slice(0, 600)}…`;
}

/** By line, then by column; each mistake once. */
export function sortProblems(problems: readonly Problem[]): Problem[] {
  const seen = new Set<string>();
  return problems
    .toSorted((a, b) => a.line - b.line || a.column - b.column)
    .filter((problem) => {
      const text = formatProblem('', problem);
      return !seen.has(text) && seen.add(text);
    });
}

/**
 * The error that tells all `problems` of `file`, one a line. The hint of a single one is the error's own; of
 * several, each hint follows its line.
 */
export function badConfig(file: string, problems: readonly Problem[]): RotateError {
  const sorted = sortProblems(problems);
  const lines = sorted.map((problem) => formatProblem(file, problem));
  const [only] = sorted;
  if (only !== undefined && sorted.length === 1) {
    const hint = printable(only.hint ?? `correct ${file}, line ${only.line}`);
    return new RotateError('BadConfig', lines.join('\n'), { hint, details: { problems: lines } });
  }
  const told = sorted.map(
    (problem, i) =>
      `${lines[i]}${problem.hint === undefined ? '' : `\n    hint: ${printable(problem.hint)}`}`,
  );
  return new RotateError('BadConfig', told.join('\n'), {
    hint: `correct these ${sorted.length} places in ${file}`,
    details: { problems: lines },
  });
}
