/** What changes between two texts, line by line. */
import type { Paint } from './style.js';
import { printable } from './text.js';

export interface DiffLine {
  change: 'same' | 'removed' | 'added';
  text: string;
}

/** By the longest common subsequence of lines. */
export function diffLines(before: string, after: string): DiffLine[] {
  const [old, fresh] = [linesOf(before), linesOf(after)];
  // lengths[i][j]: of the longest common subsequence of old from i and fresh from j
  const lengths = Array.from({ length: old.length + 1 }, () => new Uint32Array(fresh.length + 1));
  const at = (i: number, j: number): number => lengths[i]?.[j] ?? 0;
  for (let i = old.length - 1; i >= 0; i--)
    for (let j = fresh.length - 1; j >= 0; j--) {
      const row = lengths[i];
      if (row !== undefined)
        row[j] = old[i] === fresh[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  const found: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < fresh.length) {
    const [a, b] = [old[i], fresh[j]];
    if (a !== undefined && a === b) {
      found.push({ change: 'same', text: a });
      [i, j] = [i + 1, j + 1];
    } else if (a !== undefined && (b === undefined || at(i + 1, j) >= at(i, j + 1))) {
      found.push({ change: 'removed', text: a });
      i++;
    } else {
      found.push({ change: 'added', text: b ?? '' });
      j++;
    }
  }
  return found;
}

const signs = { same: ' ', removed: '-', added: '+' } as const;
const styles = { same: 'dim', removed: 'red', added: 'green' } as const;
/** Lines that stay and are shown around a change. */
const around = 2;

/** For a person; empty when nothing changes. */
export function diffText(before: string, after: string, paint: Paint): string {
  const lines = diffLines(before, after);
  const near = lines.map((_, i) =>
    lines.slice(Math.max(0, i - around), i + around + 1).some(({ change }) => change !== 'same'),
  );
  return lines
    .flatMap(({ change, text }, i) => {
      if (near[i] === true) return [paint(styles[change], `${signs[change]} ${printable(text)}`)];
      return near[i - 1] === true ? [paint('dim', '  …')] : [];
    })
    .map((line) => `${line}\n`)
    .join('');
}

function linesOf(text: string): string[] {
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}
