/**
 * The interface of a channel: something that takes notifications to people. There is
 * one file for each type of channel; which ones there are is said in worker.yaml.
 */
import type { Notification } from '../domain/notification.js';

export interface Notifier {
  /** The channel's name in worker.yaml. */
  readonly name: string;
  /**
   * One attempt; returns when the receiver has accepted it. The same notification may be sent again: the receiver
   * knows it by its id.
   * @throws RotateError `NotifyUnreachable`, which may go away (network, overload). `details.retryAfterMs` is how long
   *   the receiver asks to be left alone, where it says so
   * @throws RotateError `NotifyRefused`, which stays until a person acts
   * @throws the reason of `signal` when that is aborted first
   */
  send(notification: Notification, signal: AbortSignal): Promise<void>;
}
