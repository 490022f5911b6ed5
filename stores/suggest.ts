/** "did you mean": names that are close to one that is not known. */

/**
 * The known names that `wanted` is probably a slip of, closest first, at most three.
 * A name is close when at most a third of its characters differ (Levenshtein), or when only its folder does.
 */
export function closeNames(wanted: string, known: Iterable<string>): string[] {
  const base = baseName(wanted);
  return [...known]
    .map((name) => ({ name, distance: baseName(name) === base ? 0 : editDistance(wanted, name) }))
    .filter(
      ({ name, distance }) => distance <= Math.max(1, Math.floor(Math.max(name.length, wanted.length) / 3)),
    )
    .toSorted((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, 3)
    .map(({ name }) => name);
}

/** A hint for {@link closeNames}, or `otherwise` when nothing is close. */
export function didYouMean(wanted: string, known: Iterable<string>, otherwise: string): string {
  const close = closeNames(wanted, known);
  return close.length === 0 ? otherwise : `did you mean ${close.join(' or ')}?`;
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(swap, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    previous = row;
  }
  return previous[b.length] ?? 0;
}
