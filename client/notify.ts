/** A test for the channels of the worker. */
import { ulid } from 'ulid';

import { notifyId } from '../domain/ids.js';
import { makeNotification, notificationId } from '../domain/notification.js';
import { taskQueue, workflowTypes, type NotifyInput, type NotifyResult } from '../workflows/messages.js';
import { requireListening } from './listening.js';
import { call, type Session } from './session.js';

/** Each channel is tried once; by name. @throws RotateError NoWorker, TemporalUnreachable */
export async function sendTest(session: Session, environment: string, by: string): Promise<NotifyResult> {
  await requireListening(session);
  const notification = makeNotification({
    id: notificationId('test', ulid()),
    event: 'test',
    at: new Date().toISOString(),
    environment,
    secrets: [],
    by,
    text: `a test of rotate's notifications, sent by ${by}`,
  });
  const { delivered, failed } = await call(
    session,
    (client) =>
      client.workflow.execute<(input: NotifyInput) => Promise<NotifyResult>>(workflowTypes.notify, {
        workflowId: notifyId(notification.id),
        taskQueue,
        args: [{ notification, once: true }],
      }),
    { deadlineMs: 120_000 },
  );
  // They come in the order in which they were through.
  return {
    delivered: delivered.toSorted(),
    failed: failed.toSorted((a, b) => (a.channel < b.channel ? -1 : 1)),
  };
}
