/** Logs in as a consumer would, and says what happened. Keeps no connection. */
import { type Client, DatabaseError } from 'pg';
import type { CheckResult } from '../../domain/credential.js';
import { asRotateError } from '../../domain/failure.js';
import type { SecretValue } from '../../domain/secret-value.js';
import type { KindContext } from '../kind.js';
import { dial, hangUp } from './dial.js';
import { parseEndpoint } from './endpoint.js';
import type { PostgresSettings } from './schema.js';
import { isLoginRefusal, withoutSecrets } from './sqlstate.js';

const timeoutMs = 10_000;

/** Marks our own sessions in pg_stat_activity. */
export const probeName = 'rotate';

/** What a host itself has to say is not an outcome of the probe: a wrong host key stays an error. */
const networkFailures = new Set([
  'IssuerUnreachable',
  'HostUnreachable',
  'HostBusy',
  'HostUnknownOutcome',
  'Timeout',
]);

/** Tries `password` for `role` at every endpoint, from a host or from the worker. */
export async function probe(
  context: KindContext,
  settings: PostgresSettings,
  role: string,
  password: SecretValue,
  from: string | undefined,
): Promise<CheckResult[]> {
  return Promise.all(
    settings.endpoints.map(async (endpoint) => ({
      endpoint,
      ...(from === undefined ? {} : { host: from }),
      ...(await login(context, settings.database, endpoint, role, password, from)),
    })),
  );
}

type Outcome = Pick<CheckResult, 'outcome' | 'code' | 'message'>;

async function login(
  context: KindContext,
  database: string,
  endpoint: string,
  role: string,
  password: SecretValue,
  from: string | undefined,
): Promise<Outcome> {
  const parsed = parseEndpoint(endpoint);
  if (parsed === undefined) return { outcome: 'unknown', message: `${endpoint} is not host:port` };
  const { address, port } = parsed;
  const host = from === undefined ? undefined : context.hosts.host(from);
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(timeoutMs)]);
  let client: Client | undefined;
  try {
    client = await dial({
      config: { host: address, port, user: role, password: password.text(), database },
      tls: 'prefer',
      ...(host === undefined ? {} : { channel: () => host.forward(address, port) }),
      signal,
    });
    const { rows } = await client.query<{ name: string }>('SELECT session_user::text AS name');
    const name = rows[0]?.name;
    return name === role
      ? { outcome: 'accepted' }
      : {
          outcome: 'accepted',
          message: `logged in as ${name ?? 'nobody'}, not as ${role}: a pooler's own user?`,
        };
  } catch (error) {
    context.signal.throwIfAborted();
    return outcomeOf(error, signal);
  } finally {
    if (client !== undefined) await hangUp(client);
  }
}

/**
 * Only an answer of the server to the login itself is a refusal. That there are too many connections (53300), that it
 * starts or stops (57P0x), that the database does not exist (3D000), or silence, prove nothing about the password.
 * Poolers answer with 08P01, so their words decide.
 */
export function outcomeOf(error: unknown, signal?: AbortSignal): Outcome {
  const known = asRotateError(error);
  if (known !== undefined) {
    if (!networkFailures.has(known.type)) throw known;
    return { outcome: 'unknown', message: known.message };
  }
  if (error instanceof DatabaseError) {
    const message = withoutSecrets(error.message);
    const code = relayedCode(error.code ?? '', message);
    const refused = isLoginRefusal(code) || (code === poolerCode && poolerRefusal.test(message));
    return { outcome: refused ? 'refused' : 'unknown', code, message };
  }
  if (signal?.aborted === true)
    return { outcome: 'unknown', message: `no answer within ${timeoutMs / 1000} s` };
  const message = error instanceof Error ? error.message : String(error);
  return { outcome: 'unknown', message: withoutSecrets(message) || 'the connection failed' };
}

/** What PgBouncer calls everything that it has to say. */
const poolerCode = '08P01';
/** Its own refusals, as seen from 1.18; `no such user` where it has no auth_query. */
const poolerRefusal = /^(?:SASL authentication failed|password authentication failed|no such user)/i;
/** From 1.21 it passes on why the server refused its login: `…, cached error: role "app_a" is not permitted to log in`. */
const relayed = [
  [/is not permitted to log in/, '28000'],
  [/password authentication failed for user/, '28P01'],
] as const;

function relayedCode(code: string, message: string): string {
  if (code !== poolerCode) return code;
  return relayed.find(([words]) => words.test(message))?.[1] ?? code;
}
