/** A table as wide as its contents, or as the terminal: the widest column gives way first. */
import { oneLine, pad } from './text.js';
import { displayWidth } from './width.js';

const gap = '  ';
/** No column is made narrower than this. */
const narrowest = 6;

/** @param columns width of the terminal; undefined: as wide as needed, so that scripts see everything */
export function table(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  columns: number | undefined,
): string {
  const cells = [header, ...rows].map((row) => row.map(oneLine));
  const widths = header.map((_, i) => Math.max(...cells.map((row) => displayWidth(row[i] ?? ''))));
  if (columns !== undefined) shrink(widths, columns - gap.length * (widths.length - 1));
  return cells
    .map((row) =>
      row
        .map((cell, i) => pad(cell, widths[i] ?? 0))
        .join(gap)
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}

/** Takes from the widest column until the sum fits; of equals, from the last. */
function shrink(widths: number[], room: number): void {
  const sum = (): number => widths.reduce((a, b) => a + b, 0);
  while (sum() > room) {
    const widest = widths.reduce((best, width, i) => (width >= (widths[best] ?? 0) ? i : best), 0);
    const width = widths[widest] ?? 0;
    if (width <= narrowest) return;
    widths[widest] = width - 1;
  }
}
