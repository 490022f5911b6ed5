/**
 * Fences: how a late attempt is recognised where it acts.
 *
 * Temporal does not stop an attempt that was given up: a worker that was frozen
 * and thawed acts after its workflow has gone on. So each effect carries a fence;
 * the target (issuer, host, git) stores the highest that it has seen and refuses
 * a lower one as `Superseded`.
 */

export interface Fence {
  /** Fixed when the claim is taken: 1 + the highest that issuer, git and hosts have stored. */
  epoch: number;
  /** Rises with each command of the rotation. All attempts of one command share it. */
  seq: number;
}

/** Below every fence that is ever issued. */
export const noFence: Fence = { epoch: 0, seq: 0 };

/** Negative, zero or positive, as `a` is below, the same as or above `b`. */
export function compareFences(a: Fence, b: Fence): number {
  return a.epoch === b.epoch ? a.seq - b.seq : a.epoch - b.epoch;
}

/** `12.3`: the form in which targets store a fence. */
export function formatFence(fence: Fence): string {
  return `${fence.epoch}.${fence.seq}`;
}

/** Reads {@link formatFence}'s form; undefined for anything else. */
export function parseFence(text: string): Fence | undefined {
  const match = /^(\d{1,15})\.(\d{1,15})$/.exec(text.trim());
  return match === null ? undefined : { epoch: Number(match[1]), seq: Number(match[2]) };
}

/** The highest of `fences`, or {@link noFence}. */
export function highestFence(fences: readonly Fence[]): Fence {
  return fences.reduce((a, b) => (compareFences(a, b) >= 0 ? a : b), noFence);
}
