/** Opens a session: codec keys, then the connection. What the command line needs to know of either, it asks here. */
import { connect } from './connection.js';
import type { Session } from './session.js';

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
  options.signal.throwIfAborted();
  const connection = await connect({
    codecKeys,
    env: options.env,
    ...(options.devConfig === undefined ? {} : { devConfig: options.devConfig }),
  });
  return { connection, signal: options.signal, close: () => connection.close() };
}

/** The id of the key that seals. @throws RotateError BadConfig when the files cannot be used */
export async function codecKeyId(keyFiles: readonly string[]): Promise<string> {
  const { loadCodecKeys } = await import('../codec/keyring.js');
  return (await loadCodecKeys(keyFiles)).newest.id;
}
