import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { SecretValue } from '../../domain/secret-value.js';
import { createWebhook } from '../../notify/webhook.js';
import { everythingOf, failureOf } from './errors.js';
import { startReceiver, type Receiver } from './receiver.js';
import { sample } from './samples.js';

const run = promisify(execFile);
const never = new AbortController().signal;
let folder: string;
let selfSigned: Receiver;
let plain: Receiver;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rotate-notify-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const request = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1';
  const name = '-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1';
  await run('openssl', [...`${request} ${name}`.split(' '), '-keyout', key, '-out', cert]);
  selfSigned = await startReceiver({ key: await readFile(key), cert: await readFile(cert) });
  plain = await startReceiver();
});
afterAll(async () => {
  await selfSigned?.stop();
  await plain?.stop();
  await rm(folder, { recursive: true, force: true });
});

function webhook(url: string) {
  return createWebhook({
    name: 'ops',
    url: SecretValue.fromText(url),
    secrets: [],
    headers: {},
    format: 'json',
  });
}

test('a certificate that nobody here trusts is refused for good, and nothing is sent', async () => {
  const error = await failureOf(webhook(`${selfSigned.origin}/hunter2`).send(sample, never));
  expect(error.toReason()).toEqual({
    type: 'NotifyRefused',
    message: `channel \`ops\`: ${selfSigned.origin} cannot prove who it is, TLS fails (DEPTH_ZERO_SELF_SIGNED_CERT)`,
    hint: 'give it a certificate that this machine trusts; for an authority of your own set NODE_EXTRA_CA_CERTS for the worker',
  });
  expect(everythingOf(error)).not.toContain('hunter2');
  expect(selfSigned.received).toEqual([]);
});

test('a receiver that does not speak TLS is refused for good, and nothing is sent', async () => {
  const origin = plain.origin.replace('http:', 'https:');
  const error = await failureOf(webhook(`${origin}/hunter2`).send(sample, never));
  expect(error.type).toBe('NotifyRefused');
  expect(error.message).toMatch(/TLS fails \((?:EPROTO|ERR_SSL_[A-Z_]+)\)$/);
  expect(everythingOf(error)).not.toContain('hunter2');
  expect(plain.received).toEqual([]);
});
