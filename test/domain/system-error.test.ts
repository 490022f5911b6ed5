import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

import { systemCode, systemReason } from '../../domain/system-error.js';

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

describe('systemReason', () => {
  test('says in words what a code means, and the code', () => {
    expect(systemReason(thrownBy(() => readFileSync('/nowhere/at/all')))).toBe(
      'there is no such file (ENOENT)',
    );
    expect(systemReason(thrownBy(() => readFileSync('/')))).toBe('it is a folder (EISDIR)');
  });

  test('keeps a code that it has no words for', () => {
    expect(systemReason(Object.assign(new Error('x'), { code: 'EWHATEVER' }))).toBe('EWHATEVER');
  });

  test('looks through wrappers', () => {
    const inner = Object.assign(new Error('x'), { code: 'ECONNREFUSED' });
    expect(systemReason(new Error('fetch failed', { cause: inner }))).toBe(
      'connection refused (ECONNREFUSED)',
    );
  });

  test('never repeats the text of another error, nor a code that is none', () => {
    for (const error of [new Error('the key is hunter2'), 'hunter2', undefined])
      expect(systemReason(error)).toBe('unknown error');
    expect(systemCode(Object.assign(new Error('x'), { code: 'hunter2' }))).toBeUndefined();
    expect(systemCode(Object.assign(new Error('x'), { code: 14 }))).toBeUndefined();
  });
});
