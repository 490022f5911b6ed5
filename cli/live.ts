/** Lines that are redrawn in place on a terminal; the cursor is hidden meanwhile and always comes back. */
import type { Output } from './context.js';
import { displayWidth } from './render/width.js';

const hideCursor = '\u001B[?25l';
export const showCursor = '\u001B[?25h';
const clearDown = '\u001B[J';

export interface Live {
  draw(lines: readonly string[]): void;
  /** Leaves the last drawing where it is. */
  end(): void;
}

/** @param output a terminal */
export function startLive(output: Output): Live {
  let drawn: readonly string[] = [];
  output.write(hideCursor);
  return {
    draw: (lines) => {
      if (lines.length === drawn.length && lines.every((line, i) => line === drawn[i])) return;
      output.write(
        `${up(height(drawn, output.columns))}\r${clearDown}${lines.map((l) => `${l}\n`).join('')}`,
      );
      drawn = lines;
    },
    end: () => output.write(showCursor),
  };
}

function up(lines: number): string {
  return lines === 0 ? '' : `\u001B[${lines}A`;
}

/** Lines that the drawing takes now: a terminal that became narrower has wrapped them. */
function height(lines: readonly string[], columns = 80): number {
  return lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(visible(line) / columns)), 0);
}

function visible(line: string): number {
  // oxlint-disable-next-line no-control-regex
  return displayWidth(line.replaceAll(/\u001B\[[\d;?]*[a-zA-Z]/g, ''));
}
