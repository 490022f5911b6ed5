import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { SecretValue } from '../../domain/secret-value.js';
import { parseSigningSecrets } from '../../notify/signature.js';
import { createWebhook, type WebhookOptions } from '../../notify/webhook.js';
import { everythingOf, failureOf } from './errors.js';
import { signatureOf, startReceiver, type Receiver } from './receiver.js';
import { sample } from './samples.js';
import { expectNotification } from './schema.js';

const key = Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64');
const secret = `whsec_${key.toString('base64')}`;
const path = '/services/T0/B0/hunter2-in-the-path?token=hunter2-in-the-query';
const never = new AbortController().signal;

let receiver: Receiver;
beforeEach(async () => {
  receiver = await startReceiver();
});
afterEach(async () => {
  vi.useRealTimers();
  await receiver.stop();
});

function webhook(options: Partial<WebhookOptions> = {}) {
  return createWebhook({
    name: 'ops',
    url: SecretValue.fromText(`${receiver.origin}${path}`),
    secrets: parseSigningSecrets(secret, 'test'),
    headers: { authorization: SecretValue.fromText('Bearer hunter2-in-a-header') },
    format: 'json',
    ...options,
  });
}

describe('what is sent', () => {
  test('is the notification as JSON, to the whole URL, with the configured headers', async () => {
    await webhook().send(sample, never);
    const [request] = receiver.received;
    expect(request).toMatchObject({ method: 'POST', path });
    expect(request?.headers).toMatchObject({
      'content-type': 'application/json',
      'user-agent': 'rotate',
      authorization: 'Bearer hunter2-in-a-header',
    });
    expect(JSON.parse(request?.body ?? '')).toEqual(sample);
    expectNotification(request?.body ?? '');
  });

  test('is signed after the specification, also where it is not ASCII', async () => {
    await webhook().send({ ...sample, why: 'für später, 鍵' }, never);
    const [request] = receiver.received;
    if (request === undefined) throw new Error('nothing came');
    expect(request.headers['webhook-id']).toBe(sample.id);
    expect(request.headers['webhook-signature']).toBe(signatureOf(key, request));
    expect(signatureOf(key, { ...request, body: `${request.body} ` })).not.toBe(
      request.headers['webhook-signature'],
    );
  });

  test('is signed with each of several secrets, newest first', async () => {
    const raw = 'a new secret that is not base64';
    await webhook({ secrets: parseSigningSecrets(`${raw}\n${secret}\n`, 'test') }).send(sample, never);
    const [request] = receiver.received;
    if (request === undefined) throw new Error('nothing came');
    expect(request.headers['webhook-signature']).toBe(
      `${signatureOf(Buffer.from(raw), request)} ${signatureOf(key, request)}`,
    );
  });

  test('has the same id and body in each attempt, and the time and signature of the attempt', async () => {
    const channel = webhook();
    receiver.answer = (response) => void response.writeHead(503).end();
    vi.useFakeTimers({ toFake: ['Date'], now: 1_791_376_500_000 });
    await failureOf(channel.send(sample, never));
    receiver.answer = (response) => void response.writeHead(200).end('ok');
    vi.setSystemTime(1_791_376_560_999);
    await channel.send(sample, never);
    const [first, second] = receiver.received;
    if (first === undefined || second === undefined) throw new Error('one is missing');
    expect(second.headers['webhook-id']).toBe(first.headers['webhook-id']);
    expect(second.body).toBe(first.body);
    expect([first, second].map((r) => r.headers['webhook-timestamp'])).toEqual(['1791376500', '1791376560']);
    for (const r of [first, second]) expect(r.headers['webhook-signature']).toBe(signatureOf(key, r));
  });

  test('to Slack is one escaped line, and unsigned where there is no secret', async () => {
    const text = '<!channel> a & b';
    await webhook({ format: 'slack', secrets: [] }).send({ ...sample, text }, never);
    const [request] = receiver.received;
    expect(JSON.parse(request?.body ?? '')).toEqual({ text: '&lt;!channel&gt; a &amp; b' });
    expect(request?.headers).not.toHaveProperty('webhook-signature');
    expect(request?.headers['webhook-id']).toBe(sample.id);
  });
});

describe('an answer', () => {
  test.each([200, 201, 202, 204, 299])('of %i is a delivery', async (status) => {
    receiver.answer = (response) => void response.writeHead(status).end();
    await expect(webhook().send(sample, never)).resolves.toBeUndefined();
  });

  test.each([408, 425, 429, 500, 502, 503, 504])('of %i is tried again', async (status) => {
    receiver.answer = (response) => void response.writeHead(status).end();
    const error = await failureOf(webhook().send(sample, never));
    expect(error.toReason()).toEqual({
      type: 'NotifyUnreachable',
      message: `channel \`ops\`: ${receiver.origin} answers ${status}`,
      hint: 'see whether the receiver is up, and whether the worker reaches it',
    });
    expect(error.retryable).toBe(true);
    expect(error.details).toEqual({ channel: 'ops', status });
  });

  test.each([400, 401, 403, 404, 410, 413, 422])('of %i is final', async (status) => {
    receiver.answer = (response) => void response.writeHead(status, { 'retry-after': '5' }).end();
    const error = await failureOf(webhook().send(sample, never));
    expect(error.toReason()).toEqual({
      type: 'NotifyRefused',
      message: `channel \`ops\`: ${receiver.origin} answers ${status}`,
      hint: "look at the URL, the secret and the headers of `notify.channels.ops` in worker.yaml, and into the receiver's log",
    });
    expect(error.retryable).toBe(false);
  });

  test.each([
    ['120', 120_000],
    ['0', 1_000],
    ['999999999', 3_600_000],
    ['Wed, 07 Oct 2026 12:35:30 GMT', 30_000],
    ['Wed, 07 Oct 2026 12:00:00 GMT', 1_000],
    ['soon', undefined],
    ['-5', undefined],
    ['2026-10-07', undefined],
    ['', undefined],
  ])('that says Retry-After: %s asks for a pause of %s ms', async (value, pause) => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-10-07T12:35:00Z') });
    receiver.answer = (response) => void response.writeHead(429, { 'retry-after': value }).end();
    const error = await failureOf(webhook().send(sample, never));
    expect(error.details?.['retryAfterMs']).toBe(pause);
  });

  test.each([301, 302, 303, 307, 308])('of %i is refused, and nobody goes where it leads', async (status) => {
    receiver.answer = (response) =>
      void response.writeHead(status, { location: `${receiver.origin}/hunter2-elsewhere` }).end();
    const error = await failureOf(webhook().send(sample, never));
    expect(error.toReason()).toEqual({
      type: 'NotifyRefused',
      message: `channel \`ops\`: ${receiver.origin} answers ${status}: it redirects, which is not followed`,
      hint: 'give `notify.channels.ops` the URL that it redirects to',
    });
    expect(receiver.received).toHaveLength(1);
  });

  test('that has no end counts when it has begun, and the connection is closed', async () => {
    let closed = (): void => {};
    const gone = new Promise<void>((resolve) => {
      closed = resolve;
    });
    receiver.answer = (response) => {
      response.on('close', closed).on('error', closed);
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(4096)));
        if (!response.destroyed) response.once('drain', more);
      };
      response.writeHead(200);
      more();
    };
    await expect(webhook().send(sample, never)).resolves.toBeUndefined();
    await gone;
    expect(receiver.received).toHaveLength(1);
  });

  test.each([
    [200, undefined],
    [500, 'NotifyUnreachable'],
    [404, 'NotifyRefused'],
  ])('of %i whose body never comes counts all the same', async (status, type) => {
    receiver.answer = (response) => {
      response.writeHead(status, { 'content-length': '10' }).write('x');
    };
    const sent = webhook({ timeoutMs: 300 }).send(sample, never);
    expect(
      await sent.then(
        () => undefined,
        (error: { type: string }) => error.type,
      ),
    ).toBe(type);
  });

  test('that does not come in time is tried again', async () => {
    receiver.answer = () => {};
    const error = await failureOf(webhook({ timeoutMs: 300 }).send(sample, never));
    expect(error.toReason()).toMatchObject({
      type: 'NotifyUnreachable',
      message: `channel \`ops\`: ${receiver.origin} does not answer within 0.3 s`,
    });
  });

  test('that is not HTTP, or breaks off, is tried again', async () => {
    for (const bytes of [`hunter2 ${path}\r\n\r\n`, 'HTTP/1.1 200 OK\r\nx-echo: hunter2']) {
      receiver.answer = (_response, request) => void request.socket.end(bytes);
      const error = await failureOf(webhook().send(sample, never));
      expect(error.type).toBe('NotifyUnreachable');
      expect(everythingOf(error)).not.toContain('hunter2');
    }
  });
});

test('a delivery that is called off ends with the reason that was given', async () => {
  const caller = new AbortController();
  const reason = new Error('the worker stops');
  receiver.answer = () => caller.abort(reason);
  await expect(webhook().send(sample, caller.signal)).rejects.toBe(reason);
  await expect(webhook().send(sample, caller.signal)).rejects.toBe(reason);
  expect(receiver.received).toHaveLength(1);
});

test('nobody at the port is tried again', async () => {
  const { origin } = receiver;
  const channel = webhook();
  await receiver.stop();
  try {
    const error = await failureOf(channel.send(sample, never));
    expect(error.toReason()).toMatchObject({
      type: 'NotifyUnreachable',
      message: `channel \`ops\`: ${origin} cannot be reached: connection refused (ECONNREFUSED)`,
    });
    expect(everythingOf(error)).not.toContain('hunter2');
  } finally {
    receiver = await startReceiver();
  }
});

test.each([
  ['an answer', (r: Receiver): void => void (r.answer = (s) => void s.writeHead(503).end(path))],
  ['a refusal', (r: Receiver): void => void (r.answer = (s) => void s.writeHead(404).end(`no ${path}`))],
  ['silence', (r: Receiver): void => void (r.answer = () => {})],
  [
    'a redirect',
    (r: Receiver): void => void (r.answer = (s) => void s.writeHead(302, { location: path }).end()),
  ],
  ['a cut', (r: Receiver): void => void (r.answer = (_s, request) => void request.socket.destroy())],
])('after %s nothing of URL, headers and secret is in the failure', async (_what, prepare) => {
  prepare(receiver);
  const error = await failureOf(webhook({ timeoutMs: 300 }).send(sample, never));
  const told = everythingOf(error);
  // what is looked for can be found
  expect(everythingOf(new Error('x', { cause: new Error(path) }))).toContain('hunter2');
  expect(told).toContain(receiver.origin);
  expect(told).not.toMatch(/hunter2|services|token|Bearer/);
  expect(told).not.toContain(key.toString('base64'));
});

test('a channel itself prints neither URL nor secret', () => {
  expect(everythingOf(Object.assign(new Error('x'), { channel: webhook() }))).not.toMatch(/hunter2|MfKQ/);
});
