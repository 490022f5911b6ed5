/** A worker that keeps nothing in memory: each workflow task is a replay of the history from its start. */
import { afterAll, beforeAll, expect, test } from 'vitest';

import { startBench, type Bench } from './support/bench.js';
import { outcomeOf } from './support/world.js';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench({ uncached: true });
});
afterAll(() => bench.stop());

test('a rotation that is replayed at every step is undone, parks, and is taken up again as any other', async () => {
  const rotation = await bench.start({
    prepare: (s) => {
      s.fail('checkUsers db', 'IssuerAuthFailed');
      s.fail('converge restore web-1', 'HostMoved');
    },
  });
  await rotation.until('needs-attention');
  await rotation.say({ say: 'rollback' });
  await rotation.script.reached('converge restore web-1');
  await rotation.until('needs-attention');
  rotation.script.heal('converge restore web-1');
  await rotation.say({ say: 'retry' });
  expect((await rotation.result()).state).toBe('rolled-back');
  expect(outcomeOf(rotation.script.world)).toBe('old');
});

test('a rotation that is replayed at every step succeeds', async () => {
  const rotation = await bench.start();
  expect((await rotation.result()).state).toBe('done');
});
