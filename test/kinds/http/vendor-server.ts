/**
 * A stand-in for a vendor: keys with labels behind an HTTP API, over real connections on the loopback interface, and
 * the faults that vendors and networks have. It is no one's product; what a real vendor does differently is not seen.
 */
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface StoredKey {
  id: string;
  label: string;
  value: string;
  active: boolean;
}

/** What goes wrong instead of, or after, what was asked for. */
export type Fault =
  /** It is done, and the connection ends before a word of the answer. */
  | 'answer lost'
  /** It is done, and the connection ends in the middle of the answer. */
  | 'answer cut'
  /** Nothing is done or answered; the connection stays. */
  | 'silence'
  /** A body that does not end. */
  | 'endless'
  /** It is done, and a page for people is the answer. */
  | 'a page'
  /** It is done after what `until` waits for. */
  | { until: Promise<void> }
  /** Nothing is done. */
  | { status: number; headers?: Record<string, string>; body?: string };

export interface SeenRequest {
  /** `POST /v1/keys?limit=2` */
  line: string;
  headers: IncomingMessage['headers'];
  body: string;
}

export interface Vendor {
  /** `http://127.0.0.1:PORT`, with https `https://localhost:PORT`. */
  readonly origin: string;
  readonly adminToken: string;
  readonly keys: StoredKey[];
  /** Values of all keys that there were, also of deleted ones. */
  readonly issued: string[];
  readonly seen: SeenRequest[];
  /** Keys on a page of the list; all by default. */
  pageSize: number;
  /** Forgets keys, faults and what it has seen. */
  clear(): void;
  /** Makes a key as somebody else would. */
  add(label: string): StoredKey;
  /** The next requests of that line (without the query) go wrong, one fault each. */
  fail(line: string, ...faults: Fault[]): void;
  stop(): Promise<void>;
}

/** @param address to listen at; with another than the loopback interface's, hosts of the lab reach it */
export async function startVendor(
  tls?: { key: string; cert: string },
  address = '127.0.0.1',
): Promise<Vendor> {
  const state = new VendorState();
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    void state.handle(request, response);
  };
  const server: Server = tls === undefined ? createServer(handle) : createTlsServer(tls, handle);
  server.listen(0, address);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return Object.assign(state, {
    origin: tls === undefined ? `http://${address}:${port}` : `https://localhost:${port}`,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  });
}

export function randomText(length: number): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  return Array.from({ length }, () => alphabet.charAt(randomInt(alphabet.length))).join('');
}

class VendorState {
  readonly adminToken = `adm_${randomText(40)}`;
  readonly keys: StoredKey[] = [];
  readonly issued: string[] = [];
  readonly seen: SeenRequest[] = [];
  pageSize = Infinity;
  readonly #faults = new Map<string, Fault[]>();
  #made = 0;

  clear(): void {
    this.keys.length = 0;
    this.issued.length = 0;
    this.seen.length = 0;
    this.pageSize = Infinity;
    this.#faults.clear();
    this.#made = 0;
  }

  add(label: string): StoredKey {
    const key = { id: `key-${++this.#made}`, label, value: `sk_test_${randomText(40)}`, active: true };
    this.keys.push(key);
    this.issued.push(key.value);
    return key;
  }

  fail(line: string, ...faults: Fault[]): void {
    this.#faults.set(line, [...(this.#faults.get(line) ?? []), ...faults]);
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const url = new URL(request.url ?? '/', 'http://vendor');
    this.seen.push({ line: `${request.method} ${request.url}`, headers: request.headers, body });
    const fault = this.#faults.get(`${request.method} ${url.pathname}`)?.shift();
    if (fault === 'silence') return;
    if (fault === 'endless') return endless(response);
    if (typeof fault === 'object' && 'status' in fault) {
      response.writeHead(fault.status, fault.headers).end(fault.body);
      return;
    }
    if (typeof fault === 'object') await fault.until;
    const [status, answer] = this.#answer(request, url, body);
    const text = answer === undefined ? '' : JSON.stringify(answer);
    if (fault === 'answer lost') response.destroy();
    else if (fault === 'answer cut') {
      response.writeHead(status, { 'content-length': text.length });
      response.write(text.slice(0, -2), () => response.destroy());
    } else if (fault === 'a page') response.writeHead(status).end(`<!doctype html>${text}`);
    else response.writeHead(status, { 'content-type': 'application/json' }).end(text);
  }

  #answer({ method, headers }: IncomingMessage, url: URL, body: string): [number, unknown?] {
    const token = /^Bearer (.*)$/.exec(headers.authorization ?? '')?.[1];
    if (url.pathname === '/v1/whoami') {
      const basic = Buffer.from(
        /^Basic (.*)$/.exec(headers.authorization ?? '')?.[1] ?? '',
        'base64',
      ).toString();
      const key = this.keys.find(({ id, value }) => value === token || `${id}:${value}` === basic);
      if (key === undefined) return [401, { error: `unknown key ${token}` }];
      return key.active
        ? [200, { key: { id: key.id, number: key.id.length } }]
        : [403, { error: 'disabled' }];
    }
    if (token !== this.adminToken) return [401, { error: `not your token: ${token}` }];
    if (url.pathname === '/v1/keys' && method === 'GET') return [200, this.#page(url)];
    if (url.pathname === '/v1/keys' && method === 'POST') {
      const { id, label, value } = this.add((JSON.parse(body) as { name?: string }).name ?? '');
      return [201, { id, name: label, secret: value }];
    }
    const [, id, action] = /^\/v1\/keys\/([^/]+)(?:\/(enable|disable))?$/.exec(url.pathname) ?? [];
    const at = this.keys.findIndex((key) => key.id === id);
    const key = this.keys[at];
    if (key === undefined) return [404, { error: 'no such key' }];
    if (method === 'DELETE') {
      this.keys.splice(at, 1);
      return [204];
    }
    if (method === 'PATCH') {
      key.active = (JSON.parse(body) as { active: boolean }).active;
      return [200, { id, active: key.active }];
    }
    if (action === undefined) return [405];
    if (key.active === (action === 'enable')) return [409, { error: `it is ${action}d` }];
    key.active = action === 'enable';
    return [204];
  }

  #page(url: URL): unknown {
    const from = Number(url.searchParams.get('after') ?? 0);
    const to = from + this.pageSize;
    return {
      data: this.keys.slice(from, to).map(({ id, label, active }) => ({ id, name: label, active })),
      ...(to < this.keys.length ? { after: to, next: `/v1/keys?after=${to}` } : { next: null }),
    };
  }
}

function endless(response: ServerResponse): void {
  response.writeHead(200);
  const more = (): void => {
    while (!response.destroyed && response.write(Buffer.alloc(64 * 1024, ' ')));
  };
  response.on('drain', more).on('error', () => undefined);
  more();
}
