/** Runs one command over a connection and says truthfully how it ended, or that this is not known. */
import { constants } from 'node:os';
import { setTimeout as setTimeoutPromise } from 'node:timers/promises';
import type { ClientChannel } from 'ssh2';
import { RotateError } from '../../domain/failure.js';
import type { RemoteResult } from '../../domain/remote.js';
import type { Connection } from './connection.js';
import { errorCode, lostConnection } from './failures.js';

/** Output past this many bytes (of each stream) is an error: nothing that is read here is that long. */
export const maxOutputBytes = 1024 * 1024;

export interface Execution {
  line: string;
  input?: Uint8Array;
  timeoutMs: number;
  signal?: AbortSignal;
}

/**
 * @throws RotateError HostUnreachable when it was not started; HostUnknownOutcome when the connection was lost
 *   after it had been sent; Timeout; Internal for more than {@link maxOutputBytes}. When `signal` aborts: its reason.
 */
export async function execute(connection: Connection, execution: Execution): Promise<RemoteResult> {
  const { name } = connection.host;
  execution.signal?.throwIfAborted();
  let channel: ClientChannel | undefined;
  let givenUp = false;
  let stop: (error: unknown) => void = () => undefined;
  const stopped = new Promise<never>((_, reject) => {
    stop = reject;
  });
  const timer = setTimeout(
    () =>
      stop(
        new RotateError(
          'Timeout',
          `a command on ${name} did not end within ${execution.timeoutMs / 1000} s`,
          {
            host: name,
            hint: 'it may still be running there',
          },
        ),
      ),
    execution.timeoutMs,
  );
  const aborted = () => stop(execution.signal?.reason);
  execution.signal?.addEventListener('abort', aborted, { once: true });
  const forget = connection.onLost(() => stop(lostConnection(name, connection.lastError)));
  try {
    const opening = openChannel(
      connection,
      execution.line,
      (opened) => {
        channel = opened;
        const result = collect(connection, opened, execution.input, stop);
        // A channel that opens after we have given up must not stay open.
        if (givenUp) abandon(opened);
        return { result };
      },
      () => givenUp,
    );
    const running = opening.then(({ result }) => result);
    // Told by `stopped` when that comes first.
    running.catch(() => undefined);
    return await Promise.race([running, stopped]);
  } catch (error) {
    givenUp = true;
    if (channel !== undefined) abandon(channel);
    throw error;
  } finally {
    clearTimeout(timer);
    execution.signal?.removeEventListener('abort', aborted);
    forget();
  }
}

async function openChannel<T>(
  connection: Connection,
  line: string,
  attach: (channel: ClientChannel) => T,
  givenUp: () => boolean,
): Promise<T> {
  const { name } = connection.host;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await connection.exec(line, attach);
    } catch (error) {
      if (!connection.alive) throw lostConnection(name, error);
      // A channel that was not opened has run nothing. sshd counts a session that has just ended for a moment more.
      if (errorCode(error) === undefined)
        throw new RotateError('HostUnreachable', `${name} refused to run a command`, {
          hint: `see what sshd on ${name} logs: \`journalctl -u sshd\``,
          host: name,
          cause: error,
        });
      if (attempt === 20 || givenUp())
        throw new RotateError('HostBusy', `${name} opens no more sessions on this connection`, {
          host: name,
          hint: 'raise MaxSessions in its sshd_config, at least to 10',
          cause: error,
        });
      await setTimeoutPromise(50);
      if (givenUp()) throw lostConnection(name, error);
    }
  }
}

function collect(
  connection: Connection,
  channel: ClientChannel,
  input: Uint8Array | undefined,
  stop: (error: unknown) => void,
): Promise<RemoteResult> {
  const { name } = connection.host;
  const out = gather(() => stop(tooLong(name)));
  const err = gather(() => stop(tooLong(name)));
  let code: number | undefined;
  channel.on('data', out.add);
  channel.stderr.on('data', err.add);
  // A program that ends without reading its input is no error of the connection.
  channel.on('error', () => undefined);
  channel.on('exit', (exit: number | null, signal?: string) => {
    code = exit ?? (signal === undefined ? undefined : 128 + signalNumber(signal));
  });
  const result = new Promise<RemoteResult>((resolve, reject) => {
    channel.on('close', () => {
      if (code === undefined) reject(lostConnection(name, connection.lastError));
      else resolve({ code, stdout: out.text(), stderr: err.text() });
    });
  });
  channel.end(input === undefined ? undefined : Buffer.from(input));
  return result;
}

function gather(tooMuch: () => void): { add: (chunk: Buffer) => void; text: () => string } {
  const chunks: Buffer[] = [];
  let length = 0;
  return {
    add: (chunk) => {
      length += chunk.length;
      if (length > maxOutputBytes) tooMuch();
      else chunks.push(chunk);
    },
    text: () => Buffer.concat(chunks).toString('utf8'),
  };
}

function tooLong(host: string): RotateError {
  return new RotateError('Internal', `a command on ${host} printed more than ${maxOutputBytes} bytes`, {
    host,
  });
}

/** Ends the program as far as sshd lets us, then the channel. */
function abandon(channel: ClientChannel): void {
  channel.on('error', () => undefined);
  try {
    channel.signal('TERM');
  } catch {
    // The connection is gone, and the channel with it.
  }
  channel.destroy();
}

/** SSH sends `KILL` or `SIGKILL`. */
function signalNumber(signal: string): number {
  const name = signal.startsWith('SIG') ? signal : `SIG${signal}`;
  const known = Object.entries(constants.signals).find(([key]) => key === name);
  return known?.[1] ?? 0;
}
