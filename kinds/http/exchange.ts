/**
 * One request and its answer over a connection of their own. Nothing is followed, kept or logged, and no error holds
 * what was sent or answered: what Node throws may quote both, so that it is never kept as a cause.
 */
import { type IncomingHttpHeaders, type IncomingMessage, request as openRequest } from 'node:http';
import type { Duplex } from 'node:stream';
import { RotateError, asRotateError } from '../../domain/failure.js';
import { systemCode, systemReason } from '../../domain/system-error.js';
import type { RemoteHost } from '../../domain/remote.js';
import { requestMs } from './attempt.js';
import { dial } from './dial.js';
import type { PreparedRequest } from './prepare.js';

/** More than a list of 200 keys needs. */
const maxBodyBytes = 1024 * 1024;

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  /** Empty where it was not asked for, and where the status is another than 2xx. */
  body: Buffer;
}

export interface Exchange {
  signal: AbortSignal;
  /** The host that connects; absent: this machine. */
  via?: RemoteHost | undefined;
  /** Whether the body matters. */
  read: boolean;
  /** From begin to end, ms. */
  timeoutMs?: number;
}

/**
 * @throws RotateError IssuerUnreachable, Timeout, IssuerAuthFailed (its certificate), IssuerMisconfigured (its answer
 *   is too large), what the host throws; the signal's reason
 */
export async function exchange(
  prepared: PreparedRequest,
  { signal, via, read, timeoutMs = requestMs }: Exchange,
): Promise<Answer> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const either = AbortSignal.any([signal, timeout]);
  let stream: Duplex | undefined;
  try {
    stream = await dial(prepared.url, either, via);
    const message = await send(prepared, stream, either);
    const status = message.statusCode ?? 0;
    const wanted = read && status >= 200 && status < 300;
    const body = wanted ? await readBody(message, prepared.title) : Buffer.alloc(0);
    return { status, headers: message.headers, body };
  } catch (error) {
    signal.throwIfAborted();
    throw failure(error, prepared.title, timeout.aborted ? timeoutMs : undefined, stream !== undefined);
  } finally {
    stream?.destroy();
  }
}

async function send(
  { method, url, headers, body }: PreparedRequest,
  stream: Duplex,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const request = openRequest({
    method,
    path: `${url.pathname}${url.search}`,
    headers: {
      ...headers,
      host: url.host,
      connection: 'close',
      ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
    },
    setHost: false,
    createConnection: () => stream,
    signal,
  });
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  request
    .on('response', resolve)
    .on('error', reject)
    .on('close', () => reject(new Error('closed')));
  request.end(body);
  return promise;
}

async function readBody(message: IncomingMessage, title: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > maxBodyBytes)
      throw new RotateError('IssuerMisconfigured', `${title}: the answer is larger than 1 MiB`, {
        hint: 'narrow the request by its query',
      });
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

const lookThere = 'see whether the vendor is up, and whether `http.base` is reached from there';

function failure(error: unknown, title: string, timedOutMs: number | undefined, sent: boolean): RotateError {
  const known = asRotateError(error);
  if (known !== undefined) return known;
  if (timedOutMs !== undefined)
    return new RotateError('Timeout', `${title}: no answer within ${timedOutMs / 1000} s`, {
      hint: lookThere,
    });
  const code = systemCode(error);
  if (code !== undefined && /CERT|^UNABLE_TO_/.test(code))
    return new RotateError(
      'IssuerAuthFailed',
      `${title}: the server’s certificate is not accepted (${code})`,
      {
        hint: 'correct `http.base`; for an authority of your own set NODE_EXTRA_CA_CERTS for the worker',
      },
    );
  const what = sent ? 'the connection was lost before the answer was complete' : 'it cannot be connected to';
  const why = code === undefined ? '' : `: ${systemReason(error)}`;
  return new RotateError('IssuerUnreachable', `${title}: ${what}${why}`, { hint: lookThere });
}
