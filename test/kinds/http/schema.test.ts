/** Settings, and what is said of wrong ones. */
import { describe, expect, it } from 'vitest';
import { kindRegistry } from '../../../config/registries.js';
import { http } from '../../../kinds/http/kind.js';
import { httpSchema } from '../../../kinds/http/schema.js';
import { labelled, plain } from './fixture.js';

const base = 'https://api.vendor.example/v1';
const good = { base, ...labelled };

function messages(block: unknown): string[] {
  const result = httpSchema.safeParse(block);
  return result.success
    ? []
    : result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
}

it('takes a vendor with labels, and one without', () => {
  expect(messages(good)).toEqual([]);
  expect(messages({ base, ...plain })).toEqual([]);
});

it('parses what it has parsed to the same', () => {
  for (const block of [good, { base, ...plain }]) {
    const once = httpSchema.parse(block);
    expect(httpSchema.parse(JSON.parse(JSON.stringify(once)))).toEqual(once);
  }
});

it('takes every way to authenticate that it has', () => {
  const { check } = good;
  expect(messages({ ...good, auth: { login: 'x', basic: 'rotate:{admin}' } })).toEqual([]);
  expect(messages({ ...good, auth: { login: 'x', basic: '{admin}' } })).toEqual([]);
  expect(messages({ ...good, auth: { login: 'x', headers: { 'X-Api-Key': '{admin}' } } })).toEqual([]);
  expect(messages({ ...good, auth: { login: 'x' }, list: { ...good.list, get: '/keys?k={admin}' } })).toEqual(
    [],
  );
  expect(messages({ ...good, check: { get: check.get, basic: '{account}:{value}' } })).toEqual([]);
  expect(
    messages({ ...good, check: { post: '/login', body: { token: '{value}', deep: ['{{}}'] } } }),
  ).toEqual([]);
});

it.each([
  ['https://api.vendor.example/v1', true],
  ['https://10.0.0.1:8443', true],
  ['http://127.0.0.1:8080', true],
  ['http://localhost/api', true],
  ['http://[::1]:1/', true],
  ['http://api.vendor.example', false],
  ['http://127.0.0.1.vendor.example', false],
  ['http://localhost.vendor.example', false],
])('sends secrets over %s: %s', (address, allowed) => {
  expect(messages({ ...good, base: address }).length === 0).toBe(allowed);
  expect(messages({ ...good, base: address, insecure: true })).toEqual([]);
});

it.each([
  [
    { base: 'http://api.vendor.example' },
    /^base: secrets would travel in clear: use https, or say `insecure: true`/,
  ],
  [{ base: 'api.vendor.example' }, /^base: base must be an https URL without login, query and fragment/],
  [{ base: 'https://u:p@api.vendor.example' }, /^base: base must be/],
  [{ base: 'https://api.vendor.example/?k=v' }, /^base: base must be/],
  [{ base: 'ftp://api.vendor.example' }, /^base: base must be/],
  [{ auth: { login: '' } }, /^auth\.login: auth\.login must name a login of the worker’s configuration/],
  [{ auth: { login: 'x' } }, /^auth: the login is sent nowhere: add `headers:/],
  [{ auth: { login: 'x', headers: { a: '{admin} {value}' } } }, /^auth: only \{admin\} has a place in auth/],
  [{ auth: { login: 'x', headers: { 'a b': '{admin}' } } }, /auth\.headers\.a b: /],
  [{ auth: { login: 'x', headers: { Host: '{admin}' } } }, /auth\.headers\.Host: /],
  [
    { auth: { login: 'x', headers: { a: '{admin}\nb: c' } } },
    /^auth\.headers\.a: a header is one line of ASCII/,
  ],
  [{ auth: { login: 'x', headers: { a: '{admin}', A: 'b' } } }, /^auth\.headers: a header is named twice/],
  [{ auth: { login: 'x', basic: 'rotate' } }, /^auth\.basic: basic is `user:password`, or one placeholder/],
  [{ list: { ids: '/data/*/id' } }, /^list: list must have a verb with a path, e\.g\. `get: \/keys`/],
  [{ list: { get: '/keys', ids: '/data/0/id' } }, /^list\.ids: must be a JSON pointer with one `\*`/],
  [{ list: { get: '/keys', ids: 'data.*.id' } }, /^list\.ids: must be a JSON pointer with one `\*`/],
  [{ list: { get: '/keys', ids: '/data/*/*' } }, /^list\.ids: must be a JSON pointer with one `\*`/],
  [{ list: { get: '/keys', ids: '/data/*/id' } }, /^list: create sends \{label\}: say in list\.labels where/],
  [
    { list: { get: '/keys', ids: '/data/*/id', labels: '/names/*' } },
    /^list\.labels: labels must stand in the same list/,
  ],
  [
    { list: { get: '/keys', post: '/keys', ids: '/*', labels: '/*' } },
    /^list\.post: get and post exclude each other/,
  ],
  [{ list: { delete: '/keys', ids: '/*' } }, /delete/],
  [{ list: { get: '/keys', ids: '/*', labels: '/*', body: {} } }, /^list\.body: a GET has no body/],
  [
    { list: { post: '/keys', ids: '/*', labels: '/*', next: '/next' } },
    /^list\.next: pages are followed with `get` only/,
  ],
  [{ list: { get: '/keys', ids: '/*', labels: '/*', next: 'next' } }, /list\.next: /],
  [
    { create: { post: '/keys', value: '/s', id: '/id' } },
    /^create: list\.labels needs a create that sends \{label\}/,
  ],
  [
    { create: { post: '/keys', value: '/s', id: 'id', body: { n: '{label}' } } },
    /^create\.id: must be a JSON pointer: each key behind a `\/`/,
  ],
  [
    { create: { post: '/keys', value: '/*', id: '/id', body: { n: '{label}' } } },
    /^create\.value: one value is wanted: it has no `\*`/,
  ],
  [
    { create: { post: '/keys', value: '/s', id: '/id', body: { n: '{label} {name}' } } },
    /^create\.body: there is no \{name\}/,
  ],
  [
    { create: { post: '/keys', value: '/s', id: '/id', body: { n: '{label}', v: '{value}' } } },
    /^create: \{value\} has no place in create; what has: \{admin\}, \{label\}/,
  ],
  [
    { create: { post: 'keys', value: '/s', id: '/id', body: { n: '{label}' } } },
    /^create\.post: a path begins with one `\/`/,
  ],
  [
    { create: { post: '//evil', value: '/s', id: '/id', body: { n: '{label}' } } },
    /^create\.post: a path begins with one `\/`/,
  ],
  [
    { create: { post: '/a/../b', value: '/s', id: '/id', body: { n: '{label}' } } },
    /^create\.post: a path has no segments/,
  ],
  [{ check: { get: '/whoami' } }, /^check: check must say \{value\} somewhere/],
  [
    { check: { get: '/whoami', headers: { a: '{value} {admin}' } } },
    /^check: \{admin\} has no place in check/,
  ],
  [
    { check: { ...labelled.check, accepted: [200, 401] } },
    /^check\.refused: 401 cannot both accept and refuse a value/,
  ],
  [
    { check: { ...labelled.check, refused: [429] } },
    /^check\.refused\.0: such an answer says nothing: the vendor is busy/,
  ],
  [{ check: { ...labelled.check, refused: [302] } }, /^check\.refused\.0: only 2xx and 4xx are answers/],
  [{ check: { ...labelled.check, refused: [503] } }, /^check\.refused\.0: only 2xx and 4xx are answers/],
  [{ check: { ...labelled.check, accepted: [] } }, /^check\.accepted: must list at least one HTTP status/],
  [
    { check: { ...labelled.check, basic: 'a:{value}', headers: { Authorization: '{value}' } } },
    /^check\.basic: `basic` and an authorization header exclude/,
  ],
  [
    { enable: undefined },
    /^disable: disable and enable belong together|^enable: disable and enable belong together/,
  ],
  [{ disable: undefined }, /disable and enable belong together/],
  [
    { enable: { ...labelled.enable, already: [404] } },
    /^enable\.already: 404 and 410 say that the key is gone/,
  ],
  [{ delete: { delete: '/keys' } }, /^delete: delete must say \{id\} somewhere/],
  [{ delete: { delete: '/keys/{id' } }, /^delete\.delete: a \{ stands alone/],
  [{ identify: { get: '/me', id: '/id' } }, /^identify: identify must say \{value\} somewhere/],
  [{ from: '' }, /^from: from must name a host of this file/],
  [{ lists: {} }, /lists/],
])('refuses %j with a message that says what to write', (change, message) => {
  expect(messages({ ...good, ...change }).join('\n')).toMatch(message);
});

describe('what other parts of the file have to know', () => {
  it('is that the file carries the id unless the vendor is asked for it', () => {
    expect(http.needsAccount(httpSchema.parse(good))).toBe(true);
    expect(http.needsAccount(httpSchema.parse({ base, ...plain }))).toBe(false);
  });

  it('is which host the vendor is reached from', () => {
    const facts = kindRegistry.get('http')?.facts({ ...good, from: 'jump-1' });
    expect(facts?.hosts).toEqual([{ path: ['from'], name: 'jump-1' }]);
    expect(kindRegistry.get('http')?.facts(good)?.hosts).toEqual([]);
  });
});

it('says for each effect which request it is', () => {
  const withLabels = http.describe(httpSchema.parse(good), 'key-7');
  expect(withLabels).toEqual({
    generate: `make a new key, labelled as of this rotation (POST ${base}/keys); the key key-7 stays as it is`,
    disable: `disable the key key-7 (POST ${base}/keys/{id}/disable)`,
    destroy: `delete the key key-7 (DELETE ${base}/keys/{id})`,
  });
  const asked = http.describe(httpSchema.parse({ base, ...plain }), undefined);
  expect(asked.destroy).toBe(`delete the key in use (DELETE ${base}/keys/{id})`);
  expect(asked.disable).toContain('cannot refuse a key for a while');
});
