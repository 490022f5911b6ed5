/** One connection to the vendor, straight or through a host, with TLS where the URL says https. */
import { once } from 'node:events';
import { connect, isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { addressOf } from './base-url.js';
import type { RemoteHost } from '../../domain/remote.js';

/**
 * The server's certificate is always checked, for the name in the URL.
 * @param via the host that connects; absent: this machine
 * @throws Error what the network did; RotateError what the host has to say; the signal's reason
 */
export async function dial(url: URL, signal: AbortSignal, via: RemoteHost | undefined): Promise<Duplex> {
  signal.throwIfAborted();
  const secure = url.protocol === 'https:';
  const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port);
  const address = addressOf(url);
  const raw =
    via === undefined
      ? await straight(address, port, signal)
      : await unlessAborted(via.forward(address, port), signal);
  raw.on('error', ignore);
  if (!secure) return raw;
  const stream = connectTls({
    socket: raw,
    host: address,
    ...(isIP(address) === 0 ? { servername: address } : {}),
    ALPNProtocols: ['http/1.1'],
  });
  try {
    await once(stream, 'secureConnect', { signal });
  } catch (error) {
    stream.on('error', ignore).destroy();
    raw.destroy();
    throw error;
  }
  return stream.on('error', ignore);
}

async function straight(address: string, port: number, signal: AbortSignal): Promise<Duplex> {
  const socket = connect({ host: address, port });
  try {
    await once(socket, 'connect', { signal });
    return socket;
  } catch (error) {
    socket.on('error', ignore).destroy();
    throw error;
  }
}

/** A channel that comes after nobody waits for it any more is closed. */
async function unlessAborted(opening: Promise<Duplex>, signal: AbortSignal): Promise<Duplex> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(reasonOf(signal));
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([opening, promise]);
  } catch (error) {
    opening.then((stream) => stream.on('error', ignore).destroy(), ignore);
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('aborted');
}

/** Whoever uses the stream hears of its error; without a listener in between it would end the process. */
function ignore(): void {}
