/** What a person sees of what was written to a terminal: a terminal of the plainest kind, which knows what live.ts uses. */
import { displayWidth } from '../../cli/render/width.js';
import type { ScreenSize } from '../support/pseudo-terminal.js';

export interface Screen {
  /** Without spaces at their ends, down to the last that holds something. */
  lines: string[];
  cursorHidden: boolean;
}

/** @throws Error for a sequence that it does not know */
export function screenOf(written: string, { columns, rows }: ScreenSize): Screen {
  const grid: string[][] = Array.from({ length: rows }, () => []);
  let row = 0;
  let column = 0;
  let cursorHidden = false;
  const down = (): void => {
    if (row < rows - 1) row += 1;
    else {
      grid.shift();
      grid.push([]);
    }
  };
  // oxlint-disable-next-line no-control-regex
  for (const [token] of written.matchAll(/\u001B\[[\d;?]*[a-zA-Z]|[^]/gu)) {
    // oxlint-disable-next-line no-control-regex
    const [, argument = '', command = ''] = /^\u001B\[([\d;?]*)([a-zA-Z])$/.exec(token) ?? [];
    if (token === '\n') down();
    else if (token === '\r') column = 0;
    else if (command === 'A') row = Math.max(0, row - Number(argument));
    else if (command === 'K') grid[row] = (grid[row] ?? []).slice(0, column);
    else if (command === 'J') {
      grid[row] = (grid[row] ?? []).slice(0, column);
      for (let below = row + 1; below < rows; below += 1) grid[below] = [];
    } else if (token === '\u001B[?25l' || token === '\u001B[?25h') cursorHidden = command === 'l';
    else if (command === '' && token >= ' ') {
      const width = displayWidth(token);
      if (column + width > columns) {
        down();
        column = 0;
      }
      const line = grid[row] ?? [];
      while (line.length < column) line.push(' ');
      // A mark belongs to what is there.
      const before = line.findLastIndex((text, i) => i < column && text !== '');
      if (width === 0) line.splice(before, 1, `${line[before] ?? ''}${token}`);
      else line.splice(column, width, token, ...Array.from({ length: width - 1 }, () => ''));
      column += width;
    } else if (command !== 'm') throw new Error(`an unknown sequence: ${JSON.stringify(token)}`);
    if (token === '\n') column = 0;
  }
  const lines = grid.map((line) => line.join('').trimEnd());
  return { lines: lines.slice(0, lines.findLastIndex((line) => line !== '') + 1), cursorHidden };
}
