/** Tests mark the expected places in the YAML itself with `▸`, so that nobody counts columns. */
import { type Problem, formatKeyPath } from '../../config/problem.js';

/** The text without its marks, and their places (from 1), in order. */
export function unmark(marked: string): { text: string; places: { line: number; column: number }[] } {
  const places: { line: number; column: number }[] = [];
  const lines = marked.split('\n').map((line, i) => {
    let rest = line;
    for (let at = rest.indexOf('▸'); at >= 0; at = rest.indexOf('▸')) {
      places.push({ line: i + 1, column: at + 1 });
      rest = rest.replace('▸', '');
    }
    return rest;
  });
  return { text: lines.join('\n'), places };
}

/** What a table says of a problem, in one line: `key.path: message [hint]`. */
export function told(problem: Problem): string {
  return `${formatKeyPath(problem.path)}: ${problem.message}${problem.hint === undefined ? '' : ` [${problem.hint}]`}`;
}

export function placesOf(problems: readonly Problem[]): { line: number; column: number }[] {
  return problems.map(({ line, column }) => ({ line, column }));
}
