/** The small pure functions: fences, ids, waves, requests, targets, claims. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import {
  compareFences,
  formatFence,
  highestFence,
  noFence,
  parseFence,
  type Fence,
} from '../../domain/fence.js';
import { claimId, encodeName, fileClaimId, rotationBranch, rotationId, ulidOf } from '../../domain/ids.js';
import { unitsOf } from '../../domain/plan.js';
import { requestObjection } from '../../domain/request.js';
import { cutWaves } from '../../domain/waves.js';

const fence: fc.Arbitrary<Fence> = fc.record({ epoch: fc.nat(2_000_000), seq: fc.nat(5_000) });

describe('fences', () => {
  test('are ordered by epoch, then by number', () => {
    expect(compareFences({ epoch: 2, seq: 0 }, { epoch: 1, seq: 9 })).toBeGreaterThan(0);
    expect(compareFences({ epoch: 1, seq: 2 }, { epoch: 1, seq: 9 })).toBeLessThan(0);
    fc.assert(
      fc.property(fence, fence, (a, b) => {
        expect(Math.sign(compareFences(a, b))).toBe(-Math.sign(compareFences(b, a)) + 0);
        expect(compareFences(a, a)).toBe(0);
      }),
    );
  });

  test('are read as they were written, and nothing else is read', () => {
    fc.assert(
      fc.property(fence, (f) => {
        expect(parseFence(formatFence(f))).toEqual(f);
      }),
    );
    for (const text of [
      '',
      '1',
      '1.',
      '.1',
      '1.2.3',
      '-1.2',
      '1.-2',
      'a.b',
      '1e3.1',
      '1234567890123456.1',
      '1 .2',
    ])
      expect(parseFence(text)).toBeUndefined();
    expect(parseFence(' 3.4\n')).toEqual({ epoch: 3, seq: 4 });
  });

  test('have a highest, which is one of them or the one below all', () => {
    expect(highestFence([])).toEqual(noFence);
    fc.assert(
      fc.property(fc.array(fence, { minLength: 1 }), (all) => {
        const highest = highestFence(all);
        for (const f of all) expect(compareFences(highest, f)).toBeGreaterThanOrEqual(0);
        expect(all.some((f) => compareFences(f, highest) === 0)).toBe(true);
      }),
    );
  });
});

describe('ids', () => {
  const name = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('.', '..', 'a/b', '%2F', 'file'));

  test('hold names without a slash, a dot folder or an overlap with other names', () => {
    fc.assert(
      fc.property(name, name, (a, b) => {
        expect(encodeName(a)).toMatch(/^[A-Za-z0-9._%-]*$/);
        expect(['.', '..']).not.toContain(encodeName(a));
        const same = new TextEncoder().encode(a).join() === new TextEncoder().encode(b).join();
        expect(encodeName(a) === encodeName(b)).toBe(same);
      }),
    );
  });

  test('of a secret and of a file never meet', () => {
    fc.assert(
      fc.property(name, name, name, (env, a, b) => {
        expect(claimId(env, a)).not.toBe(fileClaimId(env, b));
      }),
    );
    expect(claimId('prod', 'file/x')).toBe('rotate/prod/file%2Fx');
    expect(fileClaimId('prod', 'x')).toBe('rotate/prod/file/x');
  });

  test('of rotations give their ULID back; others do not', () => {
    const ulid = '01JD9GZ3T5W1V0C4H7M2N8P6QR';
    expect(ulidOf(rotationId('prod/eu', ulid))).toBe(ulid);
    for (const id of [
      '',
      ulid,
      `rotation/${ulid}`,
      `rotation/a/b/${ulid}`,
      `rotation/a/${ulid}/x`,
      `wave/a/${ulid}`,
    ])
      expect(ulidOf(id)).toBeUndefined();
    expect(rotationBranch(ulid)).toBe(`rotate/${ulid}`);
  });
});

describe('waves', () => {
  const hosts = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,4}$/), { maxLength: 30 }).map((all) => all.sort());
  const step = fc.oneof(
    fc.integer({ min: 1, max: 10 }),
    fc.integer({ min: 1, max: 100 }).map((p) => `${p}%`),
  );

  test('take every host once, none is empty, and the canary goes first', () => {
    fc.assert(
      fc.property(hosts, fc.array(step, { maxLength: 5 }), fc.nat(3), (all, steps, canaries) => {
        const canary = all.slice(0, canaries);
        const waves = cutWaves(all, canary, steps);
        expect(waves.flat().sort()).toEqual(all);
        expect(waves.every((w) => w.length > 0)).toBe(true);
        if (canary.length > 0) expect(waves[0]).toEqual(canary);
      }),
    );
  });

  test.each([
    [['a', 'b', 'c', 'd'], ['a'], ['25%', '100%'], [['a'], ['b'], ['c', 'd']]],
    [['a', 'b', 'c', 'd'], [], [1, 2], [['a'], ['b', 'c'], ['d']]],
    [['a', 'b'], ['zzz'], ['50%'], [['a'], ['b']]],
    [['a', 'b', 'c'], ['a', 'b', 'c'], ['50%'], [['a', 'b', 'c']]],
    [[], [], ['50%'], []],
    [['a', 'b', 'c'], [], ['100%', '50%', 5], [['a', 'b', 'c']]],
    [['a', 'b', 'c'], [], [], [['a', 'b', 'c']]],
  ])('of %j with canary %j and steps %j are %j', (all, canary, steps, waves) => {
    expect(cutWaves(all, canary, steps)).toEqual(waves);
  });
});

describe('a request', () => {
  const now = '2026-01-01T00:00:00.000Z';
  const good = { workflowId: 'w', nonce: 'n', expiresAt: '2026-01-01T00:05:00.000Z', body: {} };
  test.each([
    ['good', good, undefined],
    ['for another workflow', { ...good, workflowId: 'x' }, 'the request was made for another workflow'],
    ['seen before', { ...good, nonce: 'old' }, 'the request was seen before'],
    ['that expires now', { ...good, expiresAt: now }, 'the request has expired'],
    ['that never says when it expires', { ...good, expiresAt: 'never' }, 'the request has expired'],
    ['without a body', { workflowId: 'w', nonce: 'n', expiresAt: now }, 'the request is not sealed'],
    ['with a nonce that is no text', { ...good, nonce: 7 }, 'the request is not sealed'],
    ['that is null', null, 'the request is not sealed'],
    ['that is text', 'retry', 'the request is not sealed'],
  ])('%s', (_, request, message) => {
    const objection = requestObjection(request, 'w', now, ['old']);
    expect(objection?.type).toBe(message === undefined ? undefined : 'Forged');
    if (message !== undefined) expect(objection?.message).toContain(message);
  });
});

describe('units of a host', () => {
  const actions = ['none', 'reload', 'restart'] as const;
  const entry = (units: string[], action: (typeof actions)[number], hosts = ['web-1']) => ({
    hosts,
    units,
    action,
  });

  test('are each there once, in the order in which they are named, and those of that host alone', () => {
    const consumers = [
      entry(['b', 'a'], 'restart'),
      entry(['c'], 'restart', ['web-2']),
      entry(['a'], 'restart'),
    ];
    expect(unitsOf(consumers, 'web-1').map(({ unit }) => unit)).toEqual(['b', 'a']);
    expect(unitsOf(consumers, 'web-3')).toEqual([]);
  });

  test('of several actions get the one that serves all, whichever is named last', () => {
    for (const [i, one] of actions.entries())
      for (const [k, other] of actions.entries())
        expect(unitsOf([entry(['a'], one), entry(['a'], other)], 'web-1'), `${one}, ${other}`).toEqual([
          { unit: 'a', action: actions[Math.max(i, k)] },
        ]);
  });
});
