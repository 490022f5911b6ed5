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

/** `host` or `host:port` in its parts; an IPv6 address stays in brackets. @param address see {@link isAddress} */
export function partsOf(address: string): { host: string; port: number } {
  const { hostname, port } = new URL(`tcp://${address}`);
  return { host: hostname, port: port === '' ? defaultPort : Number(port) };
}

/**
 * Ends when a server accepts a connection.
 * @param address see {@link isAddress}
 */
export function accepted(address: string, signal: AbortSignal): Promise<void> {
  const { host, port } = partsOf(address);
  return new Promise((resolve, reject) => {
    const socket = connectTo({ host: host.replaceAll(/^\[|\]$/g, ''), port, signal });
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
