/** Opens a session: codec keys, then the connection. What the command line needs to know of either, it asks here. */
import { connect, type TemporalConnection } from './connection.js';
import { interrupted, type Session } from './session.js';

export interface OpenOptions {
  /** Codec key files, newest first; see dev-state.ts. */
  keyFiles: readonly string[];
  /** temporal.toml of `rotate dev`. */
  devConfig?: string;
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
}

export interface OpenedSession extends Session {
  close(): Promise<void>;
}

/** @throws RotateError BadConfig (keys, temporal.toml), TemporalUnreachable, NotAllowed */
export async function openSession(options: OpenOptions): Promise<OpenedSession> {
  const { loadCodecKeys } = await import('../codec/keyring.js');
  const codecKeys = await loadCodecKeys(options.keyFiles);
  const connecting = connect({
    codecKeys,
    env: options.env,
    ...(options.devConfig === undefined ? {} : { devConfig: options.devConfig }),
  });
  const connection = await unlessAborted(connecting, options.signal);
  return { connection, signal: options.signal, close: () => connection.close() };
}

/** Gives up waiting at once; a connection that comes later is closed. */
async function unlessAborted(
  connecting: Promise<TemporalConnection>,
  signal: AbortSignal,
): Promise<TemporalConnection> {
  let stop = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(interrupted(signal.reason));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([connecting, aborted]);
  } catch (error) {
    if (signal.aborted)
      connecting.then(
        (late) => late.close(),
        // That it failed as well is no news.
        () => {},
      );
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** The id of the key that seals. @throws RotateError BadConfig when the files cannot be used */
export async function codecKeyId(keyFiles: readonly string[]): Promise<string> {
  const { loadCodecKeys } = await import('../codec/keyring.js');
  return (await loadCodecKeys(keyFiles)).newest.id;
}
