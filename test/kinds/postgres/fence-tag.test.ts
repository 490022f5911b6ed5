import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareFences, noFence } from '../../../domain/fence.js';
import { readFenceTag, writeFenceTag } from '../../../kinds/postgres/fence-tag.js';

const ref = { environment: 'prod', name: 'db-password' };
const other = { environment: 'prod', name: 'reports' };
const fence = fc.record({ epoch: fc.nat(2_000_000), seq: fc.nat(9999) });
const name = fc.string({ minLength: 1, unit: 'grapheme' });
const anyRef = fc.record({ environment: name, name });

describe('the fence in the owner’s comment', () => {
  it('reads nothing from a comment without a tag', () => {
    for (const comment of [undefined, '', 'owner of app', '[rotate me]', '[rotate prod/db-password x.y]'])
      expect(readFenceTag(comment, ref)).toEqual(noFence);
  });

  it('stands behind the user’s own text, which is kept', () => {
    const first = writeFenceTag('Owner of the app.\nAsk Ann.', ref, { epoch: 3, seq: 7 });
    expect(first).toBe('Owner of the app.\nAsk Ann. [rotate prod/db-password 3.7]');
    const second = writeFenceTag(first, ref, { epoch: 4, seq: 1 });
    expect(second).toBe('Owner of the app.\nAsk Ann. [rotate prod/db-password 4.1]');
  });

  it('is kept for each secret that shares the owner', () => {
    let comment = writeFenceTag(undefined, ref, { epoch: 1, seq: 1 });
    comment = writeFenceTag(comment, other, { epoch: 5, seq: 5 });
    comment = writeFenceTag(comment, ref, { epoch: 2, seq: 1 });
    expect(readFenceTag(comment, ref)).toEqual({ epoch: 2, seq: 1 });
    expect(readFenceTag(comment, other)).toEqual({ epoch: 5, seq: 5 });
  });

  it('takes the highest where a person copied a tag, and leaves one', () => {
    const comment = writeFenceTag(
      '[rotate prod/db-password 9.1] a [rotate prod/db-password 2.1]',
      ref,
      noFence,
    );
    expect(comment).toBe('[rotate prod/db-password 9.1] a');
  });

  it('reads back what it wrote, never lower, for any text, any names', () => {
    fc.assert(
      fc.property(
        fc.option(fc.string(), { nil: undefined }),
        anyRef,
        anyRef,
        fence,
        fence,
        (text, a, b, one, two) => {
          fc.pre(a.environment !== b.environment || a.name !== b.name);
          let comment = writeFenceTag(text, a, one);
          comment = writeFenceTag(comment, b, two);
          expect(compareFences(readFenceTag(comment, a), one)).toBeGreaterThanOrEqual(0);
          expect(compareFences(readFenceTag(comment, b), two)).toBeGreaterThanOrEqual(0);
          comment = writeFenceTag(comment, a, two);
          expect(compareFences(readFenceTag(comment, a), one)).toBeGreaterThanOrEqual(0);
          expect(compareFences(readFenceTag(comment, a), two)).toBeGreaterThanOrEqual(0);
          if (text !== undefined && !text.includes('[rotate')) expect(comment.startsWith(text)).toBe(true);
        },
      ),
    );
  });
});
