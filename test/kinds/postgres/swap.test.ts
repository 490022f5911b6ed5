/** One role, whose password is swapped: on a real server, by both ways in, and where the server hides verifiers. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Credential, Target } from '../../../domain/credential.js';
import { SecretValue } from '../../../domain/secret-value.js';
import type { KindContext } from '../../../kinds/kind.js';
import { postgres } from '../../../kinds/postgres/kind.js';
import { postgresSchema, type PostgresSettings } from '../../../kinds/postgres/schema.js';
import type { KindFixture } from '../contract.js';
import { fixture, oldPassword, type Way } from './fixture.js';
import { type PostgresServer, startServer } from './server.js';

let server: PostgresServer;
beforeAll(async () => {
  server = await startServer();
});
afterAll(async () => {
  await server.stop();
});

const swapped: Target = { old: 'disabled', new: 'valid' };
const gone: Target = { old: 'destroyed', new: 'valid' };
const back: Target = { old: 'valid', new: 'absent' };

async function verifierOf(role: string): Promise<unknown> {
  const [row] = await server.sql(`SELECT rolpassword FROM pg_authid WHERE rolname = '${role}'`);
  return row?.[0];
}

describe.each<[Way]>([['host'], ['login']])('a single role, administered by %s', (way) => {
  let made: KindFixture<PostgresSettings>;
  let settings: PostgresSettings;
  /** As preflight leaves it: with what the server has stored. */
  let old: Credential;
  let fresh: Credential;
  let seq: number;

  beforeEach(async () => {
    made = await fixture(server, way);
    settings = { ...made.settings, roles: ['app_a'], owner: 'app_a' };
    const { verifier } = await postgres.inspect(made.context, settings, { value: made.current.value });
    old = { value: made.current.value, ...(verifier === undefined ? {} : { verifier }) };
    fresh = await postgres.generate(made.context, settings, old);
    seq = 0;
  });

  const apply = async (
    target: Target,
    more: { since?: string; fence?: number; context?: KindContext } = {},
  ) =>
    postgres.apply(
      more.context ?? made.context,
      settings,
      { old, new: fresh, ...(more.since === undefined ? {} : { since: more.since }) },
      target,
      { epoch: 1, seq: more.fence ?? ++seq },
    );
  const outcome = async (credential: Credential) => [
    ...new Set(
      (await postgres.check(made.context, settings, credential, 'web-1')).map((r) => r.code ?? r.outcome),
    ),
  ];

  it('needs no owner and no role in the file', () => {
    const { owner: _, ...rest } = settings;
    expect(postgresSchema.parse(rest)).toMatchObject({ owner: 'app_a' });
    expect(postgres.overlap(settings)).toBe('swap');
    expect(postgres.needsAccount(settings)).toBe(false);
    expect(fresh.account).toBeUndefined();
  });

  it('accepts the new value instead of the old one, and says when by its own clock', async () => {
    expect(await outcome(old)).toEqual(['accepted']);
    const { changed, at } = await apply(swapped);
    expect(changed).toBe(true);
    expect(at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(await outcome(fresh)).toEqual(['accepted']);
    expect(await outcome(old)).toEqual(['28P01']);
    expect(postgres.disabledCodes?.(settings)).toContain('28P01');
    expect((await apply(swapped)).changed).toBe(false);
  });

  it('leaves open sessions alone while it is swapped, and ends those of the old value when it is revoked', async () => {
    const before = await made.connect({ ...old, account: 'app_a' });
    const { at = '' } = await apply(swapped);
    const after = await made.connect({ ...fresh, account: 'app_a' });
    expect(await before.alive()).toBe(true);
    const users = await postgres.users(made.context, settings, old, at);
    expect(users?.length).toBe(1);
    expect(users?.[0]).toMatchObject({ address: '127.0.0.1' });
    expect((await apply(swapped, { since: at })).endedSessions).toBe(1);
    expect(await before.alive()).toBe(false);
    expect(await after.alive()).toBe(true);
    expect(await postgres.users(made.context, settings, old, at)).toEqual([]);
    expect((await apply(gone, { since: at })).endedSessions).toBe(0);
    expect(await after.alive()).toBe(true);
    await after.close();
  });

  it('is undone by the very verifier that was there', async () => {
    const verifier = await verifierOf('app_a');
    await apply(swapped);
    expect(await verifierOf('app_a')).not.toBe(verifier);
    await apply(back);
    expect(await verifierOf('app_a')).toBe(verifier);
    expect(await outcome(old)).toEqual(['accepted']);
    expect(await outcome(fresh)).toEqual(['28P01']);
  });

  it('is undone by that of the older form, too', async () => {
    await server.sql([`SET password_encryption = 'md5'`, `ALTER ROLE app_a PASSWORD '${oldPassword}'`]);
    const md5 = await verifierOf('app_a');
    expect(md5).toMatch(/^md5/);
    const { verifier } = await postgres.inspect(made.context, settings, { value: made.current.value });
    expect(verifier?.text()).toBe(md5);
    old = { value: old.value, ...(verifier === undefined ? {} : { verifier }) };
    await apply(swapped);
    await apply(back);
    expect(await verifierOf('app_a')).toBe(md5);
  });

  it('changes nothing when it is undone before it was swapped, and raises the fence', async () => {
    const verifier = await verifierOf('app_a');
    expect((await apply(back)).changed).toBe(false);
    expect(await verifierOf('app_a')).toBe(verifier);
    expect((await postgres.inspect(made.context, settings, old)).fence).toEqual({ epoch: 1, seq: 1 });
  });

  it('refuses a late attempt', async () => {
    await apply(swapped, { fence: 5 });
    await apply(back, { fence: 6 });
    await expect(apply(swapped, { fence: 5 })).rejects.toMatchObject({ type: 'Superseded' });
    expect(await outcome(old)).toEqual(['accepted']);
  });

  it('does not find fault with what only matters for two', async () => {
    const { problems, facts } = await postgres.inspect(made.context, settings, { value: old.value });
    expect(problems).toEqual([]);
    expect(facts['spare role']).toBeUndefined();
  });
});

describe('a server that hides what it has stored', () => {
  it('is undone with the old value itself', async () => {
    const made = await fixture(server, 'login');
    const settings: PostgresSettings = { ...made.settings, roles: ['app_a'], owner: 'app_a' };
    await server.sql([
      'DROP ROLE IF EXISTS manager',
      `CREATE ROLE manager LOGIN CREATEROLE PASSWORD 'manager-pw'`,
      'GRANT pg_signal_backend TO manager',
      ...((await majorVersion()) >= 16 ? ['GRANT app_a TO manager WITH ADMIN OPTION'] : []),
    ]);
    const context: KindContext = {
      ...made.context,
      login: async () =>
        SecretValue.fromText(`postgresql://manager:manager-pw@127.0.0.1:${server.port}/postgres`),
    };
    const state = await postgres.inspect(context, settings, { value: made.current.value });
    expect(state.problems).toEqual([]);
    expect(state.verifier).toBeUndefined();
    const old: Credential = { value: made.current.value };
    const fresh = await postgres.generate(context, settings, old);
    const both = { old, new: fresh };
    await postgres.apply(context, settings, both, swapped, { epoch: 1, seq: 1 });
    const accepted = async (credential: Credential) =>
      (await postgres.check(context, settings, credential, 'web-1')).map((r) => r.outcome);
    expect(await accepted(old)).toEqual(['refused', 'refused']);
    await postgres.apply(context, settings, both, back, { epoch: 1, seq: 2 });
    expect(await accepted(old)).toEqual(['accepted', 'accepted']);
    expect(await accepted(fresh)).toEqual(['refused', 'refused']);
  });
});

async function majorVersion(): Promise<number> {
  const [row] = await server.sql(`SELECT current_setting('server_version_num')::int / 10000`);
  return Number(row?.[0]);
}
