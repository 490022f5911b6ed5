/** What preflight finds, each problem with the SQL that ends it: the hint is run, and the problem is gone. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SecretValue } from '../../../domain/secret-value.js';
import type { IssuerState } from '../../../kinds/kind.js';
import { postgres } from '../../../kinds/postgres/kind.js';
import type { PostgresSettings } from '../../../kinds/postgres/schema.js';
import type { KindFixture } from '../contract.js';
import { fixture } from './fixture.js';
import { type PostgresServer, startServer } from './server.js';

let server: PostgresServer;
let made: KindFixture<PostgresSettings>;
beforeAll(async () => {
  server = await startServer();
  await server.sql(['CREATE ROLE reports NOLOGIN', 'CREATE ROLE batch NOLOGIN', 'CREATE ROLE admin LOGIN']);
});
afterAll(async () => {
  await server.stop();
});
beforeEach(async () => {
  made = await fixture(server, 'login');
});

const inspect = async (change: Partial<PostgresSettings> = {}): Promise<IssuerState> =>
  postgres.inspect(made.context, { ...made.settings, ...change }, made.current);

/** Runs `run: …` or `run in app: …` of each hint. */
async function follow(state: IssuerState): Promise<void> {
  for (const { hint } of state.problems) {
    const [, database, sql = ''] = /^run(?: in (\w+))?(?: as a superuser)?: (.*)$/.exec(hint) ?? [];
    await server.sql(
      sql
        .replaceAll(/\((?:better|and grant).*$/g, '')
        .replaceAll('; and, so that new ones belong to app: ', '; '),
      database,
    );
  }
}

it('tells the version, the roles and the fence', async () => {
  const state = await inspect();
  expect(state.problems).toEqual([]);
  expect(state.facts).toMatchObject({
    PostgreSQL: expect.stringMatching(/^\d+\.\d+/),
    'administered as': 'postgres',
    'role in use': 'app_a',
    'spare role': 'app_b',
    'sessions of the role in use': '0',
    fence: '0.0',
  });
  expect(state.facts).not.toHaveProperty('statement logging');
});

it('changes nothing', async () => {
  const dump = async () =>
    server.sql(
      `SELECT rolname, rolcanlogin, rolpassword, shobj_description(oid, 'pg_authid') FROM pg_authid ORDER BY 1`,
    );
  const before = await dump();
  await inspect();
  expect(await dump()).toEqual(before);
});

describe('names a difference between the two roles, with the SQL that ends it', () => {
  it.each([
    ['ALTER ROLE app_a CREATEDB', 'app_a is CREATEDB, app_b is NOCREATEDB'],
    ['ALTER ROLE app_b SUPERUSER', 'app_a is NOSUPERUSER, app_b is SUPERUSER'],
    ['ALTER ROLE app_b NOINHERIT', 'app_a is INHERIT, app_b is NOINHERIT'],
    ['ALTER ROLE app_a BYPASSRLS', 'BYPASSRLS'],
    ['ALTER ROLE app_a REPLICATION', 'REPLICATION'],
    ['ALTER ROLE app_a CONNECTION LIMIT 5', 'app_a has 5, app_b none'],
    [
      `ALTER ROLE app_a SET search_path TO app, "Odd one", public`,
      'app_a has search_path=app, "Odd one", public',
    ],
    [
      `ALTER ROLE app_a IN DATABASE app SET statement_timeout TO '5s'`,
      'app_a has statement_timeout=5s in app',
    ],
    [`ALTER ROLE app_b SET work_mem TO '1MB'`, 'app_b has work_mem=1MB'],
    ['GRANT reports TO app_a', 'app_a is a member of reports, app_b is not'],
    ['GRANT reports TO app_a WITH ADMIN OPTION', 'app_a is a member of reports (ADMIN OPTION), app_b is not'],
    ['GRANT reports TO app_b', 'app_b is a member of reports, app_a is not'],
    ['GRANT app_a TO batch', 'batch is a member of app_a, but not of app_b'],
    ['GRANT app_b TO batch', 'batch is a member of app_b, but not of app_a'],
  ])('after %s', async (statement, message) => {
    await server.sql(statement);
    const state = await inspect();
    expect(state.problems.map((problem) => problem.message).join('\n')).toContain(message);
    expect(state.problems).toHaveLength(1);
    await follow(state);
    expect((await inspect()).problems).toEqual([]);
  });

  it.each([
    ['CREATE TABLE t (a int); GRANT SELECT, UPDATE (a) ON t TO app_a', 'SELECT ON TABLE t'],
    ['CREATE TABLE t (a int, "B c" int); GRANT UPDATE ("B c") ON t TO app_a', 'UPDATE ("B c") ON TABLE t'],
    ['CREATE SEQUENCE s; GRANT USAGE ON SEQUENCE s TO app_b', 'USAGE ON SEQUENCE s'],
    ['CREATE SCHEMA x; GRANT CREATE ON SCHEMA x TO app_a WITH GRANT OPTION', 'CREATE ON SCHEMA x'],
    ['GRANT TEMPORARY ON DATABASE app TO app_a', 'TEMPORARY ON DATABASE app'],
    [
      'CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$; GRANT EXECUTE ON FUNCTION f(int) TO app_a',
      'EXECUTE ON FUNCTION f(integer)',
    ],
    [
      'ALTER DEFAULT PRIVILEGES FOR ROLE app GRANT SELECT ON TABLES TO app_a',
      'ALTER DEFAULT PRIVILEGES FOR ROLE app SELECT ON TABLES',
    ],
    ['SET ROLE app_a; CREATE TABLE mine (a int)', 'app_a owns objects in app itself'],
    ['SET ROLE app_b; CREATE TABLE mine (a int)', 'app_b owns objects in app itself'],
  ])('in the database after %s', async (statement, message) => {
    await server.sql('GRANT CREATE ON SCHEMA public TO app_a, app_b', 'app');
    await server.sql(statement, 'app');
    const state = await inspect();
    expect(state.problems.map((problem) => problem.message).join('\n')).toContain(message);
    expect(state.problems).toHaveLength(1);
    await follow(state);
    expect((await inspect()).problems).toEqual([]);
  });

  it('in row security policies and schemas that only one of them finds', async () => {
    await server.sql(
      ['CREATE TABLE t (a int)', 'CREATE POLICY p ON t TO app_a', 'CREATE SCHEMA app_a'],
      'app',
    );
    const messages = (await inspect()).problems.map((problem) => problem.message);
    expect(messages).toContain('in app row security policies name only one of the two roles: p ON t (app_a)');
    expect(messages).toContain(
      'the schema app_a in app is found by the role app_a alone ("$user" in search_path)',
    );
    expect(messages).toHaveLength(2);
  });

  it('but not in temporary tables of a session, nor in what the owner role has', async () => {
    const session = await made.connect(made.current);
    const admin = await server.client({ user: 'postgres', database: 'app' });
    try {
      await admin.query('SET ROLE app_a');
      await admin.query('CREATE TEMPORARY TABLE mine (a int)');
      await server.sql(
        ['CREATE TABLE t (a int)', 'GRANT ALL ON t TO app', 'ALTER TABLE t OWNER TO app'],
        'app',
      );
      expect((await inspect()).problems).toEqual([]);
    } finally {
      await session.close();
      await admin.end();
    }
  });
});

describe('names what is missing or unsafe', () => {
  it.each([
    ['ALTER ROLE app_a NOLOGIN', 'the role in use, app_a, may not log in'],
    [`ALTER ROLE app_b VALID UNTIL '2020-01-01'`, 'the password of app_b expired at 2020-01-01'],
    [`ALTER ROLE app_a VALID UNTIL '2099-01-01'`, 'the password of app_a will expire at 2099-01-01'],
    [
      'REVOKE CONNECT ON DATABASE app FROM PUBLIC; ALTER DATABASE app OWNER TO postgres',
      'app_a may not connect to app',
    ],
  ])('after %s', async (statement, message) => {
    await server.sql(statement);
    const state = await inspect();
    expect(state.problems.map((problem) => problem.message).join('\n')).toContain(message);
    await follow(state);
    expect((await inspect()).problems).toEqual([]);
  });

  it('a spare role that somebody uses', async () => {
    await server.sql(`ALTER ROLE app_b LOGIN PASSWORD 'in-use'`);
    const session = await made.connect({ account: 'app_b', value: SecretValue.fromText('in-use') });
    const state = await inspect();
    await session.close();
    expect(state.problems.map((problem) => problem.message)).toEqual([
      'the spare role app_b is in use: 1 sessions',
    ]);
  });

  it('roles, owner and database that do not exist', async () => {
    const state = await inspect({ roles: ['app_a', 'nobody'], owner: 'nowhere', database: 'none' });
    expect(state.problems).toEqual([
      expect.objectContaining({ message: 'the database none does not exist' }),
      expect.objectContaining({ message: 'the owner role nowhere does not exist' }),
      expect.objectContaining({ message: 'the role nobody does not exist' }),
    ]);
  });

  it('a role that is not a member of the owner', async () => {
    await server.sql('REVOKE app FROM app_b');
    const state = await inspect();
    expect(state.problems.map((problem) => problem.message)).toContain('app_b is not a member of app');
  });

  it('a value in use that belongs to none of the roles', async () => {
    const state = await postgres.inspect(made.context, made.settings, {
      ...made.current,
      account: 'reports',
    });
    expect(state.problems.map((problem) => problem.message)).toEqual([
      'the role in use, reports, is not one of postgres.roles (app_a, app_b)',
    ]);
  });

  it('an admin login that lacks rights, and the statements that it cannot silence', async () => {
    await server.sql(`ALTER ROLE admin PASSWORD 'admin-pw'`);
    const context = { ...made.context, login: async () => url('admin', 'admin-pw') };
    const state = await postgres.inspect(context, made.settings, made.current);
    const messages = state.problems.map((problem) => problem.message);
    expect(messages).toEqual([
      'the admin login admin may not change app_a',
      'the admin login admin may not change app_b',
      'the admin login admin may not end sessions of the roles',
      'the admin login admin may not set the comment on app, which keeps the fence',
    ]);
    expect(state.facts['statement logging']).toMatch(
      /^statement logging cannot be silenced \(.*log_statement/,
    );
  });
});

function url(user: string, password: string): SecretValue {
  return SecretValue.fromText(`postgresql://${user}:${password}@127.0.0.1:${server.port}/`);
}
