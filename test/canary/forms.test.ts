import { execFileSync } from 'node:child_process';
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formsOf } from '../../infra/canary/forms.js';
import { Inspector } from '../../infra/canary/inspector.js';
import { newDecoy } from '../../infra/canary/place.js';
import { encoders, find } from './support.js';

/** Values as they are rotated, and nastier ones. */
const values = fc.oneof(
  fc.string({ minLength: 12, maxLength: 48 }),
  fc.string({
    minLength: 12,
    maxLength: 48,
    unit: fc.constantFrom(...`aZ09+/=-_.~!*'();:@&$,?#[]%"\\<> é€`),
  }),
  fc.constant(0).map(() => newDecoy()),
);
const around = fc.string({ maxLength: 200 });
const sizes = fc.array(fc.integer({ min: 1, max: 97 }), { minLength: 1, maxLength: 5 });

describe('a value', () => {
  it.each(Object.entries(encoders))(
    'is found as %s, wherever it stands and chunks part',
    async (_, encode) => {
      await fc.assert(
        fc.asyncProperty(values, around, around, sizes, async (value, before, after, chunks) => {
          expect(await find(value, encode(before + value + after), chunks)).not.toEqual([]);
        }),
        { numRuns: 60 },
      );
    },
  );

  it('is not found where another one is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...Object.values(encoders)), around, async (encode, before) => {
        expect(await find(newDecoy(), encode(`${before}${newDecoy()}`))).toEqual([]);
      }),
    );
  });

  it('is found as a verifier with slashes and dollars in JSON and in a URL', async () => {
    const verifier = 'SCRAM-SHA-256$4096:c2FsdA/+==$q+/KKA=:b//c=';
    expect(
      (await find(verifier, `{"sql":"ALTER ROLE a PASSWORD '${verifier.replaceAll('/', '\\/')}'"}`))[0]?.form,
    ).toBe('json');
    expect((await find(verifier, `x=${encodeURIComponent(verifier)}`))[0]?.form).toBe('url');
  });

  it('that is short is refused, because it would be found by chance', () => {
    expect(() => formsOf({ name: 'value', value: 'seven77' })).toThrow('fewer than 8 bytes');
  });
});

describe('a hit', () => {
  it('tells the place and the form and not the value', async () => {
    const value = newDecoy();
    const [hit] = await find(value, `${'.'.repeat(1000)}${value}`, [64]);
    expect(hit).toEqual({ needle: 'value', form: 'plain', where: 'here at byte 1000' });
  });

  it('is counted once, though its bytes are kept for the next chunk', async () => {
    const value = newDecoy();
    expect(await find(value, `..${value}${'.'.repeat(5000)}`, [100])).toHaveLength(1);
  });
});

describe('compressed data', () => {
  const value = newDecoy();
  const text = Buffer.from(`${'some text '.repeat(20_000)}${value}${'and more '.repeat(20_000)}`);
  const packed: [string, Buffer][] = [
    ['gzip', gzipSync(text)],
    ['zlib', deflateSync(text)],
    ['zstd', zstdCompressSync(text)],
    ['xz', execFileSync('xz', ['-c'], { input: text })],
    ['bzip2', execFileSync('bzip2', ['-c'], { input: text })],
    ['gzip of zstd', gzipSync(zstdCompressSync(text))],
    ['gzip that is cut off', gzipSync(text).subarray(0, -9)],
    ['gzip with other bytes behind', Buffer.concat([gzipSync(text), Buffer.from('tail that is no gzip')])],
    ['gzip of base64', gzipSync(text.toString('base64'))],
  ];

  it.each(packed)('is searched when it is %s', async (_, data) => {
    expect(await find(value, data, [17, 4096])).not.toEqual([]);
    expect(await find(newDecoy(), data)).toEqual([]);
  });

  it('is searched as it is when it only looks compressed', async () => {
    for (const magic of ['\x1f\x8b\x08', '(\xb5/\xfd', 'BZh9', '\xfd7zX', 'x\x9c'])
      expect(await find(value, Buffer.concat([Buffer.from(magic, 'latin1'), text]))).toHaveLength(1);
  });
});

describe('a search', () => {
  it('ends with the reason when it is aborted', async () => {
    const inspector = new Inspector(
      [{ name: 'value', value: newDecoy() }],
      AbortSignal.abort(new Error('enough')),
    );
    await expect(inspector.bytes('here', Buffer.from('text'))).rejects.toThrow('enough');
  });
});
