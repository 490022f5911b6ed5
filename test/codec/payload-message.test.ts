/** Payloads as bytes, against the SDK's own definitions of the message. */
import proto from '@temporalio/proto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { decodePayload, encodePayload } from '../../codec/payload-message.js';

const { Payload } = proto.temporal.api.common.v1;
const bytes = fc.uint8Array({ maxLength: 300 });
const payload = fc.record({
  metadata: fc.dictionary(fc.string({ maxLength: 20 }), bytes),
  data: bytes,
});

/** Bytes as text: a Buffer and an array of bytes are the same here. */
function plain({ metadata, data }: { metadata?: object | null; data?: Uint8Array | null }): unknown {
  const hex = (value: Uint8Array): string => Buffer.from(value).toString('hex');
  return {
    metadata: Object.entries(metadata ?? {})
      .map(([key, value]: [string, Uint8Array]): [string, string] => [key, hex(value)])
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
    data: hex(data ?? new Uint8Array()),
  };
}

describe('a payload', () => {
  test('is written as the SDK reads it', () => {
    fc.assert(
      fc.property(payload, (one) => {
        expect(plain(Payload.decode(encodePayload(one)))).toEqual(plain(one));
      }),
    );
  });

  test('is read as the SDK writes it', () => {
    fc.assert(
      fc.property(payload, (one) => {
        expect(plain(decodePayload(Payload.encode(one).finish()))).toEqual(plain(one));
      }),
    );
  });

  test('is read with fields that nobody knows yet', () => {
    // Field 15, a varint, and field 14, of 3 bytes.
    const unknown = Buffer.from([0x78, 0x01, 0x72, 0x03, 1, 2, 3]);
    const known = encodePayload({ metadata: { encoding: Buffer.from('x') }, data: Buffer.from('y') });
    expect(plain(decodePayload(Buffer.concat([unknown, known, unknown])))).toEqual(
      plain({ metadata: { encoding: Buffer.from('x') }, data: Buffer.from('y') }),
    );
  });

  test('is not read where it is cut off', () => {
    const whole = encodePayload({ metadata: { encoding: Buffer.from('x') }, data: Buffer.from('yyyy') });
    expect(() => decodePayload(whole.subarray(0, -1))).toThrow(RangeError);
  });

  test('whose data lies elsewhere is not sealed without it', () => {
    expect(() => encodePayload({ data: Buffer.from('x'), externalPayloads: [{}] })).toThrow(TypeError);
  });
});
