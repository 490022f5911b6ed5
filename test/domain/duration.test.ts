import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatDuration, parseDuration } from '../../domain/duration.js';

test.each([
  ['0', 0],
  ['0s', 0],
  ['5s', 5_000],
  ['500ms', 500],
  ['10m', 600_000],
  ['1m5ms', 60_005],
  ['1h30m', 5_400_000],
  ['90d', 7_776_000_000],
  ['1d2h3m4s5ms', 93_784_005],
])('%s is %d ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each(['', '5', '-5s', '1.5h', '5 s', '30m1h', '5s5s', 's', '5S', '1w', '00', '+1s', '1h ', '1e3s'])(
  '`%s` is no duration',
  (text) => {
    expect(parseDuration(text)).toBeUndefined();
  },
);

test('every whole number of milliseconds is read back from its text', () => {
  fc.assert(
    fc.property(fc.nat({ max: 10 ** 12 }), (ms) => {
      expect(parseDuration(formatDuration(ms))).toBe(ms);
    }),
  );
});

test('every duration is read back from the shortest text of what it means', () => {
  const part = (unit: string) =>
    fc.option(fc.nat({ max: 999 })).map((n) => (n === null ? '' : `${n}${unit}`));
  const text = fc
    .tuple(part('d'), part('h'), part('m'), part('s'), part('ms'))
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(text, (written) => {
      fc.pre(written !== '');
      const ms = parseDuration(written);
      expect(ms).toBeTypeOf('number');
      expect(parseDuration(formatDuration(ms ?? -1))).toBe(ms);
    }),
  );
});
