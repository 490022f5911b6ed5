/** The list without the SDK: the same as with it, or none. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http2';
import { connect as connectTo, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { promisify } from 'node:util';

import proto from '@temporalio/proto';
import { ulid } from 'ulid';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';

import { listRotations } from '../../client/list-rotations.js';
import { openSession, type OpenOptions } from '../../client/open.js';
import { quickList } from '../../client/quick-list.js';
import { generateCodecKey } from '../../codec/keyring.js';
import { rotationId } from '../../domain/ids.js';
import type { RotationStatus } from '../../domain/status.js';
import { statusMemo, taskQueue, workflowTypes } from '../../workflows/messages.js';
import { startTestTemporal, type TestTemporal } from '../support/temporal.js';

const { ListWorkflowExecutionsRequest, ListWorkflowExecutionsResponse } =
  proto.temporal.api.workflowservice.v1;
const signal = new AbortController().signal;

let temporal: TestTemporal;
let options: OpenOptions;
let otherKey: string;

beforeAll(async () => {
  temporal = await startTestTemporal();
  const keyFile = await key('codec.key');
  otherKey = await key('other.key');
  options = { keyFiles: [keyFile], env: temporal.env, signal };
  for (const environment of ['prod', 'test', 'été']) await start(options, environment);
  const [terminated] = await Promise.all([start(options, 'prod'), start(options, 'prod', 'x'.repeat(4_000))]);
  await start({ ...options, keyFiles: [otherKey] }, 'prod');
  const session = await openSession(options);
  await session.connection.client.workflow.getHandle(terminated).terminate();
  // The list is a little behind.
  await vi.waitFor(
    async () => {
      const { rotations, unreadable } = await listRotations(session);
      const refused = rotations.filter(({ state }) => state === 'refused');
      if (refused.length !== 1 || rotations.length !== 5 || unreadable.length !== 1)
        throw new Error('the list is not complete');
    },
    { timeout: 60_000, interval: 100 },
  );
  await session.close();
});
afterAll(async () => {
  await temporal?.stop();
});

async function key(name: string): Promise<string> {
  const path = join(temporal.folder, name);
  await writeFile(path, `${generateCodecKey()}\n`, { mode: 0o600 });
  return path;
}

/** A rotation that nobody works on; its workflow id. */
async function start(by: OpenOptions, environment: string, secret = 'db-password'): Promise<string> {
  const session = await openSession(by);
  const status: RotationStatus = {
    id: ulid(),
    environment,
    secrets: [secret],
    state: 'running',
    startedAt: new Date().toISOString(),
    steps: (['generate', 'encrypt'] as const).map((name) => ({
      name,
      state: 'pending',
      attempts: 0,
      hosts: [],
    })),
  };
  const workflowId = rotationId(environment, status.id);
  await session.connection.client.workflow.start(workflowTypes.rotation, {
    workflowId,
    taskQueue,
    args: [],
    memo: { [statusMemo]: status },
  });
  await session.close();
  return workflowId;
}

describe('from a real server', () => {
  test.each([{}, { environment: 'prod' }, { environment: 'été' }, { environment: 'none' }])(
    'it is the list that the SDK gives, of %o',
    async (filter) => {
      const session = await openSession(options);
      const theirs = await listRotations(session, filter);
      await session.close();
      expect(await quickList(options, filter)).toEqual(theirs);
    },
  );

  test('what another key has sealed is not readable, and spoils nothing', async () => {
    const list = await quickList({ ...options, keyFiles: [otherKey] });
    expect(list?.rotations).toHaveLength(1);
    expect(list?.unreadable).toHaveLength(5);
  });

  test('a namespace that is not there gives none', async () => {
    const env = { ...options.env, TEMPORAL_NAMESPACE: 'nowhere' };
    expect(await quickList({ ...options, env })).toBeUndefined();
  });

  test('a proxy is left to the SDK', async () => {
    const env = { ...options.env, http_proxy: 'http://127.0.0.1:1' };
    expect(await quickList({ ...options, env })).toBeUndefined();
  });
});

test('nothing that listens gives none', async () => {
  expect(await quickList({ ...options, env: { TEMPORAL_ADDRESS: '127.0.0.1:1' } })).toBeUndefined();
});

test('a codec key that cannot be read is told', async () => {
  const open = await key('open.key');
  await chmod(open, 0o644);
  await expect(quickList({ ...options, keyFiles: [open] })).rejects.toMatchObject({ type: 'BadConfig' });
});

test('over TLS it is the same list, from a server that the authority vouches for', async () => {
  const [keyFile, certFile] = [join(temporal.folder, 'tls.key'), join(temporal.folder, 'tls.crt')];
  const request =
    'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=temporal.test';
  const names = ['-addext', 'subjectAltName=DNS:temporal.test', '-keyout', keyFile, '-out', certFile];
  await promisify(execFile)('openssl', [...request.split(' '), ...names]);
  const [tlsKey, cert] = [await readFile(keyFile), await readFile(certFile)];
  // The real server behind it.
  const { hostname, port } = new URL(`tcp://${temporal.server.address}`);
  const front = createTlsServer({ key: tlsKey, cert, ALPNProtocols: ['h2'] }, (client) => {
    const server = connectTo(Number(port), hostname);
    client.pipe(server).pipe(client);
    for (const end of [client, server]) end.on('error', () => {});
  });
  const address = await listening(front);
  const env = {
    ...options.env,
    TEMPORAL_ADDRESS: address,
    TEMPORAL_TLS_SERVER_CA_CERT_PATH: certFile,
    TEMPORAL_TLS_SERVER_NAME: 'temporal.test',
  };
  expect(await quickList({ ...options, env })).toEqual(await quickList(options));
  expect(await quickList({ ...options, env: { ...env, TEMPORAL_TLS_SERVER_NAME: 'other' } })).toBeUndefined();
  expect(
    await quickList({ ...options, env: { ...options.env, TEMPORAL_ADDRESS: address, TEMPORAL_TLS: 'true' } }),
  ).toBeUndefined();
});

test.each([
  [
    'a certificate that is none',
    {
      TEMPORAL_TLS_SERVER_CA_CERT_DATA: 'no certificate',
      TEMPORAL_TLS_CLIENT_CERT_DATA: 'nor this',
      TEMPORAL_TLS_CLIENT_KEY_DATA: 'nor a key',
    },
  ],
  ['a header that HTTP does not take', { TEMPORAL_GRPC_META_X_TEAM: 'op\u0007s' }],
])('it is none with %s, which is for the SDK to say', async (_, wrong) => {
  expect(await quickList({ ...options, env: { ...options.env, ...wrong } })).toBeUndefined();
});

describe('from a stand-in for the server', () => {
  test('it comes in pages, asked for as the vendor’s schema wants it', async () => {
    const page = (token: string) =>
      ListWorkflowExecutionsResponse.encode({ executions: [], nextPageToken: Buffer.from(token) }).finish();
    const stand = await standIn([framed(page('two')), framed(page(''))]);
    const env = { TEMPORAL_ADDRESS: stand.address, TEMPORAL_NAMESPACE: 'ops' };
    expect(await quickList({ ...options, env })).toEqual({ rotations: [], unreadable: [] });
    const asked = stand.calls.map(({ body }) =>
      ListWorkflowExecutionsRequest.decode(body.subarray(5)).toJSON(),
    );
    expect(asked).toEqual([
      { namespace: 'ops', query: expect.stringContaining('WorkflowType') },
      {
        namespace: 'ops',
        query: expect.stringContaining('WorkflowType'),
        nextPageToken: Buffer.from('two').toString('base64'),
      },
    ]);
    expect(stand.calls[0]?.headers).toMatchObject({
      ':path': '/temporal.api.workflowservice.v1.WorkflowService/ListWorkflowExecutions',
      'content-type': 'application/grpc',
      'temporal-namespace': 'ops',
    });
  });

  const empty = framed(ListWorkflowExecutionsResponse.encode({}).finish());
  test.each([
    ['refuses', { status: '7' }, empty],
    ['fails halfway', { status: '14' }, empty],
    ['sends what is no message', {}, framed(Buffer.from([0x0a, 0x7f]))],
    ['sends more than it says', {}, Buffer.concat([empty, Buffer.from('x')])],
    ['sends less than it says', {}, Buffer.from([0, 0, 0, 0, 9, 1])],
    ['compresses', {}, Buffer.from([1, 0, 0, 0, 0])],
    ['sends nothing', {}, Buffer.alloc(0)],
    ['is no gRPC server', { http: 404 }, empty],
  ])('it is none when that %s', async (_, how, answer) => {
    const stand = await standIn([answer], how);
    expect(await quickList({ ...options, env: { TEMPORAL_ADDRESS: stand.address } })).toBeUndefined();
    expect(stand.calls).toHaveLength(1);
  });

  test('it is none when the person gives up', async () => {
    const stand = await standIn([]);
    const giveUp = new AbortController();
    const asked = quickList({
      ...options,
      env: { TEMPORAL_ADDRESS: stand.address },
      signal: giveUp.signal,
    });
    await expect.poll(() => stand.calls).toHaveLength(1);
    giveUp.abort();
    expect(await asked).toBeUndefined();
  });
});

function framed(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

interface StandIn {
  address: string;
  calls: { headers: IncomingHttpHeaders; body: Buffer }[];
}

/** A gRPC server that gives these answers, one after the other, and then none any more. */
async function standIn(
  answers: readonly Uint8Array[],
  { status = '0', http = 200 }: { status?: string; http?: number } = {},
): Promise<StandIn> {
  const calls: StandIn['calls'] = [];
  const server = createServer();
  server.on('stream', (stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on('error', () => {});
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      const answer = answers[calls.length];
      calls.push({ headers, body: Buffer.concat(chunks) });
      if (answer === undefined) return;
      stream.respond({ ':status': http, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': status }));
      stream.end(answer);
    });
  });
  return { address: await listening(server), calls };
}

async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  // oxlint-disable-next-line typescript/consistent-type-assertions -- a TCP server's address
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
