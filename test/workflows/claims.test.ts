/** One rotation of a secret at a time. */
import { ulid } from 'ulid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { obstacleTo } from '../../activities/due-secrets.js';
import { factsOf } from '../../activities/known.js';
import { lookUpClaim, releaseClaim, stateOfRotation } from '../../client/claims.js';
import { claimId, fileClaimId } from '../../domain/ids.js';
import type { Plan } from '../../domain/plan.js';
import { claimsOf } from '../../domain/claims.js';
import { startJournal } from '../../domain/start.js';
import { startBench, type Bench } from './support/bench.js';
import { makePlan } from './support/plans.js';
import { outcomeOf } from './support/world.js';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench.stop());

describe('a claim', () => {
  test('that is held refuses the second rotation, naming the first', async () => {
    const first = await bench.start({ waves: [['web-1']], prepare: (s) => s.hang('inspectRepo') });
    await first.script.reached('inspectRepo');
    const second = await bench.start({ plan: first.plan });
    expect(await second.result()).toMatchObject({
      state: 'refused',
      reason: {
        type: 'Busy',
        message: `rotation ${first.id} is under way for the same secret`,
        hint: `wait until it has ended; \`rotate watch ${first.id}\` shows it`,
      },
    });
    expect(second.script.labels()).toEqual(['record']);
    // Neither does --take-over take it from one that is alive, nor does the refused one release it.
    const third = await bench.start({ plan: first.plan, takeOver: true });
    expect(await third.result()).toMatchObject({ state: 'refused', reason: { type: 'Busy' } });
    expect((await lookUpClaim(bench.client, claimId(first.plan.environment, 'db')))?.holder).toBe(
      first.workflowId,
    );
    await first.say({ say: 'rollback' });
    expect((await first.result()).state).toBe('refused');
    await bench.claimFree(first, 'db');
  });

  test('of a rotation that was terminated blocks the next, until someone takes over', async () => {
    const first = await bench.start({ waves: [['web-1']], prepare: (s) => s.hang('converge advance web-1') });
    await first.script.reached('converge advance web-1');
    await first.handle.terminate('by a test');
    const second = await bench.start({ plan: first.plan, world: first.script.world });
    expect(await second.result()).toMatchObject({
      state: 'refused',
      reason: { type: 'Blocked', message: `rotation ${first.id} was given up and still holds the secret` },
    });
    const fence = first.script.world.repo.fence;
    const third = await bench.start({ plan: first.plan, takeOver: true, world: first.script.world });
    expect((await third.result()).state).toBe('done');
    expect(third.script.world.repo.fence.epoch).toBe(fence.epoch + 1);
    expect(outcomeOf(first.script.world)).toBe('new');
  });

  test('is taken for the secret, and for its file where others live in it, in sorted order', () => {
    const plan = makePlan({ environment: 'e', secrets: ['z', 'a'] });
    const shared: Plan = {
      ...plan,
      secrets: plan.secrets.map((s) => ({ ...s, sharesFile: true, file: 'all.env' })),
    };
    const journal = startJournal(
      { id: ulid(), by: 'x', takeOver: false, plan: { plan: shared, digest: '' } },
      '2026-01-01T00:00:00.000Z',
    );
    expect(claimsOf(journal)).toEqual([claimId('e', 'a'), fileClaimId('e', 'all.env'), claimId('e', 'z')]);
  });
});

describe('what is known of a secret', () => {
  const services = (): Parameters<typeof factsOf>[0] => ({
    claims: {
      lookUp: (claim) => lookUpClaim(bench.client, claim),
      stateOf: (rotation) => stateOfRotation(bench.client, rotation),
      release: (claim, holder) => releaseClaim(bench.client, claim, holder),
    },
  });

  test('has the rotation that was terminated and holds it, and so has what shares its file', async () => {
    const environment = 'known';
    const secrets = ['a', 'b', 'c'].map((name) => ({
      environment,
      name,
      file: name === 'c' ? 'c.age' : 'all.env',
    }));
    const know = async (name: string): ReturnType<typeof factsOf> => {
      const secret = secrets.find((s) => s.name === name);
      if (secret === undefined) throw new Error('it is declared');
      return factsOf(services(), { secrets }, secret, []);
    };
    const plan = makePlan({
      environment,
      secrets: ['a'],
      secret: { sharesFile: true, file: 'all.env' },
      waves: [['web-1']],
    });
    const rotation = await bench.start({ plan, prepare: (s) => s.hang('converge advance web-1') });
    await rotation.script.reached('converge advance web-1');
    expect(await know('a')).toEqual({ name: 'a', running: rotation.id });
    expect(await know('b')).toEqual({ name: 'b', running: rotation.id });
    await rotation.handle.terminate('by a test');
    const [a, b, c] = await Promise.all(['a', 'b', 'c'].map(know));
    expect([a, b, c]).toEqual([
      { name: 'a', givenUp: rotation.id },
      { name: 'b', givenUp: rotation.id },
      { name: 'c' },
    ]);
    expect(obstacleTo({ name: 'a', givenUp: rotation.id })).toContain('--take-over');
    expect(obstacleTo({ name: 'c' })).toBeUndefined();
  });
});

describe('two rotations', () => {
  test('that start for the same secrets in opposite order leave one winner, twenty times', async () => {
    const races = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        const environment = `race-${i}`;
        const pair = await Promise.all(
          [
            ['a', 'b'],
            ['b', 'a'],
          ].map((secrets) =>
            bench.start({
              plan: makePlan({ environment, secrets, waves: [['web-1']] }),
              // The winner stays, so that the race is about the claims alone.
              prepare: (s) => s.hang('inspectRepo'),
            }),
          ),
        );
        const winner = await Promise.race(
          pair.map(async (r) => {
            await r.script.reached('inspectRepo');
            return r;
          }),
        );
        const loser = pair.find((r) => r !== winner);
        const status = await loser?.result();
        await winner.say({ say: 'rollback' });
        await winner.result();
        return { winner: winner.id, status, labels: loser?.script.labels() };
      }),
    );
    for (const { winner, status, labels } of races) {
      expect(status).toMatchObject({ state: 'refused', reason: { type: 'Busy' } });
      expect(status?.reason?.message).toContain(winner);
      expect(labels).toEqual(['record']);
    }
  });

  test('of different secrets do not meet', async () => {
    const plan = makePlan({ environment: 'apart', secrets: ['a'], waves: [['web-1']] });
    const first = await bench.start({ plan, prepare: (s) => s.hang('inspectRepo') });
    await first.script.reached('inspectRepo');
    const second = await bench.start({
      plan: makePlan({ environment: 'apart', secrets: ['b'], waves: [['web-1']] }),
    });
    expect((await second.result()).state).toBe('done');
    await first.say({ say: 'rollback' });
    await first.result();
  });
});
