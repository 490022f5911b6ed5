/** `maxAge` and `warnBefore` of a secret: how old its value may become. */
import type { SecretSpec } from '../domain/spec.js';
import type { Reader } from './fields.js';
import type { KeyPath } from './problem.js';

const defaultWarnMs = 14 * 86_400_000;

/** @param given in milliseconds, as they were read; undefined where there is none, or a wrong one */
export function readAge(
  reader: Reader,
  path: KeyPath,
  given: { maxAge?: number | undefined; warnBefore?: number | undefined },
): Pick<SecretSpec, 'maxAgeMs' | 'warnBeforeMs'> {
  const declared = (key: string): boolean => reader.raw([...path, key]) !== undefined;
  if (declared('warnBefore') && !declared('maxAge')) {
    reader.problem([...path, 'warnBefore'], 'there is no `maxAge` to warn before', {
      at: 'key',
      hint: 'add `maxAge`, or remove `warnBefore`',
    });
  }
  const { maxAge: maxAgeMs, warnBefore: warnBeforeMs = defaultWarnMs } = given;
  if (maxAgeMs === undefined) return {};
  if (warnBeforeMs >= maxAgeMs) {
    if (declared('warnBefore')) reader.problem([...path, 'warnBefore'], 'must be shorter than `maxAge`');
    else
      reader.problem([...path, 'maxAge'], 'is not longer than the time that it is warned of before, 14d', {
        hint: 'set `warnBefore` too, to less than that',
      });
  }
  return { maxAgeMs, warnBeforeMs };
}
