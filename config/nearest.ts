/** "Did you mean": the known names that are nearest to a misspelt one. */

/** Insertions, deletions, substitutions and swaps of neighbours that lead from `a` to `b` (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  const from = Array.from(a);
  const to = Array.from(b);
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, j) => j);
  for (const [i, char] of from.entries()) {
    const row = [i + 1];
    for (const [j, other] of to.entries()) {
      const at = (cells: readonly number[], k: number): number => cells[k] ?? Infinity;
      let best = Math.min(at(last, j + 1) + 1, at(row, j) + 1, at(last, j) + (char === other ? 0 : 1));
      if (i > 0 && j > 0 && char === to[j - 1] && other === from[i - 1])
        best = Math.min(best, at(beforeLast, j - 1) + 1);
      row.push(best);
    }
    beforeLast = last;
    last = row;
  }
  return last[to.length] ?? 0;
}

/**
 * The `known` names that a person who wrote `name` may have meant: those that differ only in case, `-`
 * or `_`, else the nearest by edit distance, at most two and not further than a third of the length.
 */
export function nearest(name: string, known: Iterable<string>): string[] {
  // longer than any name: nothing to compare, and no time to spend
  if (name.length > 100) return [];
  const candidates = [...new Set(known)];
  const plain = (text: string): string => text.toLowerCase().replaceAll(/[-_]/g, '');
  const same = candidates.filter((candidate) => plain(candidate) === plain(name));
  if (same.length > 0) return same.slice(0, 2);
  const limit = Math.max(1, Math.floor(name.length / 3));
  const measured = candidates
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, distance }) => distance <= limit && distance < candidate.length);
  const shortest = Math.min(...measured.map(({ distance }) => distance));
  return measured
    .filter(({ distance }) => distance === shortest)
    .map(({ candidate }) => candidate)
    .slice(0, 2);
}

/** `unknown host \`web-3\`, did you mean \`web-2\`?`, or without the question where nothing is near. */
export function unknownMessage(what: string, name: string, known: Iterable<string>): string {
  const near = nearest(name, known).map((candidate) => `\`${candidate}\``);
  return `unknown ${what} \`${name}\`${near.length === 0 ? '' : `, did you mean ${near.join(' or ')}?`}`;
}
