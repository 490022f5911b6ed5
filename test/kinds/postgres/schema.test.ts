import { expect, it } from 'vitest';
import { parseEndpoint } from '../../../kinds/postgres/endpoint.js';
import { postgresSchema } from '../../../kinds/postgres/schema.js';

const good = {
  roles: ['app_a', 'app_b'],
  owner: 'app',
  database: 'app',
  admin: { host: 'db-1', as: 'postgres' },
  endpoints: ['db-1:5432', '[fd00::5]:6432'],
};

function messages(change: object): string[] {
  const result = postgresSchema.safeParse({ ...good, ...change });
  return result.success
    ? []
    : result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
}

it('takes both ways of administration, one role or two, and names with any character', () => {
  expect(messages({})).toEqual([]);
  expect(messages({ admin: { login: 'app-admin' } })).toEqual([]);
  expect(messages({ admin: { host: 'db-1', as: 'postgres', port: 5433 } })).toEqual([]);
  expect(messages({ roles: ['app'], owner: 'group' })).toEqual([]);
  expect(messages({ roles: ['App "A"', 'ünï'] })).toEqual([]);
});

it('parses what it has parsed to the same', () => {
  const once = postgresSchema.parse(good);
  expect(postgresSchema.parse(JSON.parse(JSON.stringify(once)))).toEqual(once);
});

it.each([
  [{ roles: [] }, /^roles: roles must name one role \(swap\) or two \(dual\)/],
  [{ roles: ['a', 'b', 'c'] }, /not more/],
  [{ roles: ['a', 'a'] }, /^roles\.1: the two roles must differ/],
  [{ roles: ['a', 'app'] }, /^owner: owner must be a third role/],
  [{ roles: ['a', 'é'.repeat(32)] }, /longer than 63 bytes/],
  [{ roles: 'app_a' }, /^roles: roles must be a list/],
  [{ owner: '' }, /^owner: owner must not be empty/],
  [{ admin: { host: 'db-1' } }, /^admin: admin must be \{ host, as \} \(psql over SSH\) or \{ login \}/],
  [{ admin: { host: 'db-1', as: '$(id)' } }, /admin/],
  [{ endpoints: [] }, /^endpoints: endpoints must list what consumers connect through/],
  [{ endpoints: ['db-1'] }, /^endpoints\.0: "db-1" is not an endpoint: write host:port/],
  [{ endpoints: ['db-1:99999'] }, /is not an endpoint/],
  [{ endpoints: ['a:1', 'a:1'] }, /^endpoints\.1: a:1 is listed twice/],
  [{ endPoints: [] }, /endPoints/],
])('refuses %j with a message that says what to write', (change, message) => {
  expect(messages(change).join('\n')).toMatch(message);
});

it('reads endpoints with names, addresses and IPv6 addresses', () => {
  expect(parseEndpoint('db-1:5432')).toEqual({ address: 'db-1', port: 5432 });
  expect(parseEndpoint('[fd00::5]:6432')).toEqual({ address: 'fd00::5', port: 6432 });
  for (const text of ['db-1', ':5432', 'db-1:', 'db-1:0', 'a b:1', 'http://x:1', 'u@h:1', '::1:5432'])
    expect(parseEndpoint(text), text).toBeUndefined();
});
