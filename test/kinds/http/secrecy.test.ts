/**
 * Neither a value nor the login is in anything that the kind throws, returns or prints, whatever the vendor answers;
 * this one quotes both in its errors. The search is first proven by decoys.
 */
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Target } from '../../../domain/credential.js';
import { SecretValue } from '../../../domain/secret-value.js';
import { http } from '../../../kinds/http/kind.js';
import { fixture, type HttpFixture, labelled, plain } from './fixture.js';
import { type Fault, startVendor, type Vendor } from './vendor-server.js';

let vendor: Vendor;
let made: HttpFixture;
let printed: string[];

beforeAll(async () => {
  vendor = await startVendor();
});
afterAll(async () => {
  await vendor.stop();
});
beforeEach(() => {
  printed = [];
  for (const stream of [process.stdout, process.stderr])
    vi.spyOn(stream, 'write').mockImplementation((chunk) => {
      printed.push(String(chunk));
      return true;
    });
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** Everything of a thrown or returned thing that any logger could print. */
function everything(thing: unknown): string {
  const parts: string[] = [];
  for (let each: unknown = thing; each !== undefined; each = each instanceof Error ? each.cause : undefined) {
    parts.push(JSON.stringify(each) ?? '', inspect(each, { depth: Infinity, showHidden: true }));
    if (each instanceof Error) parts.push(each.message, each.stack ?? '', JSON.stringify({ ...each }));
  }
  return parts.join('\n');
}

function found(text: string): string[] {
  return [vendor.adminToken, ...vendor.issued]
    .flatMap((secret) => [
      secret,
      encodeURIComponent(secret),
      Buffer.from(secret).toString('base64').replace(/=+$/, ''),
      Buffer.from(`rotate:${secret}`).toString('base64').replace(/=+$/, ''),
      // part of one is one as well
      secret.slice(-20),
    ])
    .filter((needle) => text.includes(needle));
}

it('asks for its login with the origin that it will be sent to, whatever the path', async () => {
  const asked: unknown[] = [];
  made = fixture(vendor);
  const { context, settings, current } = made;
  await http.inspect(
    {
      ...context,
      login: (...args) => {
        asked.push(args);
        return context.login(...args);
      },
    },
    settings,
    current,
  );
  expect(asked.length).toBeGreaterThan(0);
  for (const args of asked) expect(args).toEqual(['vendor-admin', vendor.origin]);
});

it('finds what is hidden in a cause, a property or base64', () => {
  made = fixture(vendor);
  const { value } = made.used;
  const buried = new Error('outer', {
    cause: Object.assign(new Error('inner'), { deep: { list: [value] } }),
  });
  expect(found(everything(buried))).toContain(value);
  expect(found(everything(new Error(`x ${value}`)))).toContain(value);
  expect(found(everything({ auth: `Basic ${btoa(`rotate:${vendor.adminToken}`)}` }))).toHaveLength(1);
  expect(found(everything({ login: vendor.adminToken }))).not.toEqual([]);
  expect(found(everything(SecretValue.fromText(value)))).toEqual([]);
});

const destroyed: Target = { old: 'destroyed', new: 'valid' };
const onlyOld: Target = { old: 'valid', new: 'absent' };
const disabled: Target = { old: 'disabled', new: 'valid' };

/** All that a rotation does, each step whether the one before has failed or not; what came of each. */
async function rotation(): Promise<unknown[]> {
  const { context, settings, current } = made;
  const results: unknown[] = [];
  const attempt = async <T>(step: Promise<T>): Promise<T | undefined> => {
    try {
      const result = await step;
      results.push(result);
      return result;
    } catch (error) {
      results.push(error);
      return undefined;
    }
  };
  const state = await attempt(http.inspect(context, settings, current));
  const existing = state?.existing ?? [];
  const fresh = await attempt(http.generate(context, settings, current, { existing }));
  const fence = { epoch: 1, seq: 1 };
  const credentials = { old: current, existing, ...(fresh === undefined ? {} : { new: fresh }) };
  for (const credential of [current, ...(fresh === undefined ? [] : [fresh])]) {
    await attempt(http.check(context, settings, credential, 'web-1'));
    await attempt(http.checkWrong(context, settings, credential));
  }
  for (const target of [disabled, onlyOld, destroyed])
    await attempt(http.apply(context, settings, credentials, target, fence));
  return results;
}

const lines = [
  'GET /v1/keys',
  'POST /v1/keys',
  'GET /v1/whoami',
  'DELETE /v1/keys/key-2',
  'POST /v1/keys/key-2/disable',
];
const secretInUrl = (secret: string): Fault => ({
  status: 307,
  headers: { location: `http://elsewhere.example/${secret}?q=${secret}` },
});

describe.each([
  ['with labels', labelled],
  ['without labels', plain],
  ['by Basic', { ...labelled, auth: { login: 'vendor-admin', basic: 'rotate:{admin}' } }],
  [
    'with secrets in paths, queries and bodies',
    {
      ...labelled,
      auth: { login: 'vendor-admin' },
      list: { ...labelled.list, get: '/keys?key={admin}' },
      create: { ...labelled.create, body: { name: '{label}', key: '{admin}' } },
      check: { get: '/{value}/whoami?key={value}', refused: [404] },
      delete: { delete: '/keys/{id}?key={admin}' },
    },
  ],
])('%s', (_title, block) => {
  it.each<[string, Fault[] | ((vendor: Vendor) => Fault[])]>([
    ['everything goes well', []],
    ['an answer is lost', ['answer lost']],
    ['an answer is cut', ['answer cut']],
    ['a page comes back', ['a page', 'a page']],
    ['bodies do not end', ['endless', 'endless']],
    ['the vendor is down', [{ status: 500, body: 'sorry' }]],
    ['the vendor is busy', [{ status: 429, headers: { 'retry-after': '1' } }]],
    ['the login is refused', [{ status: 401 }]],
    ['the request is refused', [{ status: 422 }, { status: 422 }]],
    [
      'a redirect holds the secrets',
      (v) => [secretInUrl(v.adminToken), secretInUrl(v.keys[1]?.value ?? ''), secretInUrl('x')],
    ],
    [
      'the answer has the secret where the id should be',
      (v) => [
        { status: 200, body: JSON.stringify({ id: `${v.keys[1]?.value} ${v.adminToken}`, secret: 'x' }) },
      ],
    ],
    [
      'headers are malformed, and quote the secret',
      (v) => [
        { status: 200, headers: { 'retry-after': v.adminToken, link: v.adminToken }, body: v.adminToken },
      ],
    ],
  ])('nothing is told when %s', async (_what, faults) => {
    for (const line of lines) {
      made = fixture(vendor, block);
      vendor.fail(line, ...(typeof faults === 'function' ? faults(vendor) : faults));
      for (const result of await rotation()) {
        expect(found(everything(result))).toEqual([]);
      }
      expect(found(printed.join(''))).toEqual([]);
      // the search looked where secrets were
      expect(found(JSON.stringify(vendor.seen))).not.toEqual([]);
    }
  });

  it('nothing is told when login or value cannot stand in a header', async () => {
    made = fixture(vendor, block);
    const { value } = made.used;
    const login = async () => SecretValue.fromText(`${vendor.adminToken}\r\nx-evil: 1`);
    made = {
      ...made,
      context: { ...made.context, login },
      current: { ...made.current, value: SecretValue.fromText(`${value}\nx-evil: 1`) },
    };
    const { context, settings, current } = made;
    const results = await rotation();
    results.push(await http.check(context, settings, current).catch((error: unknown) => error));
    for (const result of results) expect(found(everything(result))).toEqual([]);
    expect(vendor.seen.flatMap(({ headers }) => Object.keys(headers))).not.toContain('x-evil');
  });

  it('nothing is told when the value is no text', async () => {
    made = fixture(vendor, block);
    const bytes = new SecretValue(Uint8Array.from([...new TextEncoder().encode(made.used.value), 0xff]));
    made = { ...made, current: { ...made.current, value: bytes } };
    for (const result of await rotation()) expect(found(everything(result))).toEqual([]);
  });
});

it('the server of an answer that is no HTTP is told by a code alone', async () => {
  made = fixture(vendor);
  const { createServer } = await import('node:net');
  const raw = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (data) => socket.end(`HTTP/1.1 999999 ${data.toString('latin1')}\n\n`));
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  raw.listen(0, '127.0.0.1', resolve);
  await promise;
  const address = raw.address();
  const port = typeof address === 'object' ? address?.port : 0;
  made = { ...made, settings: { ...made.settings, base: `http://127.0.0.1:${port}/v1` } };
  const results = await rotation();
  raw.close();
  for (const result of results) expect(found(everything(result))).toEqual([]);
  expect(everything(results[0])).toMatch(/HPE_/);
});
