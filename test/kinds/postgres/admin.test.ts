/** Both ways to the server, and what is said when one of them leads nowhere. */
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RotateError } from '../../../domain/failure.js';
import type { RemoteHost } from '../../../domain/remote.js';
import { SecretValue } from '../../../domain/secret-value.js';
import type { KindContext } from '../../../kinds/kind.js';
import { hostSession } from '../../../kinds/postgres/admin-host.js';
import { loginSession } from '../../../kinds/postgres/admin-login.js';
import { noCommand } from '../no-command.js';
import { superuserPassword } from './fixture.js';
import { hostAccess, localHost } from './local-host.js';
import { type PostgresServer, freePort, startServer, systemUser } from './server.js';

const run = promisify(execFile);

function contextWith(host: RemoteHost, url = ''): KindContext {
  return {
    secret: { environment: 'prod', name: 'db-password' },
    hosts: hostAccess(host),
    login: async () => SecretValue.fromText(url),
    command: noCommand,
    signal: new AbortController().signal,
  };
}

/** A host on which psql or the server answers with this. */
const answering = (code: number, stderr: string): RemoteHost => ({
  ...localHost('db-1'),
  run: async () => ({ code, stdout: '', stderr }),
});

const overHost = (
  admin: { as?: string; port?: number } = {},
  endpoints = ['db-1:5432'],
  host = localHost('db-1'),
) => hostSession(contextWith(host), endpoints, { host: 'db-1', as: systemUser, ...admin });
const byUrl = (url: string) => loginSession(contextWith(localHost('db-1'), url), 'app-admin');

describe('psql on the host', () => {
  let one: PostgresServer;
  let two: PostgresServer;
  const at = (server: PostgresServer) => overHost({}, [`db-1:${server.port}`]);
  beforeAll(async () => {
    // a host's other servers are found as well: the test names its own by port
    [one, two] = await Promise.all([startServer(), startServer()]);
  });
  afterAll(async () => {
    await one.stop();
    await two.stop();
  });

  it('talks to the server whose port an endpoint has', async () => {
    for (const server of [one, two]) {
      const results = await at(server).run([`SELECT current_setting('port')`, 'SELECT current_database()']);
      expect(results).toEqual([[String(server.port)], ['postgres']]);
    }
  });

  it('talks to the server that postgres.admin.port names', async () => {
    const session = overHost({ port: two.port }, [`db-1:${one.port}`]);
    expect(await session.run([`SELECT current_setting('port')`])).toEqual([[String(two.port)]]);
  });

  it('prefers the port of an endpoint on that host over a pooler’s elsewhere', async () => {
    const session = overHost({}, [`pooler:${one.port}`, `db-1:${two.port}`]);
    expect(await session.run([`SELECT current_setting('port')`])).toEqual([[String(two.port)]]);
  });

  it('asks which one where it cannot tell, naming the ports', async () => {
    await expect(overHost({}, ['pooler:6432']).run(['SELECT 1'])).rejects.toMatchObject({
      type: 'IssuerMisconfigured',
      message: expect.stringMatching(
        new RegExp(`several PostgreSQL servers run on db-1 \\(ports .*(${one.port}|${two.port})`),
      ),
      hint: 'say which: postgres.admin.port',
    });
    await expect(overHost({ port: 1 }).run(['SELECT 1'])).rejects.toMatchObject({
      type: 'IssuerMisconfigured',
      message: expect.stringContaining(
        'no PostgreSQL server on db-1 has the port that postgres.admin.port names (1 of',
      ),
    });
  });

  it('sends each statement as a message of its own, and gives back the rows of each', async () => {
    const rows = await at(one).run([
      'SELECT 1 WHERE false',
      `SELECT json_build_object('a', E'two\\nlines', 'b', '|')`,
      `SELECT * FROM (VALUES ('x'), ('y')) v`,
      `SELECT 'a:b' || ':c' AS ":d"`,
    ]);
    expect(rows.map((row) => row.length)).toEqual([0, 1, 2, 1]);
    expect(JSON.parse(rows[1]?.[0] ?? '')).toEqual({ a: 'two\nlines', b: '|' });
    expect(rows[3]).toEqual(['a:b:c']);
    const log = await one.log();
    expect(log).toMatch(/statement: SELECT 1 WHERE false;?\n/);
  });

  it('stops at the first error, keeps nothing of the transaction, and quotes no statement', async () => {
    const failing = at(one).run(['BEGIN', 'CREATE TABLE left_behind ()', `SELECT 'a-secret'::int`, 'COMMIT']);
    await expect(failing).rejects.toMatchObject({ details: { sqlstate: '22P02' } });
    expect(await one.sql(`SELECT count(*)::int FROM pg_class WHERE relname = 'left_behind'`)).toEqual([[0]]);
    const unknown: unknown = await at(one)
      .run([`ALTER ROLE nobody PASSWORD 'SCRAM-SHA-256$4096:c2FsdA==$a:b'`])
      .catch((error: unknown) => error);
    expect(unknown).toMatchObject({
      type: 'IssuerMisconfigured',
      message: expect.stringContaining('"nobody"'),
    });
    expect(JSON.stringify(unknown)).not.toContain('SCRAM');
  });

  it('is not led astray by the environment or by files of the system user', async () => {
    const session = hostSession(
      contextWith({
        ...localHost('db-1'),
        run: async (command) =>
          localHost('db-1').run({
            ...command,
            script: `export PGOPTIONS='-c search_path=nowhere' PGHOST=/nowhere PGPORT=1 PGDATABASE=none PGSERVICE=x\n${command.script}`,
          }),
      }),
      [`db-1:${one.port}`],
      { host: 'db-1', as: systemUser },
    );
    expect(await session.run(['SHOW search_path', 'SELECT current_database()'])).toEqual([
      ['"$user", public'],
      ['postgres'],
    ]);
  });

  it('says that a system user may not log in', async () => {
    await expect(overHost({ as: 'nobody' }, [`db-1:${one.port}`]).run(['SELECT 1'])).rejects.toMatchObject({
      type: 'IssuerAuthFailed',
      hint: expect.stringContaining('local all nobody peer'),
    });
  });

  it('finds the server without being its system user', async () => {
    const { stdout } = await run('id', ['-un']);
    await writeFile(join(one.data, 'pg_hba.conf'), `local all all peer map=test\n`);
    await writeFile(
      join(one.data, 'pg_ident.conf'),
      `test nobody nobody\ntest root postgres\ntest ${systemUser} postgres\n`,
    );
    await one.sql(['CREATE ROLE nobody LOGIN SUPERUSER', 'SELECT pg_reload_conf()']);
    expect(stdout.trim()).not.toBe('nobody');
    const session = overHost({ as: 'nobody' }, [`db-1:${one.port}`]);
    await expect
      .poll(async () => session.run(['SELECT current_user']).catch((error: unknown) => error))
      .toEqual([['nobody']]);
  });

  it('says that no server runs', async () => {
    // as on a host without one: nothing in /proc is called postgres
    const host: RemoteHost = {
      ...localHost('db-1'),
      run: async (command) =>
        localHost('db-1').run({
          ...command,
          script: command.script.replace('postgres|postmaster', 'no-such-program'),
        }),
    };
    await expect(overHost({}, [], localHost('db-1')).run(['SELECT 1'])).rejects.toMatchObject({
      type: 'IssuerMisconfigured',
    });
    const session = hostSession(contextWith(host), [], { host: 'db-1', as: systemUser });
    await expect(session.run(['SELECT 1'])).rejects.toMatchObject({
      type: 'IssuerUnreachable',
      message: 'no PostgreSQL server runs on db-1',
    });
  });

  it.each([
    [
      2,
      'psql: error: connection to server on socket "/run/x" failed: FATAL:  the database system is starting up',
      'IssuerUnreachable',
    ],
    [
      2,
      'psql: error: connection to server on socket "/run/x" failed: FATAL:  Peer authentication failed for user "postgres"',
      'IssuerAuthFailed',
    ],
    [
      2,
      'psql: error: connection to server on socket "/run/x" failed: fe_sendauth: no password supplied',
      'IssuerAuthFailed',
    ],
    [
      2,
      'psql: error: connection to server on socket "/run/x" failed: FATAL:  role "postgres" does not exist',
      'IssuerAuthFailed',
    ],
    [
      2,
      'psql: error: connection to server on socket "/run/x" failed: FATAL:  database "postgres" does not exist',
      'IssuerMisconfigured',
    ],
    [
      2,
      'psql:<stdin>:3: FATAL:  57P01: terminating connection due to administrator command\nLOCATION:  x',
      'IssuerUnreachable',
    ],
    [2, 'psql:<stdin>:3: server closed the connection unexpectedly', 'IssuerUnreachable'],
    [
      3,
      'psql:<stdin>:3: ERROR:  25006: cannot execute ALTER ROLE in a read-only transaction\nLOCATION:  x',
      'IssuerMisconfigured',
    ],
    [3, 'psql:<stdin>:3: FEHLER:  55P03: Sperre ist nicht verfügbar\nORT:  x', 'Timeout'],
    [3, 'psql:<stdin>:3: ERROR:  XX000: tuple concurrently updated\nLOCATION:  x', 'IssuerBusy'],
    [127, 'sh: 3: exec: setpriv: not found', 'IssuerMisconfigured'],
  ])('reads exit code %i with %j as %s', async (code, stderr, type) => {
    const session = hostSession(contextWith(answering(code, stderr)), [], { host: 'db-1', as: 'postgres' });
    await expect(session.run(['SELECT 1'])).rejects.toMatchObject({ type });
  });

  it('takes an output that stops half-way for a lost connection', async () => {
    const session = hostSession(contextWith(answering(0, '')), [], { host: 'db-1', as: 'postgres' });
    await expect(session.run(['SELECT 1'])).rejects.toMatchObject({ type: 'IssuerUnreachable' });
  });

  it('passes on what the host says', async () => {
    const away: RemoteHost = {
      ...localHost('db-1'),
      run: async () => {
        throw new RotateError('HostUnknownOutcome', 'the connection to db-1 was lost');
      },
    };
    const session = hostSession(contextWith(away), [], { host: 'db-1', as: 'postgres' });
    await expect(session.run(['SELECT 1'])).rejects.toMatchObject({ type: 'HostUnknownOutcome' });
  });
});

describe('a URL', () => {
  let server: PostgresServer;
  let folder: string;
  const url = (rest = '', host = '127.0.0.1') =>
    `postgresql://postgres:${superuserPassword}@${host}:${server.port}/whatever${rest}`;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rotate-tls-'));
    await chmod(folder, 0o755);
    const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    await run('openssl', [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '1',
      '-subj',
      '/CN=localhost',
      '-addext',
      'subjectAltName=DNS:localhost',
      '-keyout',
      key,
      '-out',
      certificate,
    ]);
    if (process.getuid?.() === 0) await run('chown', [systemUser, key]);
    server = await startServer({
      hba: ['hostssl all tls_only 127.0.0.1/32 scram-sha-256', 'host all tls_only 127.0.0.1/32 reject'],
      settings: { ssl: 'on', ssl_cert_file: certificate, ssl_key_file: key },
    });
    await server.sql(`ALTER ROLE postgres PASSWORD '${superuserPassword}'`);
  });
  afterAll(async () => {
    await server.stop();
    await rm(folder, { recursive: true });
  });

  const encrypted = `SELECT ssl::text FROM pg_stat_ssl WHERE pid = pg_backend_pid()`;

  it('connects to the database postgres, whatever the URL names', async () => {
    expect(await byUrl(url()).run(['SELECT current_database()'])).toEqual([['postgres']]);
    expect(await byUrl(url()).run(['SELECT current_database()'], 'template1')).toEqual([['template1']]);
  });

  it.each([
    ['', 'true'],
    ['?sslmode=prefer', 'true'],
    ['?sslmode=require', 'true'],
    ['?sslmode=disable', 'false'],
  ])('with %j is encrypted: %s', async (rest, expected) => {
    expect(await byUrl(url(rest)).run([encrypted])).toEqual([[expected]]);
  });

  it('checks the server’s certificate and name when it is asked to', async () => {
    const ca = encodeURIComponent(join(folder, 'cert.pem'));
    const full = `?sslmode=verify-full&sslrootcert=${ca}`;
    expect(await byUrl(url(full, 'localhost')).run([encrypted])).toEqual([['true']]);
    expect(await byUrl(url(`?sslmode=verify-ca&sslrootcert=${ca}`)).run([encrypted])).toEqual([['true']]);
    // another name
    await expect(byUrl(url(full)).run([encrypted])).rejects.toMatchObject({ type: 'IssuerAuthFailed' });
    // a certificate that nobody vouches for
    await expect(byUrl(url('?sslmode=verify-full', 'localhost')).run([encrypted])).rejects.toMatchObject({
      type: 'IssuerAuthFailed',
      message: expect.stringContaining('its certificate is not accepted'),
    });
  });

  it('reaches a server that wants TLS, and one by its socket', async () => {
    await server.sql([`CREATE ROLE tls_only LOGIN PASSWORD 'x'`]);
    const only = `postgresql://tls_only:x@127.0.0.1:${server.port}/`;
    expect(await byUrl(only).run([encrypted])).toEqual([['true']]);
    await expect(byUrl(`${only}?sslmode=disable`).run(['SELECT 1'])).rejects.toMatchObject({
      type: 'IssuerAuthFailed',
      details: { sqlstate: '28000' },
    });
    const socket = `postgresql://postgres@/postgres?host=${encodeURIComponent(server.socket)}&port=${server.port}`;
    if (systemUser === 'postgres')
      expect(await byUrl(socket).run(['SELECT current_user'])).toEqual([['postgres']]);
  });

  it('with a wrong password is refused, for good', async () => {
    const wrong = url().replace(superuserPassword, 'not-the-password');
    const error: unknown = await byUrl(wrong)
      .run(['SELECT 1'])
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ type: 'IssuerAuthFailed', details: { sqlstate: '28P01' } });
    expect(error instanceof RotateError && error.retryable).toBe(false);
    expect(JSON.stringify(error) + String(error)).not.toContain('not-the-password');
  });

  it('to nobody is tried again', async () => {
    const error: unknown = await byUrl(`postgresql://a:b@127.0.0.1:${await freePort()}/`)
      .run(['SELECT 1'])
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      type: 'IssuerUnreachable',
      message: expect.stringContaining('ECONNREFUSED'),
    });
    expect(error instanceof RotateError && error.retryable).toBe(true);
  });

  it.each([
    'mysql://root:hunter2@db-1/',
    'not a url hunter2',
    'postgresql://user:hunter2%@db-1/',
    'postgresql://:hunter2@db-1/',
    'postgresql:///x?password=hunter2',
    'postgresql://user:hunter2@db-1/?sslmode=maybe',
    'postgresql://user:hunter2@db-1/?sslmode=verify-ca',
    'postgresql://user:hunter2@db-1/?sslmode=verify-full&sslrootcert=/no/such/file',
  ])('that cannot be used is not repeated: %s', async (text) => {
    const error: unknown = await byUrl(text)
      .run(['SELECT 1'])
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ type: 'BadConfig', message: expect.stringContaining('app-admin') });
    expect(JSON.stringify(error) + String(error)).not.toContain('hunter2');
    const { cause } = error instanceof Error ? error : {};
    expect(String(cause)).not.toContain('hunter2');
  });

  it('gives up when the attempt is cancelled', async () => {
    const controller = new AbortController();
    const context = { ...contextWith(localHost('db-1'), url()), signal: controller.signal };
    const waiting = loginSession(context, 'app-admin').run(['SELECT pg_sleep(2)']);
    setTimeout(() => controller.abort(new Error('cancelled')), 300);
    await expect(waiting).rejects.toThrow('cancelled');
  });

  it('keeps no connection', async () => {
    await byUrl(url()).run(['SELECT 1']);
    await expect
      .poll(
        async () =>
          server.sql(`SELECT count(*)::int FROM pg_stat_activity WHERE application_name = 'rotate'`),
        { timeout: 10_000 },
      )
      .toEqual([[0]]);
  });
});
