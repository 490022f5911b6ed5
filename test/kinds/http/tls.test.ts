/** Whom the kind believes to be the vendor: straight, and through a host that carries the bytes. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { RemoteHost } from '../../../domain/remote.js';
import { ForwardedSocket } from '../../../hosts/ssh/forwarded-socket.js';
import { http } from '../../../kinds/http/kind.js';
import { localHost } from '../postgres/local-host.js';
import { fixture, labelled } from './fixture.js';
import { startVendor, type Vendor } from './vendor-server.js';

let vendor: Vendor;
let authority: string;
const usual = getCACertificates('default');

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rotate-http-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const request = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=localhost';
  const names = ['-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', cert];
  await promisify(execFile)('openssl', [...request.split(' '), ...names]);
  authority = await readFile(cert, 'utf8');
  vendor = await startVendor({ key: await readFile(key, 'utf8'), cert: authority });
  await rm(folder, { recursive: true });
});
afterAll(async () => {
  await vendor.stop();
});
beforeEach(() => {
  setDefaultCACertificates([...usual, authority]);
});
afterEach(() => {
  setDefaultCACertificates(usual);
});

/** As over SSH: what carries the bytes is no socket of the system’s. */
const channelHost: RemoteHost = {
  ...localHost('web-1'),
  async forward(_address, port) {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new ForwardedSocket(socket);
  },
};

it.each([
  ['straight', undefined],
  ['through a host', 'web-1'],
])('accepts a certificate of an authority that is trusted, %s', async (_title, from) => {
  const { context, settings, current } = fixture(vendor, labelled, [channelHost]);
  const via = { ...settings, ...(from === undefined ? {} : { from }) };
  const { existing = [] } = await http.inspect(context, via, current);
  const fresh = await http.generate(context, via, current, { existing });
  const [result] = await http.check(context, settings, fresh, from);
  expect(result).toMatchObject({ outcome: 'accepted', code: '200' });
});

it.each([
  ['straight', undefined],
  ['through a host', 'web-1'],
])('refuses a server that cannot prove who it is, and sends it nothing, %s', async (_title, from) => {
  const { context, settings, current } = fixture(vendor, labelled, [channelHost]);
  const via = { ...settings, ...(from === undefined ? {} : { from }) };
  const unproven = {
    type: 'IssuerAuthFailed',
    message: expect.stringContaining('certificate is not accepted'),
  };
  const otherName = { ...via, base: via.base.replace('localhost', '127.0.0.1') };
  await expect(http.inspect(context, otherName, current)).rejects.toMatchObject(unproven);
  setDefaultCACertificates(usual);
  await expect(http.inspect(context, via, current)).rejects.toMatchObject(unproven);
  const [result] = await http.check(context, settings, current, from);
  expect(result).toMatchObject({ outcome: 'unknown', message: unproven.message });
  expect(vendor.seen).toEqual([]);
});
