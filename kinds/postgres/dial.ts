/**
 * Opens one connection with npm `pg`. Used for admin logins by URL and for probes.
 *
 * `prefer` is libpq's: TLS where the server offers it, whoever it proves to be; else
 * without. Whoever wants the server's certificate checked says so in the URL.
 */
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectionOptions } from 'node:tls';
import { Client, type ClientConfig, DatabaseError } from 'pg';

export interface Dial {
  /** Whom to log in as, and where; without `ssl` and `stream`. */
  config: ClientConfig;
  tls: 'prefer' | ConnectionOptions | false;
  /** A channel to the server for each try. Absent: pg connects by itself. */
  channel?: () => Promise<Duplex>;
  /** Ends the attempt, and the connection afterwards. */
  signal: AbortSignal;
}

/**
 * A connected client; the caller ends it.
 * @throws DatabaseError what the server answered; Error what the network did; the signal's reason
 */
export async function dial(options: Dial): Promise<Client> {
  if (options.tls !== 'prefer') return connect(options, options.tls);
  try {
    return await connect(options, { rejectUnauthorized: false });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const noTls = error.message === 'The server does not support SSL connections';
    const refusedForTls = error instanceof DatabaseError && error.code === '28000';
    if (!noTls && !refusedForTls) throw error;
    try {
      return await connect(options, false);
    } catch (second) {
      // a line of pg_hba.conf may ask for TLS: then the first answer is the one that counts
      throw refusedForTls ? error : second;
    }
  }
}

async function connect({ config, channel, signal }: Dial, ssl: ConnectionOptions | false): Promise<Client> {
  signal.throwIfAborted();
  const stream = channel === undefined ? undefined : asSocket(await channel());
  const client = new Client({
    ...config,
    ssl,
    application_name: 'rotate',
    ...(stream === undefined ? {} : { stream: () => stream }),
  });
  // an error of an idle connection reaches every later query as well; without a listener it would end the process
  client.on('error', () => undefined);
  // Whoever sits on the way, or calls itself the server, could ask for the password in clear. Registered before pg's
  // own listener, so that nothing is sent.
  let refusal: Error | undefined;
  for (const [request, what] of unsafeRequests) {
    client.connection.on(request, () => {
      refusal = new UnsafeLoginError(`the server asks for the password ${what}; only SCRAM is answered`);
      client.connection.stream.destroy(refusal);
    });
  }
  let abort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => {
      client.connection.stream.destroy();
      stream?.destroy();
      reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
    };
    signal.addEventListener('abort', abort, { once: true });
  });
  aborted.catch(() => undefined);
  try {
    if (signal.aborted) abort?.();
    await Promise.race([client.connect(), aborted]);
    return client;
  } catch (error) {
    client.connection.stream.destroy();
    stream?.destroy();
    throw refusal ?? error;
  }
}

/** Events of pg's connection by which a server asks for more than proof that the password is known. */
const unsafeRequests = [
  ['authenticationCleartextPassword', 'in clear'],
  ['authenticationMD5Password', 'as an MD5 sum'],
] as const;

/** Thrown when a server wants the password itself, or what is nearly as good. */
export class UnsafeLoginError extends Error {
  override readonly name = 'UnsafeLoginError';
}

/** Ends a connection; a goodbye that is not answered within a second must not hold up the result. */
export async function hangUp(client: Client): Promise<void> {
  const waiting = new AbortController();
  const ended = client.end().finally(() => waiting.abort());
  const timer = sleep(1000, undefined, { signal: waiting.signal, ref: false }).then(
    () => client.connection.stream.destroy(),
    () => undefined,
  );
  await Promise.race([ended, timer]);
}

/** pg wants a socket that it connects itself; this one is connected already. */
function asSocket(stream: Duplex): Duplex {
  return Object.assign(stream, {
    setNoDelay: () => stream,
    setKeepAlive: () => stream,
    connect: () => {
      process.nextTick(() => stream.emit('connect'));
      return stream;
    },
  });
}
