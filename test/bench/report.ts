/** What is printed: the machine, and a table of what was measured, with its goals. */
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';
import { median, ratioOf, type Result } from './benchmark.js';

/** One line about the machine that it runs on. */
export function machine(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown';
  const gibibytes = (totalmem() / 2 ** 30).toFixed(0);
  return `${availableParallelism()} cores (${model}), ${gibibytes} GiB, Node ${process.versions.node}, Linux ${release()}, ${system()}`;
}

function system(): string {
  return /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'unknown';
}

/** How busy the machine is, by all that runs on it: load of the last minute. */
export function load(): string {
  return (loadavg()[0] ?? 0).toFixed(1);
}

export function report({ comparisons, counts = [] }: Result): string {
  const timings = comparisons.map((comparison) => {
    const { what, ours, theirs, goal } = comparison;
    const ratio = ratioOf(comparison);
    return [
      what,
      duration(median(ours)),
      duration(median(theirs)),
      ratio.toFixed(ratio < 0.1 ? 3 : 2),
      goal === undefined ? '' : `≤ ${goal}`,
      goal === undefined ? '' : met(ratio <= goal),
      ours.length === theirs.length ? String(ours.length) : `${ours.length}, ${theirs.length}`,
    ];
  });
  const counted = counts.map(({ what, seen, goal }) => [what, String(seen), `≤ ${goal}`, met(seen <= goal)]);
  const tables = [
    ...(timings.length === 0
      ? []
      : [table(['what', 'ours', 'theirs', 'ratio', 'goal', '', 'runs'], timings)]),
    ...(counted.length === 0 ? [] : [table(['what', 'seen', 'goal', ''], counted)]),
  ];
  return tables.join('\n\n');
}

/** What misses its goal. */
export function missed({ comparisons, counts = [] }: Result): string[] {
  return [
    ...comparisons
      .filter((c) => c.goal !== undefined && ratioOf(c) > c.goal)
      .map((c) => `${c.what}: ${ratioOf(c).toFixed(2)}, not ${c.goal}`),
    ...counts.filter((c) => c.seen > c.goal).map((c) => `${c.what}: ${c.seen}, not ${c.goal}`),
  ];
}

function met(is: boolean): string {
  return is ? 'met' : 'MISSED';
}

function duration(ms: number): string {
  return ms < 1_000 ? `${ms.toFixed(0)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
