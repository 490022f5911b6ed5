/** What is concluded from the vendor's answers, and what is never sent on. */
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RotateError } from '../../../domain/failure.js';
import type { RemoteHost } from '../../../domain/remote.js';
import { SecretValue } from '../../../domain/secret-value.js';
import { exchange } from '../../../kinds/http/exchange.js';
import { http } from '../../../kinds/http/kind.js';
import { prepare } from '../../../kinds/http/prepare.js';
import { httpSchema } from '../../../kinds/http/schema.js';
import { localHost } from '../postgres/local-host.js';
import { fixture, type HttpFixture, labelled, plain } from './fixture.js';
import { type Fault, startVendor, type Vendor } from './vendor-server.js';

let vendor: Vendor;
let elsewhere: Vendor;
let made: HttpFixture;
beforeAll(async () => {
  vendor = await startVendor();
  elsewhere = await startVendor();
});
afterAll(async () => {
  await vendor.stop();
  await elsewhere.stop();
});
beforeEach(() => {
  made = fixture(vendor);
  elsewhere.seen.length = 0;
});

const inspect = async (block: object = labelled) =>
  http.inspect(made.context, httpSchema.parse({ base: `${vendor.origin}/v1`, ...block }), made.current);
const generate = async () => http.generate(made.context, made.settings, made.current, { existing: [] });
const check = async (from?: string) => {
  const [result] = await http.check(made.context, made.settings, made.current, from);
  return result;
};

describe('a redirect', () => {
  it('to another server is refused by name, without path and query, and nothing is sent there', async () => {
    const location = `${elsewhere.origin}/v1/keys?token=abc`;
    for (const [line, call] of [
      ['GET /v1/keys', inspect],
      ['POST /v1/keys', generate],
    ] as const) {
      vendor.fail(line, { status: 307, headers: { location } });
      await expect(call()).rejects.toMatchObject({
        type: 'IssuerMisconfigured',
        message: `${line.replace(' /v1', ` ${vendor.origin}/v1`)}: 307, redirects from ${vendor.origin} to ${elsewhere.origin}, which is refused`,
      });
    }
    expect(elsewhere.seen).toEqual([]);
  });

  it('of a check is neither a refusal nor followed', async () => {
    vendor.fail('GET /v1/whoami', { status: 302, headers: { location: `${elsewhere.origin}/?x=1` } });
    expect(await check()).toMatchObject({
      outcome: 'unknown',
      code: '302',
      message: expect.stringContaining(`redirects from ${vendor.origin} to ${elsewhere.origin}`),
    });
    expect(elsewhere.seen).toEqual([]);
  });

  it('within the server is followed for a GET', async () => {
    vendor.fail('GET /v1/keys', { status: 301, headers: { location: '/v1/keys?from=there' } });
    expect((await inspect()).existing).toEqual([made.stranger.id, made.used.id]);
    expect(vendor.seen.map(({ line }) => line)).toEqual(['GET /v1/keys', 'GET /v1/keys?from=there']);
  });

  it('in a circle ends', async () => {
    const fault: Fault = { status: 301, headers: { location: '/v1/keys' } };
    vendor.fail('GET /v1/keys', fault, fault, fault, fault);
    await expect(inspect()).rejects.toThrow(/301, redirects to another path of/);
  });

  it('within the server is refused for all else, which would be done twice', async () => {
    vendor.fail('POST /v1/keys', { status: 308, headers: { location: '/v2/keys?secret' } });
    await expect(generate()).rejects.toMatchObject({
      type: 'IssuerMisconfigured',
      message: `POST ${vendor.origin}/v1/keys: 308, redirects to another path of ${vendor.origin}`,
    });
    expect(vendor.keys).toHaveLength(2);
  });

  it.each([{}, { location: 'http://' }])('to nowhere (%j) is refused', async (headers) => {
    vendor.fail('GET /v1/keys', { status: 302, headers });
    await expect(inspect()).rejects.toThrow(/302, redirects to nowhere/);
  });
});

describe('an answer to what administers keys', () => {
  it.each<[number, string, boolean, RegExp]>([
    [400, 'IssuerMisconfigured', false, /400, the vendor does not take the request$/],
    [401, 'IssuerAuthFailed', false, /401, the vendor does not accept the login vendor-admin$/],
    [403, 'IssuerAuthFailed', false, /403, the vendor does not accept the login vendor-admin$/],
    [404, 'IssuerMisconfigured', false, /404, the vendor does not take/],
    [408, 'IssuerUnreachable', true, /408, the vendor cannot answer now$/],
    [422, 'IssuerMisconfigured', false, /422/],
    [429, 'IssuerBusy', true, /429, too many requests; it asks to wait 30 s$/],
    [500, 'IssuerUnreachable', true, /500, the vendor cannot answer now; it asks to wait 30 s$/],
    [503, 'IssuerUnreachable', true, /503/],
  ])('of %i is %s', async (status, type, retryable, message) => {
    const headers: Record<string, string> = status > 428 ? { 'retry-after': '30' } : {};
    vendor.fail('POST /v1/keys', { status, headers, body: 'we tell you your secret' });
    const error = await generate().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RotateError);
    expect(error).toMatchObject({ type, retryable, message: expect.stringMatching(message) });
    expect(String(error)).not.toContain('secret');
  });

  it.each<[Fault, string, RegExp]>([
    ['a page', 'IssuerMisconfigured', /the answer is no JSON$/],
    ['endless', 'IssuerMisconfigured', /the answer is larger than 1 MiB$/],
    ['answer cut', 'IssuerUnreachable', /the connection was lost before the answer was complete/],
    ['answer lost', 'IssuerUnreachable', /the connection was lost before the answer was complete/],
    [{ status: 204 }, 'IssuerMisconfigured', /the answer is no JSON$/],
    [{ status: 200, body: '{"id":"a"}' }, 'IssuerMisconfigured', /the answer has no value at \/secret$/],
    [{ status: 200, body: '{"id":"a","secret":7}' }, 'IssuerMisconfigured', /no value at \/secret$/],
    [{ status: 200, body: '{"secret":"x"}' }, 'IssuerMisconfigured', /what stands at \/id is no id$/],
    [{ status: 200, body: '{"secret":"x","id":"a b"}' }, 'IssuerMisconfigured', /no id$/],
    [{ status: 200, body: '{"secret":"x","id":""}' }, 'IssuerMisconfigured', /no id$/],
    [{ status: 200, body: '{"secret":"x","id":9007199254740993}' }, 'IssuerMisconfigured', /no id$/],
    [{ status: 101 }, 'IssuerMisconfigured', /101, the vendor does not take/],
  ])('of %j is refused', async (fault, type, message) => {
    vendor.fail('POST /v1/keys', fault);
    await expect(generate()).rejects.toMatchObject({ type, message: expect.stringMatching(message) });
  });

  it('that never comes is waited for so long and no longer', async () => {
    vendor.fail('GET /v1/keys', 'silence');
    const request = prepare(made.settings, { get: '/keys' }, {});
    const { signal } = made.context;
    await expect(exchange(request, { signal, read: true, timeoutMs: 100 })).rejects.toMatchObject({
      type: 'Timeout',
      message: `GET ${vendor.origin}/v1/keys: no answer within 0.1 s`,
    });
  });

  it('has an id as a number, too', async () => {
    vendor.fail('POST /v1/keys', { status: 200, body: '{"secret":"x","id":9007199254740991}' });
    expect((await generate()).account).toBe('9007199254740991');
  });

  it('has a body that does not matter where only its effect is asked for', async () => {
    const fresh = await generate();
    vendor.fail(`DELETE /v1/keys/${made.used.id}`, 'endless');
    const credentials = { old: made.current, new: fresh, existing: [] };
    const target = { old: 'destroyed', new: 'valid' } as const;
    const applied = await http.apply(made.context, made.settings, credentials, target, { epoch: 1, seq: 1 });
    expect(applied.changed).toBe(true);
  });
});

describe('the list', () => {
  it('is read to its last page, by its URL or by a mark', async () => {
    vendor.add('third');
    vendor.pageSize = 2;
    for (const next of ['/next', { at: '/after', query: 'after' }])
      expect((await inspect({ ...labelled, list: { ...labelled.list, next } })).existing).toHaveLength(3);
  });

  it('is refused when it says that it has another page, and nobody said where', async () => {
    const headers = { link: `<${vendor.origin}/v1/keys?page=2>; rel="next"` };
    vendor.fail('GET /v1/keys', { status: 200, headers, body: '{"data":[]}' });
    await expect(inspect()).rejects.toThrow(/the list has another page/);
  });

  it.each<[unknown, RegExp]>([
    ['http://elsewhere.example/keys', /the next page is at http:\/\/elsewhere\.example, not at/],
    ['/v1/keys', /the pages of the list do not end/],
    [{}, /is no page/],
  ])('is refused when its next page is %j', async (next, message) => {
    const body = JSON.stringify({ data: [], next });
    vendor.fail('GET /v1/keys', { status: 200, body });
    await expect(inspect({ ...labelled, list: { ...labelled.list, next: '/next' } })).rejects.toThrow(
      message,
    );
  });

  it('is refused with more than 200 keys', async () => {
    while (vendor.keys.length < 200) vendor.add('many');
    expect((await inspect()).existing).toHaveLength(200);
    vendor.add('one more');
    await expect(inspect()).rejects.toMatchObject({
      type: 'IssuerMisconfigured',
      message: `GET ${vendor.origin}/v1/keys: the vendor lists more than 200 keys`,
      hint: expect.stringContaining('narrow http.list'),
    });
  });

  it('is refused where there is none', async () => {
    vendor.fail('GET /v1/keys', { status: 200, body: '{"data":{"id":1}}' });
    await expect(inspect()).rejects.toThrow(/the answer has no list at \/data/);
  });
});

describe('preflight', () => {
  it('says what it has seen', async () => {
    expect(await inspect()).toEqual({
      fence: { epoch: 0, seq: 0 },
      existing: ['key-1', 'key-2'],
      facts: {
        vendor: vendor.origin,
        'administered as': 'vendor-admin',
        keys: '2',
        'key in use': made.used.id,
      },
      problems: [],
    });
  });

  it('refuses a key in use that the vendor does not list', async () => {
    const current = { ...made.current, account: 'key-77' };
    const { problems } = await http.inspect(made.context, made.settings, current);
    expect(problems[0]?.message).toBe('the key in use, key-77, is not among the 2 that the vendor lists');
  });

  it('refuses a file that does not say which key it holds', async () => {
    const current = { value: made.current.value };
    const { problems } = await http.inspect(made.context, made.settings, current);
    expect(problems[0]?.message).toBe('the file does not say the id of its key');
  });

  it('refuses a file that does not say the account that a check asks for', async () => {
    const byAccount = { ...plain, check: { get: '/whoami', basic: '{account}:{value}' } };
    const settings = httpSchema.parse({ base: `${vendor.origin}/v1`, ...byAccount });
    const { problems } = await http.inspect(made.context, settings, { value: made.current.value });
    expect(problems[0]?.message).toContain('does not say the account');
  });

  it('refuses a value that the vendor does not know when it is asked which key it is', async () => {
    const settings = httpSchema.parse({ base: `${vendor.origin}/v1`, ...plain });
    const unknown = { value: SecretValue.fromText('sk_test_nobody_has_it_0123456789') };
    await expect(http.inspect(made.context, settings, unknown)).rejects.toMatchObject({
      type: 'IssuerMisconfigured',
      message: expect.stringContaining('401, the vendor does not accept the value itself'),
    });
  });

  it('refuses an empty login', async () => {
    const context = { ...made.context, login: async () => SecretValue.fromText('\n') };
    await expect(http.inspect(context, made.settings, made.current)).rejects.toMatchObject({
      type: 'BadConfig',
    });
  });
});

describe('a check', () => {
  it.each<[Fault, string]>([
    [{ status: 200 }, 'accepted'],
    [{ status: 401 }, 'refused'],
    [{ status: 403 }, 'refused'],
    [{ status: 204 }, 'unknown'],
    [{ status: 404 }, 'unknown'],
    [{ status: 429 }, 'unknown'],
    [{ status: 500 }, 'unknown'],
    ['answer lost', 'unknown'],
  ])('of %j is %s', async (fault, outcome) => {
    vendor.fail('GET /v1/whoami', fault);
    expect((await check())?.outcome).toBe(outcome);
  });

  it('of an endless answer is what its status says', async () => {
    vendor.fail('GET /v1/whoami', 'endless');
    expect(await check()).toMatchObject({ outcome: 'accepted', code: '200' });
  });

  it('is unknown when nobody listens', async () => {
    const gone = await startVendor();
    const settings = { ...made.settings, base: `${gone.origin}/v1` };
    await gone.stop();
    const [result] = await http.check(made.context, settings, made.current);
    expect(result).toMatchObject({
      outcome: 'unknown',
      message: expect.stringMatching(/cannot be connected to: connection refused \(ECONNREFUSED\)$/),
    });
  });

  it('goes out from the host that it is asked for', async () => {
    const asked: string[] = [];
    const host: RemoteHost = {
      ...localHost('web-1'),
      async forward(address, port) {
        asked.push(`${address}:${port}`);
        return connect(port, address);
      },
    };
    made = fixture(vendor, labelled, [host]);
    expect(await check('web-1')).toMatchObject({ outcome: 'accepted', host: 'web-1' });
    expect(asked).toEqual([vendor.origin.replace('http://', '')]);
    await check();
    expect(asked).toHaveLength(1);
  });

  it('is unknown when the host cannot connect, and fails when the host is not who it should be', async () => {
    for (const [type, expected] of [
      ['HostUnreachable', { outcome: 'unknown', message: 'no way' }],
      ['HostKeyMismatch', undefined],
    ] as const) {
      const forward = async () => {
        throw new RotateError(type, 'no way');
      };
      made = fixture(vendor, labelled, [{ ...localHost('web-1'), forward }]);
      const result = await check('web-1').catch((error: unknown) => error);
      expect(result).toMatchObject(expected ?? { type });
    }
  });
});

it('administers keys through a host where one is named', async () => {
  const asked: number[] = [];
  const host: RemoteHost = {
    ...localHost('jump-1'),
    async forward(address, port) {
      asked.push(port);
      return connect(port, address);
    },
  };
  made = fixture(vendor, { ...labelled, from: 'jump-1' }, [host]);
  await generate();
  expect(asked.length).toBe(vendor.seen.length);
  expect(vendor.keys).toHaveLength(3);
});
