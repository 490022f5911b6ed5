/** What people are told of a rotation, and that telling them holds up nothing. */
import { afterAll, beforeAll, expect, test } from 'vitest';

import { eventually, startBench, type Bench, type Rotation } from './support/bench.js';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench.stop());

/** Events in the order in which they happened; deliveries may overtake one another. */
function told({ id }: Rotation): string[] {
  return bench.stands.told
    .filter((n) => n.rotation === id)
    .toSorted((a, b) => Number(a.id.split('_').at(-1)) - Number(b.id.split('_').at(-1)))
    .map((n) => n.event);
}

test('a rotation that goes well tells of its start, its soak and its end', async () => {
  const rotation = await bench.start({ waves: [['web-1']], soakMs: 1_000 });
  await rotation.result();
  await eventually('all is told', async () => told(rotation).length === 3);
  expect(told(rotation)).toEqual(['started', 'waiting', 'done']);
  const [first] = bench.stands.told.filter((n) => n.rotation === rotation.id && n.event === 'started');
  expect(first).toMatchObject({ by: 'tester', why: 'a test', secrets: ['db'], state: 'running' });
});

test('a rotation that parks tells of it once, however often it is looked at, and again for another reason', async () => {
  const rotation = await bench.start({
    soakMs: 0,
    waves: [['web-1']],
    prepare: (s) => {
      s.fail('merge', 'GitRefused');
      s.fail('converge restore web-1', 'HostMoved');
    },
  });
  await rotation.until('needs-attention');
  await rotation.say({ say: 'retry' });
  await rotation.until('needs-attention');
  rotation.script.heal('converge restore web-1');
  rotation.script.fail('unpublish', 'GitRefused');
  await rotation.say({ say: 'retry' });
  await rotation.script.reached('unpublish');
  await rotation.until('needs-attention');
  rotation.script.heal('unpublish');
  await rotation.say({ say: 'retry' });
  expect((await rotation.result()).state).toBe('rolled-back');
  await eventually('all is told', async () => told(rotation).includes('rolled-back'));
  expect(told(rotation)).toEqual(['started', 'needs-attention', 'needs-attention', 'rolled-back']);
});

test('a rotation that is refused, or given up, says so', async () => {
  const refused = await bench.start({
    waves: [['web-1']],
    prepare: (s) => s.fail('inspectHost web-1', 'HostKeyMismatch'),
  });
  expect((await refused.result()).state).toBe('refused');
  const aborted = await bench.start({
    soakMs: 0,
    waves: [['web-1']],
    prepare: (s) => s.fail('checkUsers db', 'IssuerAuthFailed'),
  });
  await aborted.until('needs-attention');
  await aborted.say({ say: 'abort' });
  await aborted.result();
  await eventually('both are told', async () => told(refused).length === 2 && told(aborted).length === 3);
  expect(told(refused)).toEqual(['started', 'refused']);
  expect(told(aborted)).toEqual(['started', 'needs-attention', 'failed']);
});

test('what is said while people are being told is not passed over', async () => {
  // A rotation says that it is parked a moment before those who are told of it are: each of these tries to hit it.
  const parked = await Promise.all(
    Array.from({ length: 8 }, () =>
      bench.start({
        waves: [['web-1']],
        prepare: (s) => s.fail('checkUsers db', 'IssuerAuthFailed'),
      }),
    ),
  );
  await Promise.all(
    parked.map(async (rotation) => {
      await rotation.until('needs-attention');
      await rotation.say({ say: 'abort' });
      expect((await rotation.result()).state).toBe('failed');
      expect(rotation.script.calls.filter(({ label }) => label === 'checkUsers db')).toHaveLength(1);
    }),
  );
});
