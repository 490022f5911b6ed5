/** What apply does beyond the contract: comments, shared owners, bystanders, older verifiers, lesser admins. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Credential, Target } from '../../../domain/credential.js';
import { SecretValue } from '../../../domain/secret-value.js';
import type { KindContext } from '../../../kinds/kind.js';
import { postgres } from '../../../kinds/postgres/kind.js';
import type { PostgresSettings } from '../../../kinds/postgres/schema.js';
import { begin, limits, lockOwner } from '../../../kinds/postgres/statements.js';
import type { KindFixture } from '../contract.js';
import { fixture, oldPassword } from './fixture.js';
import { type PostgresServer, startServer } from './server.js';

let server: PostgresServer;
let made: KindFixture<PostgresSettings>;
let fresh: Credential;
let seq: number;
beforeAll(async () => {
  server = await startServer();
});
afterAll(async () => {
  await server.stop();
});
beforeEach(async () => {
  made = await fixture(server, 'login');
  fresh = await postgres.generate(made.context, made.settings, made.current);
  seq = 0;
});

const both: Target = { old: 'valid', new: 'valid' };

async function apply(target: Target, context: KindContext = made.context, fence = { epoch: 1, seq: ++seq }) {
  return postgres.apply(context, made.settings, { old: made.current, new: fresh }, target, fence);
}

async function comment(): Promise<unknown> {
  const [row] = await server.sql(
    `SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = 'app'`,
  );
  return row?.[0];
}

async function stored(role: string): Promise<unknown> {
  const [row] = await server.sql(`SELECT rolpassword FROM pg_authid WHERE rolname = '${role}'`);
  return row?.[0];
}

describe('the comment of the owner role', () => {
  it('keeps what a person wrote there', async () => {
    await server.sql(`COMMENT ON ROLE app IS E'It''s the app''s.\\nAsk \\\\Ann.'`);
    await apply(both);
    await apply(both);
    expect(await comment()).toBe(`It's the app's.\nAsk \\Ann. [rotate prod/db-password 1.2]`);
  });

  it('keeps the fences of all secrets that share the owner, also when they are set at the same time', async () => {
    const names = ['one', 'two', 'three', 'four'];
    const contexts = names.map((name) => ({ ...made.context, secret: { environment: 'prod', name } }));
    await Promise.all(contexts.map(async (context) => apply(both, context)));
    for (const context of contexts) {
      const state = await postgres.inspect(context, made.settings, made.current);
      expect(state.fence.epoch).toBe(1);
      expect(state.fence.seq).toBeGreaterThan(0);
    }
  });

  it('is read again when a person changes it in between', async () => {
    let calls = 0;
    const context: KindContext = {
      ...made.context,
      async login(name) {
        // the first connection reads the state; before the second, which is the transaction, it changes
        if (++calls === 2) await server.sql(`COMMENT ON ROLE app IS 'changed meanwhile'`);
        return made.context.login(name);
      },
    };
    expect((await apply(both, context)).changed).toBe(true);
    expect(await comment()).toBe('changed meanwhile [rotate prod/db-password 1.1]');
    expect(calls).toBe(4);
  });
});

describe('verifiers', () => {
  it('are stored as they were made, so that every attempt stores the same', async () => {
    await apply(both);
    expect(await stored('app_b')).toBe(fresh.verifier?.text());
  });

  it('are recognised with any salt and any number of iterations, and left alone', async () => {
    const before = await stored('app_a');
    await apply({ old: 'disabled', new: 'valid' });
    await apply(both);
    expect(await stored('app_a')).toBe(before);
  });

  it('of the older md5 kind are recognised and left alone', async () => {
    await server.sql([`SET password_encryption = 'md5'`, `ALTER ROLE app_a PASSWORD '${oldPassword}'`]);
    const before = await stored('app_a');
    expect(before).toMatch(/^md5/);
    await apply(both);
    expect(await stored('app_a')).toBe(before);
    expect((await apply(both)).changed).toBe(false);
  });

  it('are set again for an old value that was destroyed or replaced', async () => {
    await apply({ old: 'destroyed', new: 'valid' });
    expect(await stored('app_a')).toBeNull();
    await apply(both);
    expect((await postgres.check(made.context, made.settings, made.current))[0]?.outcome).toBe('accepted');
    await server.sql(`ALTER ROLE app_a PASSWORD 'somebody changed it'`);
    await apply({ old: 'valid', new: 'absent' });
    expect((await postgres.check(made.context, made.settings, made.current))[0]?.outcome).toBe('accepted');
    expect(await stored('app_b')).toBeNull();
  });
});

describe('sessions', () => {
  it('of others are left alone', async () => {
    const bystander = await server.client({ user: 'postgres', database: 'app' });
    const old = await made.connect(made.current);
    await apply(both);
    expect((await apply({ old: 'disabled', new: 'valid' })).endedSessions).toBe(1);
    expect((await bystander.query('SELECT 1')).rowCount).toBe(1);
    await old.close();
    await bystander.end();
  });

  it('that took another role are ended all the same, in whatever they are', async () => {
    const old = await server.client({
      host: '127.0.0.1',
      user: 'app_a',
      password: oldPassword,
      database: 'app',
    });
    const ended = new Promise((resolve) => old.once('end', resolve));
    await old.query('SET ROLE app');
    const busy = old.query('SELECT pg_sleep(60)').catch((error: unknown) => error);
    const { endedSessions } = await apply({ old: 'disabled', new: 'valid' });
    expect(endedSessions).toBe(1);
    expect(await busy).toMatchObject({ code: '57P01' });
    await ended;
  });

  it('that keep coming are ended until none is left', async () => {
    const stop = new AbortController();
    let refused = 0;
    const storm = Array.from({ length: 5 }, async () => {
      while (!stop.signal.aborted) {
        try {
          const session = await made.connect(made.current);
          while (!stop.signal.aborted && (await session.alive())) await sleep(20);
          await session.close();
        } catch {
          refused++;
          await sleep(5);
        }
      }
    });
    await sleep(200);
    await apply({ old: 'disabled', new: 'valid' });
    expect(await postgres.users(made.context, made.settings, made.current)).toEqual([]);
    await sleep(100);
    stop.abort();
    await Promise.all(storm);
    expect(refused).toBeGreaterThan(0);
    expect(await postgres.users(made.context, made.settings, made.current)).toEqual([]);
  });

  it('are named with address, application and since when', async () => {
    const old = await made.connect(made.current);
    const [user] = (await postgres.users(made.context, made.settings, made.current)) ?? [];
    await old.close();
    expect(user?.description).toMatch(/^app_a from 127\.0\.0\.1 \(pid \d+, app, idle\)$/);
    expect(user?.since).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  });
});

describe('an admin login that is no superuser', () => {
  const asAdmin = (): KindContext => ({
    ...made.context,
    login: async () =>
      SecretValue.fromText(`postgresql://keeper:keeper-pw@127.0.0.1:${server.port}/?sslmode=disable`),
  });
  beforeEach(async () => {
    await server.sql([
      `DROP ROLE IF EXISTS keeper`,
      `CREATE ROLE keeper LOGIN CREATEROLE PASSWORD 'keeper-pw'`,
      'GRANT pg_signal_backend TO keeper',
      // from 16 on CREATEROLE does not reach roles that others made
      'GRANT app, app_a, app_b TO keeper WITH ADMIN OPTION',
    ]);
  });

  it('rotates, though it sees no verifier and cannot silence the log', async () => {
    const state = await postgres.inspect(asAdmin(), made.settings, made.current);
    expect(state.problems).toEqual([]);
    expect(state.facts['statement logging']).toContain('cannot be silenced');
    await apply(both, asAdmin());
    const old = await made.connect(made.current);
    expect((await apply({ old: 'disabled', new: 'valid' }, asAdmin())).endedSessions).toBe(1);
    await old.close();
    await apply({ old: 'destroyed', new: 'valid' }, asAdmin());
    await apply({ old: 'valid', new: 'absent' }, asAdmin());
    const outcome = async (credential: Credential) =>
      (await postgres.check(made.context, made.settings, credential))[0]?.outcome;
    expect(await outcome(made.current)).toBe('accepted');
    expect(await outcome(fresh)).toBe('refused');
  });

  it('that lacks a right is told so, without the verifier', async () => {
    await server.sql('ALTER ROLE app_b SUPERUSER');
    const error: unknown = await apply(both, asAdmin()).catch((caught: unknown) => caught);
    await server.sql('ALTER ROLE app_b NOSUPERUSER');
    expect(error).toMatchObject({ type: 'IssuerMisconfigured', details: { sqlstate: '42501' } });
    expect(error instanceof Error ? error.stack : '').not.toContain('SCRAM');
    expect(await comment()).toBeNull();
  });
});

describe('refuses before it touches the server', () => {
  it('two values of the same role, or of a role that is not listed', async () => {
    const same = { old: made.current, new: made.current };
    const fence = { epoch: 1, seq: 1 };
    await expect(postgres.apply(made.context, made.settings, same, both, fence)).rejects.toMatchObject({
      type: 'IssuerMisconfigured',
    });
    const strange = { old: { ...made.current, account: 'postgres' }, new: fresh };
    await expect(postgres.apply(made.context, made.settings, strange, both, fence)).rejects.toMatchObject({
      message: expect.stringContaining('the role postgres, which is not one of postgres.roles'),
    });
  });
});

it('does not hold others up for long when its client is frozen in the transaction', async () => {
  const frozen = await server.client({ user: 'postgres' });
  for (const text of [begin, limits, lockOwner('app')]) await frozen.query(text);
  await expect(apply(both)).rejects.toMatchObject({ type: 'Timeout' });
  await expect
    .poll(
      async () =>
        apply(both).then(
          () => 'applied',
          () => 'waiting',
        ),
      { timeout: 20_000 },
    )
    .toBe('applied');
}, 40_000);
