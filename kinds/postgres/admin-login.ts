/** Administers the server from the worker, by a PostgreSQL URL: `admin: { login: NAME }`. */
import { type Client, DatabaseError } from 'pg';
import { RotateError, asRotateError } from '../../domain/failure.js';
import type { KindContext } from '../kind.js';
import { type AdminSession, adminDatabase } from './admin-session.js';
import { dial, hangUp } from './dial.js';
import { readLoginUrl } from './login-url.js';
import { serverError } from './sqlstate.js';

const timeoutMs = 28_000;

export function loginSession(context: KindContext, name: string): AdminSession {
  const server = `PostgreSQL (login ${name})`;
  return {
    server,
    async run(statements, database = adminDatabase) {
      const { config, tls } = readLoginUrl(await context.login(name), name);
      const signal = AbortSignal.any([context.signal, AbortSignal.timeout(timeoutMs)]);
      let client: Client | undefined;
      try {
        client = await dial({ config: { ...config, database }, tls, signal });
        const results: string[][] = [];
        for (const text of statements) results.push(await query(client, text));
        return results;
      } catch (error) {
        context.signal.throwIfAborted();
        throw failure(error, server, signal);
      } finally {
        // a session that failed in a transaction is rolled back by its end
        if (client !== undefined) await hangUp(client);
      }
    },
  };
}

async function query(client: Client, text: string): Promise<string[]> {
  const result = await client.query<(string | null)[]>({
    text,
    rowMode: 'array',
    types: { getTypeParser: () => String },
  });
  return result.rows.map((row) => row[0] ?? '');
}

const lookThere = 'see whether the server runs, and whether the worker reaches it';

function failure(error: unknown, server: string, signal: AbortSignal): RotateError {
  const known = asRotateError(error);
  if (known !== undefined) return known;
  if (signal.aborted)
    return new RotateError('Timeout', `${server}: no answer within ${timeoutMs / 1000} s`, {
      hint: lookThere,
    });
  // neither is kept as the cause: both may quote the statement
  if (error instanceof DatabaseError) return serverError(server, error.code ?? '', error.message);
  const message = error instanceof Error ? error.message : String(error);
  if (/certificate|does not match/i.test(message))
    return new RotateError('IssuerAuthFailed', `${server}: its certificate is not accepted: ${message}`, {
      hint: 'check sslmode and sslrootcert of the login',
    });
  if (message.startsWith('SASL') || message.includes('does not support SSL'))
    return new RotateError('IssuerAuthFailed', `${server}: ${message}`, {
      hint: 'check the password and sslmode of the login',
    });
  return new RotateError('IssuerUnreachable', `${server}: ${message || 'it cannot be connected to'}`, {
    hint: lookThere,
  });
}
