/** Durations as people write them: `5s`, `10m`, `1h30m`, `90d`, `0`. */

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
] as const;

/** Each unit at most once, the largest first; also in the JSON schema. */
export const durationPattern = /^(?:0|(?=\d)(\d{1,9}d)?(\d{1,9}h)?(\d{1,9}m(?!s))?(\d{1,9}s)?(\d{1,9}ms)?)$/;

/** Milliseconds of `text`, or undefined when it is no duration. Only `0` needs no unit. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  const match = durationPattern.exec(text);
  if (match === null) return undefined;
  return units.reduce((sum, [, ms], i) => sum + Number.parseInt(match[i + 1] ?? '0', 10) * ms, 0);
}

/** The shortest text that {@link parseDuration} reads as `ms` (a whole number, 0 or more). */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0';
  let rest = ms;
  let text = '';
  for (const [unit, size] of units) {
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text;
}
