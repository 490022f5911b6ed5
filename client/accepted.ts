/** Whether anything listens at an address: answered sooner, and with a better reason, than Temporal's client does. */
import { connect as connectTo } from 'node:net';

import { systemReason } from '../domain/system-error.js';

/** What an address without a port means. */
const defaultPort = 7233;

/** Whether `text` is `host` or `host:port`, an IPv6 address in brackets. */
export function isAddress(text: string): boolean {
  if (/[\s/?#@]/.test(text) || !URL.canParse(`tcp://${text}`)) return false;
  return new URL(`tcp://${text}`).hostname !== '';
}

/**
 * Ends when a server accepts a connection.
 * @param address see {@link isAddress}
 */
export function accepted(address: string, signal: AbortSignal): Promise<void> {
  const { hostname, port } = new URL(`tcp://${address}`);
  return new Promise((resolve, reject) => {
    const socket = connectTo({
      // IPv6 stands in brackets there.
      host: hostname.replaceAll(/^\[|\]$/g, ''),
      port: port === '' ? defaultPort : Number(port),
      signal,
    });
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', reject);
  });
}

/** Why nothing accepts a connection, by what {@link accepted} threw. */
export function whyNotAccepted(error: unknown): string {
  return error instanceof Error && ['AbortError', 'TimeoutError'].includes(error.name)
    ? 'no answer'
    : systemReason(error);
}
