/**
 * Tells people of one thing, on every channel that wants it. A workflow of its own, which whoever has something to tell
 * starts and forgets: no receiver that is slow or away can hold up a rotation.
 */
import { log } from '@temporalio/workflow';
import type { Notification } from '../domain/notification.js';
import { notifying } from './budgets.js';
import { reasonOf } from './reason.js';

/** @returns channels by what became of them; what was not delivered in a day is given up and logged */
export async function notify(notification: Notification): Promise<{ delivered: string[]; failed: string[] }> {
  const { event, environment } = notification;
  const { channels } = await notifying().listChannels({ event, environment });
  const delivered: string[] = [];
  const failed: string[] = [];
  await Promise.all(
    channels.map(async (channel) => {
      try {
        await notifying().deliver({ channel, notification });
        delivered.push(channel);
      } catch (error) {
        failed.push(channel);
        log.error('a notification was not delivered', { channel, event, reason: reasonOf(error).message });
      }
    }),
  );
  return { delivered: delivered.sort(), failed: failed.sort() };
}
