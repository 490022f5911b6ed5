/**
 * Tells people of one thing, on every channel that wants it. A workflow of its own, which whoever has something to tell
 * starts and forgets: no receiver that is slow or away can hold up a rotation.
 */
import { log } from '@temporalio/workflow';
import { notifying } from './budgets.js';
import type { NotifyInput, NotifyResult } from './messages.js';
import { reasonOf } from './reason.js';

/** What was not delivered in a day (`once`: at the first try) is given up, and logged. */
export async function notify({ notification, once }: NotifyInput): Promise<NotifyResult> {
  const { event, environment } = notification;
  const { channels } = await notifying(false).listChannels({ event, environment });
  const result: NotifyResult = { delivered: [], failed: [] };
  await Promise.all(
    channels.map(async (channel) => {
      try {
        await notifying(once === true).deliver({ channel, notification });
        result.delivered.push(channel);
      } catch (error) {
        const reason = reasonOf(error);
        result.failed.push({ channel, reason });
        log.error('a notification was not delivered', { channel, event, reason: reason.message });
      }
    }),
  );
  return result;
}
