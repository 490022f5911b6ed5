import { ApplicationFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { describe, expect, test } from 'vitest';

import { notifyActivities } from '../../activities/notify.js';
import type { Channel } from '../../activities/ports.js';
import { readDetails, toTemporalFailure } from '../../codec/failure-converter.js';
import { RotateError } from '../../domain/failure.js';
import type { Notification } from '../../domain/notification.js';
import { sample } from './samples.js';

/** A channel that keeps what it is sent, or fails with `error`. */
function channel(name: string, filter: Omit<Channel, 'notifier'> = {}, error?: Error) {
  const sent: Notification[] = [];
  return {
    ...filter,
    sent,
    notifier: {
      name,
      async send(notification: Notification) {
        if (error !== undefined) throw error;
        sent.push(notification);
      },
    },
  };
}

const run = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });

async function deliver(notifiers: Channel[], to: string): Promise<void> {
  const activities = notifyActivities({ notifiers });
  await run.run(() => activities.deliver({ channel: to, notification: sample }));
}

test('channels are those that want to be told, in their order', async () => {
  const { listChannels } = notifyActivities({
    notifiers: [
      channel('z'),
      channel('failures', { events: ['failed'] }),
      channel('lab', { environments: ['lab'] }),
      channel('a'),
    ],
  });
  expect(await listChannels({ event: 'done', environment: 'prod' })).toEqual({ channels: ['z', 'a'] });
  expect(await listChannels({ event: 'failed', environment: 'lab' })).toEqual({
    channels: ['z', 'failures', 'lab', 'a'],
  });
});

test('one channel is delivered to, and no other', async () => {
  const [a, b] = [channel('a'), channel('b')];
  await deliver([a, b], 'b');
  expect([a.sent, b.sent]).toEqual([[], [sample]]);
});

test('a channel that is gone is final, and the others are named', async () => {
  await expect(deliver([channel('a'), channel('b')], 'c')).rejects.toMatchObject({
    type: 'BadConfig',
    message: 'worker.yaml has no channel `c`',
    hint: 'channels are: a, b',
    retryable: false,
  });
});

describe('a failure', () => {
  async function failureOf(error: Error): Promise<unknown> {
    return deliver([channel('a', {}, error)], 'a').then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
  }

  test('that asks for a pause asks Temporal for it, and stays what it is', async () => {
    const details = { channel: 'a', status: 429, retryAfterMs: 120_000 };
    const thrown = await failureOf(new RotateError('NotifyUnreachable', 'later', { hint: 'wait', details }));
    // as the interceptor hands it to the SDK
    const failure = toTemporalFailure(thrown);
    if (!(failure instanceof ApplicationFailure)) throw new Error('it is something else');
    expect(failure).toMatchObject({
      type: 'NotifyUnreachable',
      message: 'later',
      nonRetryable: false,
      nextRetryDelay: 120_000,
    });
    expect(readDetails(failure)).toEqual({ type: 'NotifyUnreachable', hint: 'wait', details });
  });

  test.each([
    new RotateError('NotifyUnreachable', 'down', { details: { channel: 'a' } }),
    new RotateError('NotifyRefused', 'no', { details: { retryAfterMs: 5 } }),
    new TypeError('a mistake of ours'),
  ])('that asks for none is thrown as it is: %s', async (error) => {
    expect(await failureOf(error)).toBe(error);
  });
});
