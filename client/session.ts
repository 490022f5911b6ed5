/**
 * One command's conversation with Temporal: every call can be interrupted, has a
 * deadline, and fails as a RotateError that says what to do.
 */
import type { Client } from '@temporalio/client';

import { RotateError, asRotateError } from '../domain/failure.js';
import type { TemporalConnection } from './connection.js';
import { grpcCodeOf, grpcCodes } from './grpc-codes.js';

export interface Session {
  readonly connection: TemporalConnection;
  /** Aborted when the person has had enough. */
  readonly signal: AbortSignal;
}

export interface CallOptions {
  /** Milliseconds; default 10,000. */
  deadlineMs?: number;
  /** What was looked for, for "there is no …"; e.g. `rotation 01J…`. */
  what?: string;
}

const defaultDeadlineMs = 10_000;

/**
 * Runs `work` with the session's client.
 * @throws RotateError Interrupted, TemporalUnreachable, NotAllowed, UnknownRotation, or what the far side says
 */
export async function call<T>(
  session: Session,
  work: (client: Client) => Promise<T>,
  options: CallOptions = {},
): Promise<T> {
  const { connection, signal } = session;
  const { client } = connection;
  if (signal.aborted) throw interrupted(signal.reason);
  try {
    return await client.withDeadline(Date.now() + (options.deadlineMs ?? defaultDeadlineMs), () =>
      client.withAbortSignal(signal, () => work(client)),
    );
  } catch (error) {
    throw await translate(session, error, options);
  }
}

/** What a failed call means; see {@link call}. */
async function translate(session: Session, error: unknown, options: CallOptions): Promise<RotateError> {
  if (session.signal.aborted) return interrupted(error);
  const own = asRotateError(error);
  if (own !== undefined) return own;
  const { address } = session.connection.endpoint;
  const code = grpcCodeOf(error);
  if (
    code === grpcCodes.notFound ||
    hasName(error, 'WorkflowNotFoundError') ||
    hasName(error, 'ScheduleNotFoundError')
  )
    return new RotateError('UnknownRotation', `there is no ${options.what ?? 'such rotation'}`, {
      hint: '`rotate status` lists the rotations',
      cause: error,
    });
  if (code === grpcCodes.permissionDenied || code === grpcCodes.unauthenticated)
    return new RotateError('NotAllowed', `Temporal at ${address} refuses our credentials`, {
      hint: 'check the API key or client certificate (TEMPORAL_API_KEY, TEMPORAL_TLS_*, temporal.toml)',
      cause: error,
    });
  if (code === grpcCodes.unavailable || code === grpcCodes.deadlineExceeded || code === grpcCodes.cancelled)
    return new RotateError('TemporalUnreachable', `Temporal at ${address} does not answer`, {
      hint: 'rotations go on by themselves once it is back; `rotate doctor` says what is wrong',
      cause: error,
    });
  const { toRotateError } = await import('../codec/read-failure.js');
  return toRotateError(error);
}

export function interrupted(cause: unknown): RotateError {
  return new RotateError('Interrupted', 'interrupted', { cause });
}

/** By name, as the SDK's classes are not imported for their weight. */
export function hasName(error: unknown, name: string): boolean {
  for (let e: unknown = error; e instanceof Error; e = e.cause) if (e.name === name) return true;
  return false;
}
