/** Which secrets go through one rotation, and in which order. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import {
  type Mixable,
  type Ordered,
  batchesOf,
  comesAfter,
  mixProblem,
  placesBefore,
} from '../../domain/batches.js';
import { errorOf } from '../config/errors.js';

type Member = Mixable & Ordered;

function member(name: string, after: string[] = [], spec: Partial<Member> = {}): Member {
  return { environment: 'prod', name, policy: 'careful', overlap: 'dual', retire: 'issuer', after, ...spec };
}

function names(batches: Member[][]): string[] {
  return batches.map((batch) => batch.map(({ name }) => name).join(' '));
}

const swap = { overlap: 'swap' } as const;
const pool = (id: string, marked = false) => ({ pool: { id, marked } });

describe('two secrets', () => {
  test.each([
    ['of two environments', { environment: 'test' }, 'they belong to different environments'],
    ['of two policies', { policy: 'fast' }, 'their policies differ (careful and fast), and a batch has one'],
    ['of which one is swapped', swap, 'one is swapped at once on all hosts, the other goes in waves'],
    [
      'that end in two ways',
      { retire: 'deploy' as const },
      'one is revoked at its issuer, the other by a second deploy',
    ],
    [
      'that are kept for two times',
      { keepOldMs: 1 },
      'their old values are kept in the file for different times',
    ],
    ['that are alike', {}, undefined],
  ])('%s: %#', (_title, spec, why) => {
    expect(mixProblem(member('a'), member('b', [], spec))).toBe(why);
  });

  test.each([
    ['one place, where values are not told apart', pool('x'), pool('x'), false],
    ['one place, where those of one are', pool('x', true), pool('x'), false],
    ['one place, where all are', pool('x', true), pool('x', true), true],
    ['two places', pool('x'), pool('y'), true],
    ['a place, and one that has none', pool('x'), {}, true],
  ])('that get their new values from %s: go together: %#', (_title, one, other, together) => {
    for (const [a, b] of [
      [one, other],
      [other, one],
    ])
      expect(mixProblem(member('a', [], a), member('b', [], b)) === undefined).toBe(together);
  });

  test('come after one another directly, over others, and not the other way round', () => {
    const all = [member('ca'), member('mid', ['ca']), member('leaf', ['mid'])];
    const [ca = member(''), mid = member(''), leaf = member('')] = all;
    expect(comesAfter(all, leaf, mid)).toBe(true);
    expect(comesAfter(all, leaf, ca)).toBe(true);
    expect(comesAfter(all, ca, leaf)).toBe(false);
    expect(comesAfter(all, ca, ca)).toBe(false);
  });

  test('of two environments do not come after one another, whatever their names', () => {
    const other = member('ca', [], { environment: 'test' });
    expect(comesAfter([other], member('leaf', ['ca']), other)).toBe(false);
  });
});

test('of each batch it is known which ones it comes after, directly and over others', () => {
  const all = [
    member('ca'),
    member('mid', ['ca']),
    member('leaf', ['mid']),
    member('other', [], swap),
    member('last', ['other', 'leaf']),
    member('ca', [], { environment: 'test' }),
  ];
  const [ca = member(''), , leaf = member(''), other = member(''), last = member('')] = all;
  expect(placesBefore([[ca], [other], [leaf], [last]], all)).toEqual([[], [], [0], [0, 1, 2]]);
  expect(placesBefore([[ca, other], [last]], all)).toEqual([[], [0]]);
  expect(placesBefore([[other], [leaf]], all)).toEqual([[], []]);
});

/** Title; the secrets; others that are not rotated now; the batches. */
const splits: [string, Member[], Ordered[], string[]][] = [
  ['nothing', [], [], []],
  ['secrets that are alike are one batch, by name', [member('b'), member('a')], [], ['a b']],
  ['a secret and what comes after it are two', [member('a', ['b']), member('b')], [], ['b', 'a']],
  [
    'what comes after one over another is apart',
    [member('leaf', ['mid']), member('ca')],
    [member('mid', ['ca'])],
    ['ca', 'leaf'],
  ],
  ['a name that nobody has holds nothing up', [member('a', ['gone'])], [], ['a']],
  [
    'secrets that are not alike are apart',
    [member('a'), member('b', [], swap), member('c')],
    [],
    ['a c', 'b'],
  ],
  ['alike but for the policy', [member('a'), member('b', [], { policy: 'fast' })], [], ['a', 'b']],
  // c could go first, and waits for b, which is like it
  [
    'few batches: one waits for its like',
    [member('a'), member('b', ['a'], swap), member('c', [], swap)],
    [],
    ['a', 'b c'],
  ],
  [
    'few batches: many wait for their like',
    [member('a'), member('b', ['a'], swap), member('c', [], swap), member('d', [], swap)],
    [],
    ['a', 'b c d'],
  ],
  [
    'two that each go with a third, and not with one another',
    [member('a'), member('b', [], pool('x')), member('c', [], pool('x')), member('d', [], pool('x', true))],
    [],
    ['a b', 'c', 'd'],
  ],
  ['two environments', [member('a'), member('a', [], { environment: 'test' })], [], ['a', 'a']],
  [
    'a diamond',
    [member('d', ['b', 'c']), member('b', ['a']), member('c', ['a']), member('a')],
    [],
    ['a', 'b c', 'd'],
  ],
];

describe('batches', () => {
  test.each(splits)('%s', (_title, members, others, expected) => {
    expect(names(batchesOf(members, others))).toEqual(expected);
  });

  test('of secrets that come after one another in a circle are refused', () => {
    const circle = [member('a', ['b']), member('b', ['a']), member('c')];
    const error = errorOf(() => batchesOf(circle));
    expect(error.type).toBe('BadConfig');
    expect(error.message).toBe('prod/a, prod/b come after one another in a circle');
  });

  const letters = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
  /** Each may come after those before it in the alphabet. */
  const graph = fc
    .tuple(
      ...letters.map((name, i) =>
        fc.record({
          name: fc.constant(name),
          after: fc.subarray(letters.slice(0, i), { maxLength: Math.min(i, 2) }),
          policy: fc.constantFrom('careful', 'fast'),
          overlap: fc.constantFrom('dual' as const, 'swap' as const),
          pool: fc.record({ id: fc.constantFrom('x', 'y', 'z'), marked: fc.boolean() }),
          now: fc.boolean(),
        }),
      ),
    )
    .map((all) => all.map(({ now, ...spec }) => ({ now, ...member(spec.name, spec.after, spec) })));

  test('have each secret once, mix nothing, keep the order, and do not depend on how they were asked for', () => {
    fc.assert(
      fc.property(graph, fc.infiniteStream(fc.nat()), (all, dice) => {
        const members = all.filter(({ now }) => now);
        const batches = batchesOf(members, all);
        expect(
          batches
            .flat()
            .map(({ name }) => name)
            .toSorted(),
        ).toEqual(members.map(({ name }) => name));
        for (const [i, batch] of batches.entries()) {
          for (const each of batch) {
            for (const other of batch) {
              if (each !== other) expect(mixProblem(each, other)).toBeUndefined();
              expect(comesAfter(all, each, other)).toBe(false);
            }
            for (const later of batches.slice(i + 1).flat()) expect(comesAfter(all, each, later)).toBe(false);
          }
        }
        const keys = new Map(members.map((each) => [each, dice.next().value ?? 0]));
        const shuffled = members.toSorted((a, b) => (keys.get(a) ?? 0) - (keys.get(b) ?? 0));
        expect(names(batchesOf(shuffled, all))).toEqual(names(batches));
      }),
      { numRuns: 300 },
    );
  });
});
