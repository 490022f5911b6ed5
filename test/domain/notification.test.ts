import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import {
  channelEvents,
  makeNotification,
  notificationEvents,
  notificationId,
  notificationOf,
  rotationNotices,
  wants,
} from '../../domain/notification.js';
import { notifyId } from '../../domain/ids.js';
import { redactText } from '../../domain/redact-text.js';
import { rotationStates } from '../../domain/steps.js';
import { at, id, sample, statusOf } from '../notify/samples.js';
import { expectNotification, schema } from '../notify/schema.js';

test('a parked rotation is told with its reason, what to do, and the hosts that failed', () => {
  expect(sample).toEqual({
    version: 1,
    id: `${id}_needs-attention_3`,
    event: 'needs-attention',
    at,
    environment: 'prod',
    secrets: ['db-password'],
    rotation: id,
    state: 'needs-attention',
    reason: {
      type: 'HostUnreachable',
      message: 'web-2: no answer from 10.0.0.12:22',
      hint: `bring it back, then \`rotate retry ${id}\``,
    },
    by: 'alice@laptop',
    why: 'left the company',
    hosts: ['web-2'],
    text: `prod/db-password: rotation ${id} needs attention: web-2: no answer from 10.0.0.12:22 (HostUnreachable); bring it back, then \`rotate retry ${id}\``,
  });
  expectNotification(JSON.stringify(sample));
});

test('a start tells who asked and why, and many secrets are counted', () => {
  const status = statusOf({ state: 'running', secrets: ['a', 'b', 'c', 'd', 'e'], steps: [] });
  const made = notificationOf({ status, event: 'started', at, n: 0, by: 'alice@laptop', why: 'leaked' });
  expect(made.text).toBe(
    `prod/a, prod/b, prod/c and 2 more: rotation ${id} has started, asked for by alice@laptop (leaked)`,
  );
  expect(made).not.toHaveProperty('reason');
  expect(made).not.toHaveProperty('hosts');
});

test('a reason that was overcome is not told of a rotation that is done', () => {
  const made = notificationOf({ status: statusOf({ state: 'done' }), event: 'done', at, n: 4 });
  expect(made).not.toHaveProperty('reason');
  expect(made.text).toBe(`prod/db-password: rotation ${id} is done`);
});

test.each(rotationNotices)('%s has a line of its own', (event) => {
  const others = rotationNotices.filter((other) => other !== event);
  const textOf = (e: (typeof rotationNotices)[number]): string =>
    notificationOf({ status: statusOf(), event: e, at, n: 1 }).text;
  expect(others.map(textOf)).not.toContain(textOf(event));
});

describe('an id', () => {
  test('is the same for the same parts, and no other parts have it', () => {
    const parts = fc.tuple(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }));
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        expect(notificationId(...a) === notificationId(...b)).toBe(a.join('\0') === b.join('\0'));
      }),
    );
    expect(notificationId('a_b', 'c')).not.toBe(notificationId('a', 'b_c'));
  });

  test('is of characters that can stand in a header, without the full stop that the signature joins by', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' }), { minLength: 1 }), ([first = '', ...rest]) => {
        expect(notificationId(first, ...rest)).toMatch(/^[A-Za-z0-9%_-]*$/);
      }),
    );
    expect(notificationId('due-soon', 'prod', 'db.password', '2026-10-07')).toBe(
      'due-soon_prod_db%2Epassword_2026-10-07',
    );
  });

  test('stays short enough for the id of a workflow, however much it is about, and tells apart all the same', () => {
    const many = Array.from({ length: 60 }, (_, i) => `a name of some forty letters, number ${i}`);
    const ids = ['monday', 'tuesday'].map((mark) => notificationId('schedule', 'prod', ...many, mark));
    for (const long of ids) {
      expect(long).toMatch(/^schedule_[0-9a-f]{16}$/);
      expect(notifyId(long).length).toBeLessThanOrEqual(255);
    }
    expect(new Set(ids).size).toBe(2);
    expect(notificationId('schedule', 'prod', ...many, 'monday')).toBe(ids[0]);
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' }), { minLength: 1 }), ([first = '', ...rest]) => {
        expect(notifyId(notificationId(first.repeat(99), ...rest)).length).toBeLessThanOrEqual(255);
      }),
    );
  });
});

const credentials = [
  'AGE-SECRET-KEY-1QQPQLLL0',
  'postgresql://app_b:hunter2@db-1:5432/app',
  "PASSWORD 'hunter2'",
  'SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy',
];

test.each(credentials)('whoever wrote it, a text with %s is told without it', (credential) => {
  const made = makeNotification({
    ...notificationOf({
      status: statusOf({
        reason: { type: 'Internal', message: `m ${credential}`, hint: `h ${credential}` },
      }),
      event: 'failed',
      at,
      n: 1,
      by: `b ${credential}`,
      why: `w ${credential}`,
    }),
    links: [{ title: `t ${credential}`, url: `https://x.example/?q=${encodeURIComponent('x')}` }],
  });
  const told = JSON.stringify(made);
  expect(told).not.toMatch(/hunter2|QQPQLLL0|c3RvcmVk/);
  expect(redactText(made.text)).toBe(made.text);
  expectNotification(told);
});

test('a credential is not cut in half, which would hide it from the redaction', () => {
  const message = `${'x'.repeat(1_985)} AGE-SECRET-KEY-1QQPQLLL0`;
  const { reason } = notificationOf({
    status: statusOf({ reason: { type: 'Internal', message } }),
    event: 'failed',
    at,
    n: 1,
  });
  expect(reason?.message).toMatch(/x \[redacted\]$/);
});

test('whatever the messages are, the line is one line and everything is as the schema says', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.string({ minLength: 2_500, maxLength: 3_000 }),
  );
  const made = fc
    .record({
      event: fc.constantFrom(...rotationNotices),
      state: fc.constantFrom(...rotationStates),
      message: text,
      hint: fc.option(text, { nil: undefined }),
      by: fc.option(text, { nil: undefined }),
      secrets: fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9._-]{0,20}$/), { minLength: 1 }),
    })
    .map(({ event, state, message, hint, by, secrets }) =>
      notificationOf({
        status: statusOf({
          state,
          secrets,
          reason: { type: 'Internal', message, ...(hint === undefined ? {} : { hint }) },
        }),
        event,
        at,
        n: 1,
        ...(by === undefined ? {} : { by }),
      }),
    );
  fc.assert(
    fc.property(made, (notification) => {
      expect(notification.text).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
      expectNotification(JSON.stringify(notification));
    }),
  );
});

describe('a channel', () => {
  test('without a filter is told of everything', () => {
    for (const event of notificationEvents) expect(wants({}, event, 'prod')).toBe(true);
  });

  test.each([
    ['done', 'prod', false],
    ['failed', 'prod', true],
    ['failed', 'test', false],
    ['test', 'test', true],
  ] as const)('for failures in prod is told of %s in %s: %s', (event, environment, told) => {
    expect(wants({ events: ['failed'], environments: ['prod'] }, event, environment)).toBe(told);
  });

  test('cannot do without tests', () => {
    expect(channelEvents).not.toContain('test');
  });
});

test('the published schema knows every event and every state', () => {
  expect(schema.properties.event.enum).toEqual([...notificationEvents]);
  expect(schema.properties.state.enum.toSorted()).toEqual([...rotationStates].toSorted());
  expect(schema.allOf[0]?.if.properties.event.enum).toEqual([...rotationNotices]);
});

test('due-soon, schedule and test need no rotation', () => {
  for (const event of ['due-soon', 'schedule', 'test'] as const) {
    const made = makeNotification({
      id: notificationId(event, 'prod', '1'),
      event,
      at,
      environment: 'prod',
      secrets: [],
      text: 'hello',
    });
    expectNotification(JSON.stringify(made));
  }
});
