/** Freezes: times in which no schedule starts anything. What runs goes on, and what a person starts is not held up. */
import type { FreezeSpec } from './schedule.js';

export interface Frozen {
  /** Of those that hold, the one that ends last. */
  freeze: FreezeSpec;
  /** Milliseconds since the epoch: the first instant at which nothing is frozen, over freezes that follow on one another. */
  until: number;
}

/** What holds up the schedules of `environment` at `instant` (milliseconds since the epoch); undefined when nothing does. */
export function frozen(
  freezes: readonly FreezeSpec[],
  environment: string,
  instant: number,
): Frozen | undefined {
  const freeze = holding(freezes, environment, instant);
  if (freeze === undefined) return undefined;
  const further = frozen(freezes, environment, endOf(freeze));
  return { freeze, until: further?.until ?? endOf(freeze) };
}

function holding(
  freezes: readonly FreezeSpec[],
  environment: string,
  instant: number,
): FreezeSpec | undefined {
  return freezes
    .filter(({ environments }) => environments.includes(environment))
    .filter((freeze) => Date.parse(freeze.from) <= instant && instant < endOf(freeze))
    .toSorted((a, b) => endOf(b) - endOf(a))[0];
}

function endOf(freeze: FreezeSpec): number {
  return Date.parse(freeze.to);
}
