/** What a probe may conclude, and from what. */
import { once } from 'node:events';
import { type AddressInfo, type Server, createServer } from 'node:net';
import { DatabaseError } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Credential } from '../../../domain/credential.js';
import { RotateError } from '../../../domain/failure.js';
import { SecretValue } from '../../../domain/secret-value.js';
import { postgres } from '../../../kinds/postgres/kind.js';
import { outcomeOf } from '../../../kinds/postgres/probe.js';
import type { PostgresSettings } from '../../../kinds/postgres/schema.js';
import type { KindFixture } from '../contract.js';
import { fixture } from './fixture.js';
import { hostAccess, localHost } from './local-host.js';
import { type PostgresServer, freePort, startServer } from './server.js';

let server: PostgresServer;
let made: KindFixture<PostgresSettings>;
beforeAll(async () => {
  server = await startServer({
    hba: ['host all trusting 127.0.0.1/32 trust', 'host all barred 127.0.0.1/32 reject'],
    settings: { ssl: 'off', superuser_reserved_connections: '3', max_connections: '20' },
  });
});
afterAll(async () => {
  await server.stop();
});
beforeEach(async () => {
  made = await fixture(server, 'login');
});

const probe = async (credential: Credential, change: Partial<PostgresSettings> = {}) => {
  const settings = { ...made.settings, endpoints: [`127.0.0.1:${server.port}`], ...change };
  const [result] = await postgres.check(made.context, settings, credential, 'web-1');
  return result;
};

describe('a login that is refused', () => {
  it('has 28000 for the right old value while it is disabled, and 28P01 for a wrong one', async () => {
    const { context, settings, current } = made;
    const fresh = await postgres.generate(context, settings, current);
    const credentials = { old: current, new: fresh };
    await postgres.apply(
      context,
      settings,
      credentials,
      { old: 'disabled', new: 'valid' },
      { epoch: 1, seq: 1 },
    );
    expect(await probe(current)).toMatchObject({
      outcome: 'refused',
      code: '28000',
      message: 'role "app_a" is not permitted to log in',
    });
    const [wrong] = await postgres.checkWrong(context, settings, current, 'web-1');
    expect(wrong).toMatchObject({ outcome: 'refused', code: '28P01' });
    expect(postgres.disabledCodes?.(settings)).toContain('28000');
    expect(postgres.disabledCodes?.(settings)).not.toContain('28P01');
  });

  it('is refused by pg_hba.conf too', async () => {
    await server.sql(['DROP ROLE IF EXISTS barred', 'CREATE ROLE barred LOGIN']);
    const roles = ['app_a', 'barred'];
    const value = SecretValue.fromText('x');
    expect(await probe({ account: 'barred', value }, { roles })).toMatchObject({
      outcome: 'refused',
      code: '28000',
    });
  });

  it('is refused in the words of PgBouncer, which has one code for everything', () => {
    const said = (message: string) => {
      const error = new DatabaseError(message, message.length, 'error');
      error.code = '08P01';
      return outcomeOf(error);
    };
    expect(said('SASL authentication failed')).toMatchObject({ outcome: 'refused', code: '08P01' });
    expect(
      said(
        'server login has been failing, cached error: role "app_a" is not permitted to log in (server_login_retry)',
      ),
    ).toMatchObject({ outcome: 'refused', code: '28000' });
    expect(said('server login has been failing, try again later (server_login_retry)')).toMatchObject({
      outcome: 'unknown',
      code: '08P01',
    });
    expect(said('no such database: app')).toMatchObject({ outcome: 'unknown' });
  });
});

it('sees that an endpoint accepts anything', async () => {
  await server.sql(['DROP ROLE IF EXISTS trusting', 'CREATE ROLE trusting LOGIN IN ROLE app']);
  const settings = { ...made.settings, roles: ['trusting', 'app_b'] };
  const credential = { account: 'trusting', value: SecretValue.fromText('whatever') };
  const [wrong] = await postgres.checkWrong(made.context, settings, credential, 'web-1');
  expect(wrong).toMatchObject({ outcome: 'accepted' });
});

describe('what says nothing about the value is unknown, never refused:', () => {
  let silent: Server;
  beforeAll(async () => {
    silent = createServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
  });
  afterAll(() => {
    silent.close();
  });

  it('nobody listens there', async () => {
    const endpoints = [`127.0.0.1:${await freePort()}`];
    const result = await probe(made.current, { endpoints });
    expect(result).toMatchObject({
      outcome: 'unknown',
      message: expect.stringContaining('web-1 cannot connect'),
    });
    const [own] = await postgres.check(made.context, { ...made.settings, endpoints }, made.current);
    expect(own).toMatchObject({ outcome: 'unknown', message: expect.stringContaining('ECONNREFUSED') });
  });

  it('a name that does not resolve', async () => {
    const result = await probe(made.current, { endpoints: ['no-such-host.invalid:5432'] });
    expect(result).toMatchObject({ outcome: 'unknown' });
  });

  it('a server that never answers', async () => {
    const { port } = silent.address() as AddressInfo;
    const result = await probe(made.current, { endpoints: [`127.0.0.1:${port}`] });
    expect(result).toMatchObject({ outcome: 'unknown', message: 'no answer within 10 s' });
  });

  it('a server that hangs up', async () => {
    const rude = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await once(rude, 'listening');
    const { port } = rude.address() as AddressInfo;
    expect(await probe(made.current, { endpoints: [`127.0.0.1:${port}`] })).toMatchObject({
      outcome: 'unknown',
    });
    rude.close();
  });

  it('a server with no connection to spare', async () => {
    const sessions = [];
    for (let i = 0; i < 17; i++) sessions.push(await made.connect(made.current));
    const result = await probe(made.current);
    for (const session of sessions) await session.close();
    expect(result).toMatchObject({ outcome: 'unknown', code: '53300' });
  });

  it('a database that does not exist', async () => {
    expect(await probe(made.current, { database: 'none' })).toMatchObject({
      outcome: 'unknown',
      code: '3D000',
    });
  });

  it('a host that is away', async () => {
    const away = {
      ...localHost('web-1'),
      forward: async () => {
        throw new RotateError('HostUnreachable', 'web-1 does not answer');
      },
    };
    made.context.hosts = hostAccess(away);
    expect(await probe(made.current)).toMatchObject({ outcome: 'unknown', message: 'web-1 does not answer' });
  });
});

it('fails, and does not conclude, where the host’s key is not the expected one', async () => {
  const forged = {
    ...localHost('web-1'),
    forward: async () => {
      throw new RotateError('HostKeyMismatch', 'web-1 has another key');
    },
  };
  made.context.hosts = hostAccess(forged);
  await expect(probe(made.current)).rejects.toMatchObject({ type: 'HostKeyMismatch' });
});

it('says under whose name a pooler logged in', async () => {
  await server.sql(`ALTER ROLE app_a SET role TO app`);
  expect(await probe(made.current)).toEqual({
    endpoint: `127.0.0.1:${server.port}`,
    host: 'web-1',
    outcome: 'accepted',
  });
});

it('keeps no connection', async () => {
  await Promise.all(Array.from({ length: 5 }, async () => probe(made.current)));
  await expect
    .poll(async () => server.sql(`SELECT count(*)::int FROM pg_stat_activity WHERE usename = 'app_a'`))
    .toEqual([[0]]);
});

it('does not put the password into a message', async () => {
  const value = SecretValue.fromText('a-password-that-is-searched-for');
  const results = [await probe({ account: 'app_a', value }), await probe({ account: 'app_b', value })];
  expect(JSON.stringify(results)).not.toContain('searched-for');
});
