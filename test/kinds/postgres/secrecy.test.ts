/**
 * Neither the password nor its verifier appears in anything that the server logs or
 * records, with everything logged that PostgreSQL can log. Each search is first
 * proven by a decoy.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Credential } from '../../../domain/credential.js';
import { postgres } from '../../../kinds/postgres/kind.js';
import { newPassword } from '../../../kinds/postgres/password.js';
import { scramVerifier } from '../../../kinds/postgres/scram.js';
import type { KindFixture } from '../contract.js';
import type { PostgresSettings } from '../../../kinds/postgres/schema.js';
import { type Way, fixture } from './fixture.js';
import { localHost } from './local-host.js';
import { begin, commit, silence, silenceSampling } from '../../../kinds/postgres/statements.js';
import { type PostgresServer, startServer } from './server.js';

let server: PostgresServer;
beforeAll(async () => {
  server = await startServer({
    settings: {
      shared_preload_libraries: 'pg_stat_statements',
      'pg_stat_statements.track': 'all',
      // all that can print a statement
      log_min_error_statement: 'debug5',
      log_lock_waits: 'on',
      deadlock_timeout: '10ms',
      debug_print_parse: 'on',
      debug_print_plan: 'on',
      log_min_duration_sample: '0',
      log_statement_sample_rate: '1',
      session_preload_libraries: 'auto_explain',
      'auto_explain.log_min_duration': '0',
      'auto_explain.log_nested_statements': 'on',
    },
  });
  await server.sql('CREATE EXTENSION pg_stat_statements');
});
afterAll(async () => {
  await server.stop();
});

/** Names of what is found: the values, and the parts of a verifier that would serve to log in or to guess. */
function found(text: string, credentials: Record<string, Credential>): string[] {
  return Object.entries(credentials).flatMap(([name, { value, verifier }]) => {
    const [, keys = ''] = /\$([^$]+)$/.exec(verifier?.text() ?? '') ?? [];
    const [storedKey, serverKey] = keys.split(':');
    return Object.entries({ value: value.text(), storedKey, serverKey })
      .filter(([, needle]) => needle !== undefined && needle !== '' && text.includes(needle))
      .map(([part]) => `${part} of ${name}`);
  });
}

async function places(): Promise<string> {
  // the collector of standard error may lag behind a session's end
  await sleep(300);
  const statements = await server.sql('SELECT query FROM pg_stat_statements');
  const activity = await server.sql('SELECT query FROM pg_stat_activity');
  return [await server.log(), ...statements.flat(), ...activity.flat()].join('\n');
}

describe.each<Way>(['host', 'login'])('administered by %s', (way) => {
  let made: KindFixture<PostgresSettings>;
  const host = localHost('db-1');
  beforeAll(async () => {
    made = await fixture(server, way, undefined, [host, localHost('web-1')]);
  });

  it('finds a decoy in the log and in pg_stat_statements', async () => {
    const decoy = (await scramVerifier(newPassword())).text();
    await server.sql(['CREATE ROLE decoy', `ALTER ROLE decoy PASSWORD '${decoy}'`, 'DROP ROLE decoy']);
    expect((await server.log()).split(decoy).length).toBeGreaterThan(1);
    const recorded = await server.sql(
      `SELECT count(*)::int FROM pg_stat_statements WHERE query LIKE '%${decoy}%'`,
    );
    expect(recorded).not.toEqual([[0]]);
  });

  it('leaves no trace of the values or verifiers of a whole rotation', async () => {
    const { context, settings } = made;
    const value = newPassword();
    // the test's own statement, with a verifier that is not searched for
    await server.sql(`ALTER ROLE app_a PASSWORD '${(await scramVerifier(value)).text()}'`);
    const old = { account: 'app_a', value, verifier: await scramVerifier(value) };
    const fresh = await postgres.generate(context, settings, old);
    const credentials = { old, new: fresh };
    let seq = 0;
    const apply = async (target: Parameters<typeof postgres.apply>[3]) =>
      postgres.apply(context, settings, credentials, target, { epoch: 1, seq: ++seq });
    await postgres.inspect(context, settings, old);
    await apply({ old: 'valid', new: 'valid' });
    await postgres.check(context, settings, fresh, made.host);
    await postgres.checkWrong(context, settings, fresh, made.host);
    await apply({ old: 'destroyed', new: 'valid' });
    // sets the old verifier again
    await apply({ old: 'valid', new: 'absent' });
    await apply({ old: 'valid', new: 'valid' });
    const text = await places();
    expect(found(text, credentials)).toEqual([]);
    // the search looked where our statements are
    expect(text.includes('log_transaction_sample_rate')).toBe(true);
    expect(text.includes('pg_identify_object')).toBe(true);
    // argv, and so the process list and sudo's log, hold the script and its parameters only
    const commands = host.ran.flatMap(({ script, args }) => [script, ...(args ?? [])]).join('\n');
    expect(found(commands, credentials)).toEqual([]);
  });

  it('leaves no trace of the values or verifiers of a swap, the one that it reads included', async () => {
    const { context } = made;
    const settings = { ...made.settings, roles: ['app_b'], owner: 'app_b' };
    const value = newPassword();
    const stored = (await scramVerifier(value)).text();
    const quiet = await server.client({ user: 'postgres' });
    // the test's own statement, which must not be what is found
    for (const text of [
      silenceSampling,
      begin,
      silence,
      `ALTER ROLE app_b LOGIN PASSWORD '${stored}'`,
      commit,
    ])
      await quiet.query(text);
    await quiet.end();
    const { verifier } = await postgres.inspect(context, settings, { value });
    expect(verifier?.text()).toBe(stored);
    const old = { value, ...(verifier === undefined ? {} : { verifier }) };
    const fresh = await postgres.generate(context, settings, old);
    const credentials = { old, new: fresh };
    await postgres.apply(
      context,
      settings,
      credentials,
      { old: 'disabled', new: 'valid' },
      { epoch: 1, seq: 1 },
    );
    await postgres.apply(
      context,
      settings,
      credentials,
      { old: 'valid', new: 'absent' },
      { epoch: 1, seq: 2 },
    );
    expect(found(await places(), credentials)).toEqual([]);
    const commands = host.ran.flatMap(({ script, args }) => [script, ...(args ?? [])]).join('\n');
    expect(found(commands, credentials)).toEqual([]);
  });

  it('leaves no trace when the change fails, waits for a lock, or is cut off', async () => {
    const { context, settings, current } = made;
    const fresh = await postgres.generate(context, settings, current);
    const credentials = { old: current, new: fresh };
    const errors: unknown[] = [];
    const attempt = async (signal = context.signal) =>
      postgres
        .apply(
          { ...context, signal },
          settings,
          credentials,
          { old: 'valid', new: 'valid' },
          { epoch: 9, seq: 1 },
        )
        .catch((error: unknown) => errors.push(error));
    // a lock on the role that makes ALTER ROLE wait, and be logged as waiting
    const blocker = await server.client({ user: 'postgres' });
    await blocker.query('BEGIN');
    await blocker.query('LOCK TABLE pg_authid IN SHARE MODE');
    const waiting = attempt();
    await sleep(600);
    // cut off while it waits
    await server.sql(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'rotate' AND wait_event_type = 'Lock'`,
    );
    await waiting;
    await blocker.query('ROLLBACK');
    await blocker.end();
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({ type: 'IssuerUnreachable' });
    // a failure of the statement itself
    await server.sql('ALTER ROLE app_b RENAME TO elsewhere');
    await attempt();
    await server.sql('ALTER ROLE elsewhere RENAME TO app_b');
    expect(errors[1]).toMatchObject({ type: 'IssuerMisconfigured' });
    const text = [await places(), ...errors.map((error) => (error instanceof Error ? error.stack : ''))].join(
      '\n',
    );
    expect(found(text, { new: fresh })).toEqual([]);
    expect(JSON.stringify(errors)).not.toContain('SCRAM');
  });
});
