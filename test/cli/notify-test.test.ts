/** `rotate notify test`: the real server, the real channels to receivers on this machine; see fleet.ts for the rest. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { notifyActivities } from '../../activities/notify.js';
import type { Channel } from '../../activities/ports.js';
import type { ChannelFilter } from '../../domain/notification.js';
import { SecretValue } from '../../domain/secret-value.js';
import { createWebhook } from '../../notify/webhook.js';
import type { RunningWorker } from '../../worker/run-worker.js';
import { startReceiver, type Receiver } from '../notify/receiver.js';
import { expectNotification } from '../notify/schema.js';
import { startTestFleet, trouble, type TestFleet } from './fleet.js';
import { expectOutput } from './schema.js';
import { rotate, type Ended, type World } from './world.js';

let fleet: TestFleet;
let worker: RunningWorker;
let receiver: Receiver;

beforeAll(async () => {
  fleet = await startTestFleet();
  worker = await fleet.startWorker();
}, 120_000);
afterAll(() => fleet?.stop(), 60_000);
beforeEach(async () => {
  receiver = await startReceiver();
});
afterEach(async () => {
  for (const name of Object.keys(fleet.troubles)) Reflect.deleteProperty(fleet.troubles, name);
  await receiver.stop();
});

function here(args: string, world: Partial<World> = {}): Promise<Ended> {
  return rotate(args.split(' '), { cwd: fleet.repo, env: fleet.env, ...world });
}

function channel(name: string, filter: ChannelFilter = {}, origin = receiver.origin): Channel {
  const url = SecretValue.fromText(`${origin}/${name}?token=hunter2`);
  return { ...filter, notifier: createWebhook({ name, url, secrets: [], headers: {}, format: 'json' }) };
}

function channels(...notifiers: Channel[]): void {
  Object.assign(fleet.answers, notifyActivities({ notifiers }));
}

/** A port at which nobody listens. */
async function deadOrigin(): Promise<string> {
  const gone = await startReceiver();
  await gone.stop();
  return gone.origin;
}

describe('rotate notify test', () => {
  test('reaches every channel once, whatever it chose', async () => {
    channels(channel('ops', { events: ['failed'] }), channel('chat', { environments: ['test'] }));
    const { code, stdout, stderr } = await here('notify test --env prod');
    expect(stdout).toBe('chat: delivered\nops: delivered\n');
    expect([code, stderr]).toEqual([0, '']);
    expect(receiver.received.map(({ path }) => path).toSorted()).toEqual([
      '/chat?token=hunter2',
      '/ops?token=hunter2',
    ]);
    for (const { body } of receiver.received) {
      expectNotification(body);
      expect(JSON.parse(body)).toMatchObject({
        event: 'test',
        environment: 'prod',
        secrets: [],
        by: expect.stringMatching(/^.+@.+$/),
        text: expect.stringMatching(/^a test of rotate's notifications, sent by .+@/),
      });
    }
  });

  test('is another notification each time', async () => {
    channels(channel('ops'));
    await here('notify test');
    await here('notify test');
    const [first, second, ...more] = receiver.received.map(({ body }) => JSON.parse(body));
    expect(first.environment).toBe('test');
    expect(first.id).not.toBe(second.id);
    expect(more).toEqual([]);
  });

  test('exits with 1 when one was not delivered, with why and what to do', async () => {
    channels(channel('ops'), channel('gone', {}, await deadOrigin()), channel('chat'));
    const { code, stdout, stderr } = await here('notify test');
    expect(stdout).toBe('chat: delivered\nops: delivered\ngone: not delivered\n');
    expect(stderr).toMatch(
      /^rotate: channel `gone`: http:\/\/127\.0\.0\.1:\d+ cannot be reached: connection refused \(ECONNREFUSED\)\nrotate: hint: see whether the receiver is up.*\n$/,
    );
    expect(`${stdout}${stderr}`).not.toContain('hunter2');
    expect(code).toBe(1);
    expect(receiver.received).toHaveLength(2);
  });

  test('tries a channel that refuses it, or wants it later, once', async () => {
    channels(channel('ops'), channel('chat'));
    receiver.answer = (response, { url = '' }) =>
      void response.writeHead(url.startsWith('/ops') ? 404 : 503, { 'retry-after': '60' }).end();
    const { code, stdout } = await here('notify test --json');
    expectOutput(stdout, 'notifyTest');
    expect(JSON.parse(stdout)).toMatchObject({
      delivered: [],
      failed: [
        { channel: 'chat', reason: { type: 'NotifyUnreachable', message: expect.stringContaining('503') } },
        { channel: 'ops', reason: { type: 'NotifyRefused', message: expect.stringContaining('404') } },
      ],
    });
    expect(code).toBe(1);
    expect(receiver.received).toHaveLength(2);
  });

  test('prints channels by what became of them as JSON', async () => {
    channels(channel('ops'), channel('chat'));
    const { code, stdout, stderr } = await here('notify test --json');
    expectOutput(stdout, 'notifyTest');
    expect(JSON.parse(stdout)).toEqual({ delivered: ['chat', 'ops'], failed: [] });
    expect([code, stderr]).toEqual([0, '']);
  });

  test('prints nothing that could command the terminal', async () => {
    channels(channel('ops'));
    fleet.troubles.deliver = trouble('NotifyRefused', 'it said \u001B[2J', 'look\nthere');
    const { code, stdout, stderr } = await here('notify test');
    expect(stdout).toBe('ops: not delivered\n');
    expect(stderr).toBe('rotate: it said \uFFFD[2J\nrotate: hint: look there\n');
    expect(code).toBe(1);
  });

  test('says that the worker has no channels', async () => {
    channels();
    const hint = 'rotate: the worker has no channels\nrotate: hint: name one under `notify` in worker.yaml\n';
    expect(await here('notify test')).toEqual({ code: 0, stdout: '', stderr: hint });
    const { code, stdout, stderr } = await here('notify test --json');
    expectOutput(stdout, 'notifyTest');
    expect(JSON.parse(stdout)).toEqual({ delivered: [], failed: [] });
    expect([code, stderr]).toEqual([0, hint]);
  });

  test('needs no rotate.yaml', async () => {
    channels(channel('ops'));
    expect(await here('notify test', { cwd: fleet.temporal.folder })).toMatchObject({
      code: 0,
      stdout: 'ops: delivered\n',
    });
  });

  test('exits with 4 when no worker listens, or Temporal is away', async () => {
    channels(channel('ops'));
    const env = { ...fleet.env, TEMPORAL_ADDRESS: '127.0.0.1:1' };
    const away = await here('notify test --json', { env });
    expectOutput(away.stdout, 'error');
    expect(away).toMatchObject({
      code: 4,
      stderr: expect.stringContaining(
        'cannot reach Temporal at 127.0.0.1:1: connection refused (ECONNREFUSED)',
      ),
    });
    await worker.stop();
    const alone = await here('notify test --json');
    expectOutput(alone.stdout, 'error');
    expect(JSON.parse(alone.stdout).error.type).toBe('NoWorker');
    expect(alone.code).toBe(4);
    worker = await fleet.startWorker();
    expect(await here('notify test')).toMatchObject({ code: 0, stdout: 'ops: delivered\n' });
    expect(receiver.received).toHaveLength(1);
  });
});
