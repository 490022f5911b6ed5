import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { editDistance, nearest, unknownMessage } from '../../config/nearest.js';

describe('edit distance', () => {
  test.each([
    ['', '', 0],
    ['abc', '', 3],
    ['kitten', 'sitting', 3],
    ['drain', 'drian', 1],
    ['web-3', 'web-2', 1],
  ])('from %j to %j is %d', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
  });

  test('is symmetric, zero only for the same text, and at most the longer length', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
        const distance = editDistance(a, b);
        expect(distance).toBe(editDistance(b, a));
        expect(distance === 0).toBe(a === b);
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
    );
  });
});

describe('what may have been meant', () => {
  test.each([
    ['maxfailures', ['maxFailures', 'parallel'], ['maxFailures']],
    ['host_key', ['hostKey', 'hosts'], ['hostKey']],
    ['web-3', ['web-1', 'web-2', 'db-1'], ['web-1', 'web-2']],
    ['x', ['ab', 'b'], []],
    ['postgresql', ['postgres'], ['postgres']],
    ['something', ['else'], []],
  ])('by %s of %j is %j', (name, known, expected) => {
    expect(nearest(name, known)).toEqual(expected);
  });

  test('is asked in the message', () => {
    expect(unknownMessage('host', 'web-3', ['web-2'])).toBe('unknown host `web-3`, did you mean `web-2`?');
    expect(unknownMessage('host', 'web-3', [])).toBe('unknown host `web-3`');
  });
});
