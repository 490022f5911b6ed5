/** Runs the SQL of docs/kinds/postgres.md, as it stands there. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { parse } from 'yaml';
import { SecretValue } from '../../../domain/secret-value.js';
import type { KindContext } from '../../../kinds/kind.js';
import { postgres } from '../../../kinds/postgres/kind.js';
import { type PostgresSettings, postgresSchema } from '../../../kinds/postgres/schema.js';
import { noCommand } from '../no-command.js';
import { hostAccess, localHost } from './local-host.js';
import { type PostgresServer, startServer, systemUser } from './server.js';

const page = await readFile(new URL('../../../docs/kinds/postgres.md', import.meta.url), 'utf8');

function block(language: string): string {
  const [, text] = new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``).exec(page) ?? [];
  if (text === undefined) throw new Error(`no block ${language}`);
  return text;
}

const statements = (language: string): string[] =>
  block(language)
    .replaceAll(/^--.*$/gm, '')
    .split(';')
    .filter((statement) => statement.trim() !== '');

let server: PostgresServer;
let settings: PostgresSettings;
beforeAll(async () => {
  server = await startServer();
  const { postgres: documented } = parse(block('yaml')) as { postgres: object };
  settings = {
    ...postgresSchema.parse(documented),
    admin: { host: 'db-1', as: systemUser },
    endpoints: [`127.0.0.1:${server.port}`],
  };
});
afterAll(async () => {
  await server.stop();
});
beforeEach(async () => {
  await server.sql(['DROP DATABASE IF EXISTS app', 'DROP ROLE IF EXISTS app_a, app_b, app, rotate']);
});

const current = { account: 'app_a', value: SecretValue.fromText('the password that is in use now') };
const context = (url = ''): KindContext => ({
  secret: { environment: 'prod', name: 'db-password' },
  hosts: hostAccess(localHost('db-1')),
  login: async () => SecretValue.fromText(url),
  command: noCommand,
  signal: new AbortController().signal,
});

it('sets up two roles that preflight finds nothing wrong with', async () => {
  await server.sql(statements('sql set-up'));
  expect((await postgres.inspect(context(), settings, current)).problems).toEqual([]);
  expect((await postgres.check(context(), settings, current))[0]?.outcome).toBe('accepted');
});

it('turns an application with one role into one with two', async () => {
  await server.sql([
    `CREATE ROLE app_a LOGIN PASSWORD 'the password that is in use now'`,
    'CREATE DATABASE app OWNER app_a',
  ]);
  await server.sql(['SET ROLE app_a', 'CREATE SCHEMA data', 'CREATE TABLE data.t (a int)'], 'app');
  await server.sql(statements('sql convert'), 'app');
  expect((await postgres.inspect(context(), settings, current)).problems).toEqual([]);
});

it('lets an admin rotate who is no superuser', async () => {
  await server.sql([...statements('sql set-up'), ...statements('sql admin')]);
  const byUrl = context(`postgresql://rotate:of%20its%20own@127.0.0.1:${server.port}/`);
  const asLogin = { ...settings, admin: { login: 'app-admin' } };
  expect((await postgres.inspect(byUrl, asLogin, current)).problems).toEqual([]);
  const fresh = await postgres.generate(byUrl, asLogin, current);
  const credentials = { old: current, new: fresh };
  await postgres.apply(byUrl, asLogin, credentials, { old: 'disabled', new: 'valid' }, { epoch: 1, seq: 1 });
  expect((await postgres.check(byUrl, asLogin, fresh))[0]?.outcome).toBe('accepted');
  expect((await postgres.check(byUrl, asLogin, current))[0]?.outcome).toBe('refused');
});
