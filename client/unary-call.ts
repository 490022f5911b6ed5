/**
 * One unary call of gRPC over HTTP/2 (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md), for commands
 * that ask one thing and end. No retries, no proxies, nothing of what went wrong: who gets no answer asks Temporal's
 * SDK, which knows all that and says it.
 */
import { connect, constants, type ClientHttp2Session, type SecureClientSessionOptions } from 'node:http2';

import { partsOf } from './accepted.js';
import type { Endpoint } from './endpoint.js';

/** In front of each message: a byte that says whether it is compressed, and its length. */
const prefixLength = 5;
/** What Temporal's SDK takes. */
const longestAnswer = 128 * 1024 * 1024;

/**
 * @param method e.g. `/temporal.api.workflowservice.v1.WorkflowService/ListWorkflowExecutions`
 * @param message as protobuf
 * @returns the answer, as protobuf; undefined when there is none, for whatever reason
 */
export async function unaryCall(
  endpoint: Endpoint,
  method: string,
  message: Uint8Array,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  const { apiKey, metadata = {} } = endpoint.connection;
  if (typeof apiKey === 'function' || signal.aborted) return undefined;
  let session: ClientHttp2Session | undefined;
  const stop = (): void => session?.destroy();
  signal.addEventListener('abort', stop, { once: true });
  try {
    session = open(endpoint);
    return await answerTo(session, message, {
      ...textOf(metadata),
      ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
      'temporal-namespace': endpoint.namespace,
      [constants.HTTP2_HEADER_METHOD]: 'POST',
      [constants.HTTP2_HEADER_PATH]: method,
      [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
      [constants.HTTP2_HEADER_TE]: 'trailers',
    });
  } catch {
    // It could not even be begun: with a certificate that is none, say.
    return undefined;
  } finally {
    signal.removeEventListener('abort', stop);
    session?.destroy();
  }
}

function open({ address, connection: { tls } }: Endpoint): ClientHttp2Session {
  const { host, port } = partsOf(address);
  const authority = `${host}:${port}`;
  if (tls === undefined || tls === null || tls === false) return connect(`http://${authority}`);
  if (tls === true) return connect(`https://${authority}`);
  const { serverNameOverride, serverRootCACertificate, clientCertPair } = tls;
  const options: SecureClientSessionOptions = {
    ...(serverNameOverride === undefined ? {} : { servername: serverNameOverride }),
    ...(serverRootCACertificate === undefined ? {} : { ca: Buffer.from(serverRootCACertificate) }),
    ...(clientCertPair === undefined
      ? {}
      : { cert: Buffer.from(clientCertPair.crt), key: Buffer.from(clientCertPair.key) }),
  };
  return connect(`https://${authority}`, options);
}

/** @throws TypeError for metadata in binary form, which has an encoding of its own */
function textOf(metadata: NonNullable<Endpoint['connection']['metadata']>): Record<string, string> {
  const entries = Object.entries(metadata).map(([name, value]): [string, string] => {
    if (typeof value !== 'string') throw new TypeError(`metadata ${name} is no text`);
    return [name, value];
  });
  return Object.fromEntries(entries);
}

function answerTo(
  session: ClientHttp2Session,
  message: Uint8Array,
  headers: Record<string, string>,
): Promise<Uint8Array | undefined> {
  return new Promise((resolve) => {
    const none = (): void => resolve(undefined);
    session.once('error', none);
    session.once('close', none);
    const stream = session.request(headers);
    const chunks: Buffer[] = [];
    let [accepted, size] = [false, 0];
    stream.once('error', none);
    stream.once('response', (answer) => {
      accepted = Number(answer[constants.HTTP2_HEADER_STATUS]) === 200;
    });
    stream.once('trailers', (trailers) => {
      accepted &&= trailers['grpc-status'] === '0';
    });
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > longestAnswer) stream.destroy();
      else chunks.push(chunk);
    });
    stream.once('close', () => resolve(accepted ? unframed(Buffer.concat(chunks)) : undefined));
    stream.end(framed(message));
  });
}

function framed(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(prefixLength);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** The one message of an answer; undefined for anything else, and for one that is compressed: nobody asked for that. */
function unframed(answer: Buffer): Uint8Array | undefined {
  if (answer.length < prefixLength || answer[0] !== 0) return undefined;
  const message = answer.subarray(prefixLength);
  return message.length === answer.readUInt32BE(1) ? message : undefined;
}
