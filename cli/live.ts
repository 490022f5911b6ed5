/** Lines that are redrawn in place on a terminal; the cursor is hidden meanwhile and always comes back. */
import type { Output } from './context.js';
import { displayWidth } from './render/width.js';

const hideCursor = '\u001B[?25l';
const showCursor = '\u001B[?25h';
const clearRight = '\u001B[K';
const clearDown = '\u001B[J';

export interface Live {
  draw(lines: readonly string[]): void;
  /** Leaves the last drawing where it is. */
  end(): void;
}

/**
 * @param output a terminal
 * @param redraw called when it has another size, or shows something else by now; should draw
 */
export function startLive(output: Output, redraw: () => void = () => {}): Live {
  let drawn: readonly string[] = [];
  let hidden = false;
  const hide = (): void => {
    if (!hidden) output.write(hideCursor);
    hidden = true;
  };
  const show = (): void => {
    if (hidden) output.write(showCursor);
    hidden = false;
  };
  // What the shell writes while it is stopped comes below the drawing, so that the next one is drawn below that. It may
  // be drawn before we are told that it goes on.
  let left = false;
  hide();
  const leave = output.attend?.({
    resized: redraw,
    leaving: () => {
      show();
      drawn = [];
      left = true;
    },
    back: () => {
      if (!left) drawn = [];
      left = false;
      hide();
      redraw();
    },
  });
  return {
    draw: (lines) => {
      if (lines.length === drawn.length && lines.every((line, i) => line === drawn[i])) return;
      // In one piece, and over what is there: nothing is ever seen empty.
      const text = lines.map((line) => `${line}${clearRight}\n`).join('');
      output.write(`${up(height(drawn, output.columns))}\r${text}${clearDown}`);
      drawn = lines;
    },
    end: () => {
      leave?.();
      show();
    },
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
