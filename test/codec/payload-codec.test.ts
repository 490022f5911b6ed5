import type { Payload, SerializationContext } from '@temporalio/common';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { bindingFor } from '../../codec/binding.js';
import { makePayloadCodec } from '../../codec/payload-codec.js';
import { isRefusedPayload, refusalOf } from '../../domain/refused-payload.js';
import { freshKeys } from '../support/temporal.js';

const keys = freshKeys(2);
const worker = makePayloadCodec(keys, { onRefusal: 'mark' });
const client = makePayloadCodec(keys, { onRefusal: 'throw' });
const workflow = (workflowId: string, namespace = 'default'): SerializationContext => ({
  type: 'workflow',
  namespace,
  workflowId,
});
const activity = (activityId: string, workflowId = 'w'): SerializationContext => ({
  type: 'activity',
  namespace: 'default',
  workflowId,
  activityId,
  isLocal: false,
});

function json(plain: unknown): Payload {
  return { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from(JSON.stringify(plain)) };
}

function value(payload: Payload | undefined): unknown {
  return JSON.parse(Buffer.from(payload?.data ?? []).toString());
}

const bytes = fc.uint8Array({ maxLength: 300 });
const payloads = fc.array(
  fc.record({ metadata: fc.dictionary(fc.string({ minLength: 1, maxLength: 20 }), bytes), data: bytes }),
  { maxLength: 5 },
);
const context = fc.oneof(
  fc.constant(undefined),
  fc.record({
    type: fc.constant('workflow' as const),
    namespace: fc.string({ minLength: 1 }),
    workflowId: fc.string({ minLength: 1 }),
  }),
  fc.record({
    type: fc.constant('activity' as const),
    namespace: fc.string({ minLength: 1 }),
    workflowId: fc.string({ minLength: 1 }),
    activityId: fc.string({ minLength: 1 }),
    isLocal: fc.boolean(),
  }),
);

describe('the codec', () => {
  test('gives back what it sealed, whatever it is and wherever it belongs', async () => {
    await fc.assert(
      fc.asyncProperty(payloads, context, async (plain, place) => {
        const opened = await client.decode(await client.encode(plain, place), place);
        const normal = (list: readonly Payload[]): unknown =>
          list.map(({ metadata, data }) => [
            Object.entries(metadata ?? {}).map(([key, item]) => [key, [...item]]),
            [...(data ?? [])],
          ]);
        expect(normal(opened)).toEqual(normal(plain));
      }),
      { numRuns: 200 },
    );
  });

  test('does not open what was sealed for another place', async () => {
    await fc.assert(
      fc.asyncProperty(context, context, async (here, there) => {
        fc.pre(there !== undefined && bindingFor(here) !== bindingFor(there));
        const opened = await worker.decode(await worker.encode([json('x')], here), there);
        expect(value(opened[0])).toEqual({ __rotateRefused: 'forged' });
      }),
      { numRuns: 200 },
    );
  });

  test('refuses a payload with any byte of it changed', async () => {
    const place = workflow('w');
    const [sealed] = await worker.encode([json({ secret: 'x' })], place);
    const data = Buffer.from(sealed?.data ?? []);
    for (const [i, byte] of data.entries()) {
      const changed = Buffer.from(data);
      changed[i] = byte ^ 1;
      const opened = await worker.decode([{ ...sealed, data: changed }], place);
      expect(value(opened[0])).toEqual({ __rotateRefused: 'forged' });
    }
    for (const length of [0, 1, 27, data.length - 1]) {
      const opened = await worker.decode([{ ...sealed, data: data.subarray(0, length) }], place);
      expect(value(opened[0])).toEqual({ __rotateRefused: 'forged' });
    }
  });

  test('refuses a payload that claims another place than it was sealed for', async () => {
    const [sealed] = await worker.encode([json('x')], workflow('a'));
    const moved = {
      ...sealed,
      metadata: { ...sealed?.metadata, 'rotate-for': Buffer.from(bindingFor(workflow('b'))) },
    };
    expect(value((await worker.decode([moved], workflow('b')))[0])).toEqual({ __rotateRefused: 'forged' });
  });

  test('refuses a result moved from one activity of a workflow to another', async () => {
    const sealed = await worker.encode([json('proven')], activity('4'));
    expect(value((await worker.decode(sealed, activity('5')))[0])).toEqual({ __rotateRefused: 'forged' });
    expect(value((await worker.decode(sealed, activity('4')))[0])).toBe('proven');
  });

  test('never lets a payload pass in the clear, nor seals two alike', async () => {
    const plain = json('same words');
    const sealed = await worker.encode([plain, plain], workflow('w'));
    const text = sealed.map(({ data }) => Buffer.from(data ?? []).toString('latin1'));
    expect(text[0]).not.toBe(text[1]);
    expect(text.join('')).not.toContain('same words');
  });

  test('marks an unencrypted payload on the worker and throws on the client', async () => {
    const opened = await worker.decode([json('plain')], workflow('w'));
    expect(isRefusedPayload(value(opened[0]))).toBe(true);
    expect(refusalOf([1, value(opened[0])])).toBe('unsealed');
    await expect(client.decode([json('plain')], workflow('w'))).rejects.toMatchObject({
      type: 'Forged',
      message: 'a payload of workflow w came without encryption and was refused',
    });
  });

  test('tells an unknown key from a forgery, and never guesses where only our worker seals', async () => {
    const other = makePayloadCodec(freshKeys(), { onRefusal: 'throw' });
    const request = await other.encode([json('x')], workflow('w'));
    expect(value((await worker.decode(request, workflow('w')))[0])).toEqual({
      __rotateRefused: 'unknown-key',
    });
    await expect(client.decode(request, workflow('w'))).rejects.toMatchObject({
      type: 'WrongKey',
      message: "the codec key differs from the worker's",
    });
    const result = await other.encode([json('x')], activity('1'));
    await expect(worker.decode(result, activity('1'))).rejects.toMatchObject({ type: 'WrongKey' });
  });

  test('opens what a schedule sealed before it gave the workflow its time', async () => {
    const sealed = await client.encode([json('due')], workflow('due/prod'));
    const opened = await worker.decode(sealed, workflow('due/prod-2026-11-23T18:00:00Z'));
    expect(value(opened[0])).toBe('due');
  });
});
