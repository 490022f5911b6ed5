/** Bounded concurrency, without timers or randomness, so that it replays. */
import { CancellationScope } from '@temporalio/workflow';

/**
 * Runs `work` for each item, at most `limit` at once, in order of start; resolves when all are through. With the
 * first failure no further item is begun, what is under way is cancelled, and it rejects without waiting for that:
 * `work` must be something that may be given up.
 */
export async function forEachAtMost<T>(
  limit: number,
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  const going = { next: 0, failed: false };
  const scope = new CancellationScope();
  async function lane(): Promise<void> {
    while (going.next < items.length && !going.failed) {
      const item = items[going.next];
      going.next += 1;
      if (item !== undefined) await work(item);
    }
  }
  try {
    await scope.run(() =>
      Promise.all(Array.from({ length: Math.max(1, Math.min(limit, items.length)) }, lane)),
    );
  } catch (error) {
    going.failed = true;
    scope.cancel();
    throw error;
  }
}
