/** Answers that are lost, attempts that are given up, and keys of others: what is deleted, and what never is. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Mixable, mixProblem } from '../../../domain/batches.js';
import type { Credential, Target } from '../../../domain/credential.js';
import { http } from '../../../kinds/http/kind.js';
import { listKeys } from '../../../kinds/http/keys.js';
import { labelOf } from '../../../kinds/http/leftovers.js';
import { httpSchema } from '../../../kinds/http/schema.js';
import { openVendor } from '../../../kinds/http/vendor.js';
import type { Credentials } from '../../../kinds/kind.js';
import { fixture, type HttpFixture, labelled, plain, rotation } from './fixture.js';
import { startVendor, type Vendor } from './vendor-server.js';

let vendor: Vendor;
let made: HttpFixture;
let existing: readonly string[];
beforeAll(async () => {
  vendor = await startVendor();
});
afterAll(async () => {
  await vendor.stop();
});

const begin = async (block: object): Promise<void> => {
  made = fixture(vendor, block);
  const state = await http.inspect(made.context, made.settings, made.current);
  existing = state.existing ?? [];
  vendor.seen.length = 0;
};
const generate = async (context = made.context): Promise<Credential> =>
  http.generate(context, made.settings, made.current, { existing });
const apply = async (target: Target, change: Partial<Credentials> = {}) =>
  http.apply(made.context, made.settings, { old: made.current, existing, ...change }, target, {
    epoch: 1,
    seq: 1,
  });
const ids = (): string[] => vendor.keys.map(({ id }) => id);
const lines = (): string[] => vendor.seen.map(({ line }) => line);

const onlyOld: Target = { old: 'valid', new: 'absent' };
const both: Target = { old: 'valid', new: 'valid' };
const destroyed: Target = { old: 'destroyed', new: 'valid' };

describe.each([
  ['with labels', labelled],
  ['without labels', plain],
])('%s', (_title, block) => {
  beforeEach(async () => begin(block));

  it.each(['answer lost', 'answer cut'] as const)(
    'a second attempt deletes the key whose %s, and only that',
    async (fault) => {
      vendor.fail('POST /v1/keys', fault);
      await expect(generate()).rejects.toMatchObject({ type: 'IssuerUnreachable' });
      const [orphan] = vendor.keys.slice(2);
      expect(orphan?.value).toBeTypeOf('string');
      const fresh = await generate();
      expect(ids()).toEqual([made.stranger.id, made.used.id, expect.any(String)]);
      expect(fresh.value.text()).toBe(vendor.keys[2]?.value);
      expect(ids()).not.toContain(orphan?.id);
    },
  );

  it('an undo deletes the key whose answer was lost, and only that', async () => {
    vendor.fail('POST /v1/keys', 'answer lost');
    await expect(generate()).rejects.toThrow();
    expect(ids()).toHaveLength(3);
    expect(await apply(onlyOld)).toMatchObject({ changed: true });
    expect(ids()).toEqual([made.stranger.id, made.used.id]);
  });

  it('an undo before any key was made deletes none', async () => {
    vendor.fail('POST /v1/keys', { status: 503 });
    await expect(generate()).rejects.toMatchObject({ type: 'IssuerUnreachable' });
    expect(await apply(onlyOld)).toEqual({ changed: false, endedSessions: 0 });
    expect(ids()).toEqual([made.stranger.id, made.used.id]);
  });

  it('a deletion whose answer was lost counts as done the next time', async () => {
    const fresh = await generate();
    vendor.fail(`DELETE /v1/keys/${made.used.id}`, 'answer lost');
    await expect(apply(destroyed, { new: fresh })).rejects.toMatchObject({ type: 'IssuerUnreachable' });
    const again = { new: fresh, old: await asSealed(block) };
    expect(await apply(destroyed, again)).toEqual({ changed: false, endedSessions: 0 });
    expect(ids()).not.toContain(made.used.id);
  });

  it('nothing is sent when the attempt was cancelled, or is too late', async () => {
    await expect(generate({ ...made.context, signal: AbortSignal.abort() })).rejects.toThrow('aborted');
    const late = openVendor(made.context, made.settings, -1);
    await expect(listKeys(late)).rejects.toMatchObject({ type: 'Timeout' });
    expect(lines()).toEqual([]);
  });

  it('an attempt that is cancelled while it waits creates nothing', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    vendor.fail('GET /v1/keys', { until: promise });
    const cancel = new AbortController();
    const attempt = generate({ ...made.context, signal: cancel.signal });
    await expect.poll(lines).toContain('GET /v1/keys');
    cancel.abort();
    await expect(attempt).rejects.toThrow('aborted');
    resolve();
    expect(lines()).not.toContain('POST /v1/keys');
  });
});

/** The value in use as preflight leaves it: a deleted key says no more which it was. */
async function asSealed(block: object): Promise<Credential> {
  if (block === labelled) return made.current;
  const { id, value } = made.used;
  vendor.keys.push(made.used);
  const { verifier } = await http.inspect(made.context, made.settings, made.current);
  vendor.keys.splice(ids().indexOf(id), 1);
  expect(value).toBe(made.current.value.text());
  return { value: made.current.value, ...(verifier === undefined ? {} : { verifier }) };
}

describe('with labels', () => {
  beforeEach(async () => begin(labelled));

  it('a key carries the label of its secret and rotation', async () => {
    const fresh = await generate();
    expect(vendor.keys.at(-1)).toMatchObject({ id: fresh.account, label: `rotate/prod/api-key/${rotation}` });
  });

  it('keys that others make meanwhile stay, however many', async () => {
    const others = [vendor.add('x'), vendor.add(labelOf({ environment: 'prod', name: 'other' }, rotation))];
    vendor.fail('POST /v1/keys', 'answer lost');
    await expect(generate()).rejects.toThrow();
    others.push(vendor.add('y'));
    await generate();
    await apply(onlyOld);
    expect(vendor.keys).toEqual([made.stranger, made.used, ...others]);
  });

  it('what arrives of an attempt that was given up goes with the old key', async () => {
    const fresh = await generate();
    vendor.add(labelOf(made.context.secret, rotation));
    expect(await apply(destroyed, { new: fresh })).toMatchObject({ changed: true });
    expect(ids()).toEqual([made.stranger.id, fresh.account]);
  });

  it('keys that earlier rotations have left are told, and stay', async () => {
    const left = vendor.add(labelOf(made.context.secret, '01HZZZZZZZZZZZZZZZZZZZZZZZ'));
    const { facts, problems } = await http.inspect(made.context, made.settings, made.current);
    expect(facts['keys of earlier rotations']).toBe(left.id);
    expect(problems).toEqual([]);
    await generate();
    expect(vendor.keys).toContain(left);
  });

  it('the old key is enabled on the way back alone', async () => {
    const fresh = await generate();
    for (const [purpose, enabled] of [
      ['provision', false],
      ['withdraw', false],
      ['reenable', true],
    ] as const) {
      vendor.seen.length = 0;
      await apply(both, { new: fresh, purpose });
      expect(lines().includes(`POST /v1/keys/${made.used.id}/enable`)).toBe(enabled);
    }
  });

  it('an old key that is gone cannot be enabled, and the new one then stays', async () => {
    const fresh = await generate();
    vendor.keys.splice(ids().indexOf(made.used.id), 1);
    for (const purpose of ['reenable', 'withdraw'] as const)
      await expect(apply(onlyOld, { new: fresh, purpose })).rejects.toMatchObject({
        type: 'IssuerMisconfigured',
        message: expect.stringContaining(`does not know the key ${made.used.id} any more`),
      });
    expect(ids()).toContain(fresh.account);
  });
});

describe('without labels', () => {
  beforeEach(async () => begin(plain));

  it('none is deleted when somebody else has made a key beside the one that was lost', async () => {
    vendor.fail('POST /v1/keys', 'answer lost');
    await expect(generate()).rejects.toThrow();
    vendor.add('somebody else, meanwhile');
    const before = ids();
    const refused = { type: 'IssuerMisconfigured', message: expect.stringContaining('key-3, key-4') };
    await expect(generate()).rejects.toMatchObject(refused);
    await expect(apply(onlyOld)).rejects.toMatchObject(refused);
    expect(ids()).toEqual(before);
  });

  it('two secrets that get their keys from one list are never made at the same time', () => {
    const of = (block: object, base = `${vendor.origin}/v1`) => {
      const settings = httpSchema.parse({ base, ...block });
      return {
        environment: 'prod',
        policy: 'careful',
        overlap: http.overlap(settings),
        retire: http.retirement(settings).by,
        pool: http.pool?.(settings),
      };
    };
    const mixed = (a: Mixable, b: Mixable): boolean => mixProblem(a, b) === undefined;
    const filtered = { ...plain, list: { ...plain.list, get: '/keys?limit=100' } };
    expect(mixed(of(plain), of(plain))).toBe(false);
    expect(mixed(of(plain), of(labelled))).toBe(false);
    expect(mixed(of(plain), of(filtered))).toBe(false);
    expect(mixed(of(plain), of(plain, `${vendor.origin}/v1/`))).toBe(false);
    expect(mixed(of(labelled), of(labelled))).toBe(true);
    expect(mixed(of(plain), of({ ...plain, list: { ...plain.list, get: '/projects/2/keys' } }))).toBe(true);
    expect(mixed(of(plain), of(plain, 'https://other.example/v1'))).toBe(true);
  });

  it('a key that is known is deleted by its id, whatever others make', async () => {
    const fresh = await generate();
    vendor.add('somebody else, meanwhile');
    vendor.add('and another');
    await apply(onlyOld, { new: fresh });
    expect(ids()).toEqual(['key-1', 'key-2', 'key-4', 'key-5']);
  });

  it('the id of a value is asked for once, as long as it is accepted', async () => {
    const { verifier } = await http.inspect(made.context, made.settings, { value: made.current.value });
    expect(verifier?.text()).toBe(made.used.id);
    const fresh = await generate();
    expect(fresh.account).toBe(made.current.account);
    expect(fresh.verifier?.text()).toBe('key-3');
    vendor.seen.length = 0;
    const old: Credential = { value: made.current.value, ...(verifier === undefined ? {} : { verifier }) };
    await apply(destroyed, { old, new: fresh });
    expect(lines()).toEqual([`DELETE /v1/keys/${made.used.id}`]);
  });
});

describe.each([
  ['with labels', labelled],
  ['without labels', plain],
])('a new key that is gone, %s,', (_title, block) => {
  beforeEach(async () => begin(block));

  it('is missed before anything is deployed', async () => {
    const fresh = await generate();
    await apply(both, { new: fresh, purpose: 'provision' });
    const gone = vendor.keys.pop();
    await expect(apply(both, { new: fresh, purpose: 'provision' })).rejects.toMatchObject({
      type: 'IssuerBusy',
      message: `the vendor does not list the new key ${gone?.id}`,
    });
  });

  it('holds up no undo', async () => {
    const fresh = await generate();
    vendor.keys.pop();
    await apply(both, { new: fresh, purpose: 'reenable' });
    await apply(onlyOld, { new: fresh, purpose: 'withdraw' });
    expect(ids()).toEqual([made.stranger.id, made.used.id]);
  });
});

describe('a vendor that makes no new key', () => {
  it('is found out by the id', async () => {
    await begin(labelled);
    const body = JSON.stringify({ id: made.used.id, secret: 'x'.repeat(40) });
    vendor.fail('POST /v1/keys', { status: 200, body });
    await expect(generate()).rejects.toThrow(/made no new key: key-2 was there before/);
  });

  it('is found out by the value', async () => {
    await begin(labelled);
    const body = JSON.stringify({ id: 'key-9', secret: made.used.value });
    vendor.fail('POST /v1/keys', { status: 200, body });
    await expect(generate()).rejects.toThrow(/the new key key-9 has the value that is in use/);
  });
});

describe('a path that is wrong', () => {
  it('does not pass for a key that is gone, as long as the key is listed', async () => {
    await begin({ ...labelled, delete: { delete: '/wrong/{id}' } });
    const fresh = await generate();
    await expect(apply(destroyed, { new: fresh })).rejects.toThrow(
      /says that the key key-2 is gone, and lists it/,
    );
  });
});
