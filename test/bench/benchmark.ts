/** What a benchmark is, and how one of two things is timed against the other. */

export interface Benchmark {
  /** For `npm run bench -- NAME`. */
  name: string;
  title: string;
  run(context: BenchContext): Promise<Result>;
}

export interface BenchContext {
  /** Tells a person what is going on. */
  log: (line: string) => void;
  /** Has `step` run at the end, also after a failure or a signal; the last one first. */
  atEnd: (step: () => Promise<unknown>) => void;
}

export interface Result {
  comparisons: readonly Comparison[];
  counts?: readonly Count[];
}

/** Two things, timed in turns within one run. */
export interface Comparison {
  what: string;
  /** Milliseconds of each run. */
  ours: readonly number[];
  theirs: readonly number[];
  /** The ratio of the medians is to be at most this; absent: only shown. */
  goal?: number;
}

/** Something that is counted, not timed. */
export interface Count {
  what: string;
  seen: number;
  goal: number;
}

export function ratioOf({ ours, theirs }: Comparison): number {
  return median(ours) / median(theirs);
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  if (low === undefined || high === undefined) throw new Error('nothing was measured');
  return (low + high) / 2;
}

export type Side = () => Promise<unknown>;

/** Milliseconds of `work`. */
export async function timed(work: Side): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Runs both sides `rounds` times, turn by turn, so that what slows the machine down for a while slows both. */
export async function inTurns(
  rounds: number,
  sides: { ours: Side; theirs: Side },
): Promise<{ ours: number[]; theirs: number[] }> {
  const times = { ours: [] as number[], theirs: [] as number[] };
  for (let round = 0; round < rounds; round += 1) {
    times.ours.push(await timed(sides.ours));
    times.theirs.push(await timed(sides.theirs));
  }
  return times;
}
