/**
 * What comes from outside, on a real fleet: keys that a vendor makes, values that a person brings and what only he can
 * do, a schedule that starts by itself, and who is told of it. The vendor is a stand-in of ours, over real connections.
 */
import { Buffer } from 'node:buffer';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Notification } from '../../domain/notification.js';
import type { RotationStatus } from '../../domain/status.js';
import type { RotationRecord } from '../../repo/record.js';
import { startSampler } from '../../infra/fleet/canary.js';
import type { Example } from '../../infra/fleet/example.js';
import { byMemo, rotate, rotateJson, statusOf } from '../../infra/fleet/rotate.js';
import { startVendor, type StoredKey, type Vendor } from '../kinds/http/vendor-server.js';
import { expectNotification } from '../notify/schema.js';
import { signatureOf, startReceiver, type Receiver } from '../notify/receiver.js';
import { expectNothingLeft, makeHarness, rarely, type Harness } from './harness.js';
import { contentOf } from './shapes-fleet.js';
import { addVendors } from './vendors-fleet.js';

let harness: Harness;
let example: Example;
let vendor: Vendor;
let receiver: Receiver;
let signingKey: Buffer;
let sampler: ReturnType<typeof startSampler>;
let since: Date;

beforeAll(async () => {
  harness = await makeHarness('vendors');
  ({ example } = harness);
  vendor = await startVendor(undefined, example.inventory.gateway);
  receiver = await startReceiver();
  const secret = await addVendors(example, { vendor, hook: `${receiver.origin}/hook` });
  signingKey = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  await harness.restartWorker();
  sampler = startSampler({ ...rarely, units: ['mailer.service'] });
  since = new Date();
});
afterAll(async () => {
  sampler?.stop();
  await receiver?.stop();
  await vendor?.stop();
  await harness?.close();
});

/** The key that main's file holds, as the vendor has it. */
async function keyInUse(): Promise<StoredKey | undefined> {
  const value = /^MAIL_KEY=(.*)$/m.exec(await contentOf(example, 'mail-key'))?.[1];
  return vendor.keys.find((key) => key.value === value);
}

function told(event: string): Notification[] {
  return receiver.received
    .map(({ body }): Notification => JSON.parse(body))
    .filter((notification) => notification.event === event);
}

async function untilTold(event: string, part: string): Promise<Notification> {
  await expect.poll(() => told(event).map(({ text }) => text)).toContainEqual(expect.stringContaining(part));
  const [found] = told(event).filter(({ text }) => text.includes(part));
  if (found === undefined) throw new Error(`nothing was told of ${part}`);
  return found;
}

interface Looked {
  name: string;
  state: string;
  paused: boolean;
  looks: string[];
  last?: { outcome: string; started: { id: string; state?: string }[]; told: string[] };
}

async function look(done: (looked: Looked) => boolean): Promise<Looked> {
  let found: Looked | undefined;
  await expect
    .poll(
      async () => {
        const { json } = await rotateJson<Looked[]>(example, ['schedule', 'list']);
        found = json.find(({ name }) => name === 'daily');
        return found !== undefined && done(found);
      },
      { timeout: 240_000, interval: 1000 },
    )
    .toBe(true);
  if (found === undefined) throw new Error('no such schedule');
  return found;
}

describe('a schedule', () => {
  test('starts what is due, at a vendor that makes the value, and tells what it cannot plan', async () => {
    expect(await rotate(example, ['schedule', 'apply', '--yes'])).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\+ prod\/daily {2}every 1d/),
    });
    const before = await keyInUse();
    const strangers = vendor.keys.filter((key) => key !== before).map((key) => key.id);
    expect(await rotate(example, ['schedule', 'trigger', 'daily'])).toMatchObject({ code: 0 });
    const { last } = await look((looked) => looked.last?.started[0]?.state === 'done');
    expect(last).toMatchObject({
      outcome: 'started',
      told: [expect.stringMatching(/^lost: is due and cannot be planned: prod\/lost: no consumer is named/)],
    });
    const now = await keyInUse();
    expect(now).toMatchObject({ active: true, label: expect.stringMatching(/^rotate\/prod\/mail-key\//) });
    expect(new Set(vendor.keys.map((key) => key.id))).toEqual(new Set([...strangers, now?.id]));
    for (const host of ['web-1', 'web-2'])
      expect(await harness.on(host, 'cat /run/agenix/mail-key')).toBe(`MAIL_KEY=${now?.value}\nOTHER=kept`);

    const { json } = await rotateJson<RotationRecord[]>(example, ['history', 'mail-key']);
    expect(json[0]).toMatchObject({ state: 'done', by: 'schedule daily', why: 'as the audit wants' });
    expect(json[0]?.proof?.filter((p) => p.result !== 'passed')).toEqual([]);
    expect(json[0]?.proof).toContainEqual(
      expect.objectContaining({ claim: 'the old value is refused once destroyed', host: 'web-2' }),
    );
    await untilTold('schedule', 'lost: is due and cannot be planned');
    expect(await untilTold('done', 'prod/mail-key')).toMatchObject({ by: 'schedule daily' });
  });

  test('starts nothing that is not due, nor while it is paused', async () => {
    expect(await rotate(example, ['schedule', 'pause', 'daily', '--reason', 'migration'])).toMatchObject({
      code: 0,
    });
    expect(await look(({ paused }) => paused)).toMatchObject({ looks: [], state: 'applied' });
    // A person may let it look all the same.
    await rotate(example, ['schedule', 'trigger', 'daily']);
    const { last } = await look(({ last: newest }) => newest?.outcome === 'nothing-started');
    expect(last?.started).toEqual([]);
    expect(await rotate(example, ['schedule', 'resume', 'daily'])).toMatchObject({ code: 0 });
    expect((await look(({ paused }) => !paused)).looks).not.toEqual([]);
    const due = await rotateJson<{ name: string }[]>(example, ['list', '--due']);
    expect([due.code, due.json.map(({ name }) => name)]).toEqual([1, ['lost']]);
  });
});

test('a vendor’s key is taken back, and the old one enabled again, when a host fails', async () => {
  const before = vendor.keys.map((key) => ({ ...key }));
  await harness.on('web-2', 'touch /etc/lab/fail-activation');
  try {
    const status = await harness.ended(await harness.startOf('mail-key'));
    expect(status, JSON.stringify(status)).toMatchObject({ state: 'rolled-back' });
  } finally {
    await harness.on('web-2', 'rm -f /etc/lab/fail-activation');
  }
  expect(vendor.keys).toEqual(before);
  expect(vendor.seen.some(({ line }) => line.startsWith('POST /v1/keys'))).toBe(true);
  for (const host of ['web-1', 'web-2'])
    expect(await harness.on(host, 'cat /run/agenix/mail-key')).toBe(
      (await contentOf(example, 'mail-key')).trim(),
    );
});

describe('a value that a person brings', () => {
  async function bring(value: string): Promise<string> {
    const { code, stdout, stderr } = await rotate(
      example,
      ['start', 'paste-key', '--value-stdin', '--yes', '--detach'],
      { input: `${value}\n` },
    );
    expect(code, stderr).toBe(0);
    return stdout.trim();
  }

  function valuesOfPaste(): string[] {
    return vendor.keys.filter(({ label }) => label.startsWith('paste')).map(({ value }) => value);
  }

  async function parked(id: string, type: string): Promise<RotationStatus> {
    return harness.waitFor(id, (s) => s.state === 'needs-attention' && s.reason?.type === type, {
      timeoutMs: 240_000,
      ...byMemo,
    });
  }

  test('is rotated in, and what only he can do is asked for and verified', async () => {
    const [old] = valuesOfPaste();
    const { value } = vendor.add('paste again');
    const id = await bring(value);
    const asked = await parked(id, 'NeedsPerson');
    expect(asked.reason?.hint).toContain('console.vendor.example, Keys: delete the older one');
    expect(await untilTold('needs-attention', id)).toMatchObject({ secrets: ['paste-key'] });
    for (const host of ['web-1', 'web-2'])
      expect(await harness.on(host, 'cat /run/agenix/paste-key')).toBe(value);

    // Said too early: what should be dead is alive, which it says, and looks again.
    expect(await rotate(example, ['confirm', id])).toMatchObject({ code: 0 });
    await expect
      .poll(async () => (await rotate(example, ['status', id, '--plain'])).stdout, { timeout: 60_000 })
      .toMatch(/tried again/);
    vendor.keys.splice(
      vendor.keys.findIndex((key) => key.value === old),
      1,
    );
    expect(await rotate(example, ['watch', id])).toMatchObject({ code: 0 });
    const status = await statusOf(example, id);
    expect(status.proof?.filter((p) => p.result !== 'passed')).toEqual([]);
    expect(status.proof).toContainEqual(
      expect.objectContaining({ claim: 'the old value is refused once destroyed', host: 'web-1' }),
    );
    expect(await contentOf(example, 'paste-key')).toBe(value);
  });

  test.each([
    ['too short', () => 'q7x9z', /too short: it has 5 characters/],
    ['the one in use', () => valuesOfPaste()[0] ?? '', /in use/],
  ])('is refused when it is %s, and not repeated', async (_, value, message) => {
    const id = await bring(value());
    const status = await harness.ended(id);
    expect(['refused', 'rolled-back']).toContain(status.state);
    expect(status.reason?.message).toMatch(message);
    expect(JSON.stringify(status)).not.toContain(value());
  });

  test('that the vendor does not accept is undone', async () => {
    const [inUse = ''] = valuesOfPaste();
    const wrong = `sk_test_of-nobody-${vendor.adminToken.slice(4, 20)}`;
    const status = await harness.ended(await bring(wrong));
    expect(status, JSON.stringify(status)).toMatchObject({ state: 'rolled-back' });
    expect(JSON.stringify(status)).not.toContain(wrong);
    expect(await contentOf(example, 'paste-key')).toBe(inUse);
    vendor.issued.push(wrong);
  });
});

describe('notifications', () => {
  test('are signed, of the published shape, and hold no value', async () => {
    expect(receiver.received.length).toBeGreaterThan(10);
    for (const received of receiver.received) {
      expect(received.headers['webhook-signature']).toBe(signatureOf(signingKey, received));
      expectNotification(received.body);
      for (const value of [...vendor.issued, vendor.adminToken]) expect(received.body).not.toContain(value);
    }
    const ids = receiver.received.map(({ headers }) => headers['webhook-id']);
    expect(new Set(ids).size).toBe(ids.length);
    for (const event of ['started', 'done', 'rolled-back', 'needs-attention', 'schedule'])
      expect(told(event), event).not.toEqual([]);
  });

  test('can be tried, and a channel that refuses is named', async () => {
    expect(await rotate(example, ['notify', 'test'])).toMatchObject({ code: 0, stdout: 'ops: delivered\n' });
    receiver.answer = (response) => void response.writeHead(403).end();
    const { code, json } = await rotateJson<{ failed: { channel: string; reason: { type: string } }[] }>(
      example,
      ['notify', 'test'],
    );
    expect([code, json.failed]).toMatchObject([1, [{ channel: 'ops', reason: { type: 'NotifyRefused' } }]]);
  });
});

test('nothing is left behind by all this', async () => {
  // The password of the database, which none of this touched, is the harness's own decoy.
  const needles = [...vendor.issued.entries()].map(([i, value]) => ({ name: `vendor value ${i}`, value }));
  await expectNothingLeft(
    harness,
    { since, sampler, before: { role: '', password: vendor.issued[0] ?? '' } },
    needles,
  );
});
