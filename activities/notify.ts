/** Who is told, and telling him: one attempt, to one channel. When it is tried again is the workflow's to say. */
import { ApplicationFailure } from '@temporalio/activity';
import { asRotateError, RotateError } from '../domain/failure.js';
import { wants } from '../domain/notification.js';
import type { NotifyActivities } from './api.js';
import { pulse } from './common.js';
import type { Services } from './ports.js';

export function notifyActivities({ notifiers }: Pick<Services, 'notifiers'>): NotifyActivities {
  return {
    async listChannels({ event, environment }) {
      const told = notifiers.filter((channel) => wants(channel, event, environment));
      return { channels: told.map(({ notifier }) => notifier.name) };
    },

    async deliver({ channel, notification }) {
      const found = notifiers.find(({ notifier }) => notifier.name === channel);
      if (found === undefined) {
        throw new RotateError('BadConfig', `worker.yaml has no channel \`${channel}\``, {
          hint: `channels are: ${notifiers.map(({ notifier }) => notifier.name).join(', ') || 'none'}`,
        });
      }
      try {
        await found.notifier.send(notification, pulse().signal);
      } catch (error) {
        throw withPause(error);
      }
    },
  };
}

/** A failure that asks for a pause, as Temporal is asked for one. Its details are as the failure converter writes them. */
function withPause(error: unknown): unknown {
  const own = asRotateError(error);
  const pause = own?.details?.['retryAfterMs'];
  if (own === undefined || !own.retryable || typeof pause !== 'number') return error;
  const { type, message, hint, details } = own;
  return ApplicationFailure.create({
    type,
    message,
    nonRetryable: false,
    details: [{ type, ...(hint === undefined ? {} : { hint }), details }],
    nextRetryDelay: pause,
  });
}
