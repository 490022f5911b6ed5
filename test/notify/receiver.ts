/** A real receiver of webhooks, which keeps what it was sent and answers as it is told. */
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';

export interface Received {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

export type Answer = (response: ServerResponse, request: IncomingMessage) => void;

export interface Receiver {
  port: number;
  origin: string;
  received: Received[];
  /** How the next requests are answered; at first 204. */
  answer: Answer;
  stop(): Promise<void>;
}

/** @param tls absent: without */
export async function startReceiver(tls?: ServerOptions): Promise<Receiver> {
  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      receiver.received.push({
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString('utf8'),
      });
      receiver.answer(response, request);
    });
  };
  const server: Server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const receiver: Receiver = {
    port: address.port,
    origin: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${address.port}`,
    received: [],
    answer: (response) => void response.writeHead(204).end(),
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  return receiver;
}

/** The specification's signature, computed from the header's words and not from our code. */
export function signatureOf(key: Buffer, { headers, body }: Received): string {
  const id = String(headers['webhook-id']);
  const at = String(headers['webhook-timestamp']);
  const mac = createHmac('sha256', key);
  mac.write(Buffer.concat([Buffer.from(id), Buffer.from('.'), Buffer.from(at), Buffer.from('.')]));
  mac.end(Buffer.from(body, 'utf8'));
  return `v1,${mac.read().toString('base64')}`;
}
