/**
 * The lock of a secret: a tiny workflow whose id is the lock and which ends when
 * its holder releases it. It outlives its parent, so that a rotation which was
 * terminated still blocks the next one until a person takes over. Frozen: changing
 * it would break the replay of claims that are held for weeks.
 */
import { condition, defineQuery, defineSignal, setHandler } from '@temporalio/workflow';
import { holderQuery, releaseSignal } from './messages.js';

/** @param holder workflow id of the rotation that takes the claim */
export async function claim(holder: string): Promise<void> {
  let released = false;
  setHandler(defineQuery<string>(holderQuery), () => holder);
  setHandler(defineSignal<[string]>(releaseSignal), (by: string) => {
    // A late release by someone who no longer holds it is no release.
    if (by === holder) released = true;
  });
  await condition(() => released);
}
