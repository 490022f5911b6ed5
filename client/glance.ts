/**
 * What is known of a secret where the fleet is run: the plan of its rotation and whether one is under way. For
 * commands that can do without: soon or not at all.
 */
import type { PlanRequest } from '../activities/api.js';
import { RotateError, asRotateError } from '../domain/failure.js';
import type { DigestedPlan } from '../domain/plan.js';
import type { RotationStatus } from '../domain/status.js';
import { accepted, whyNotAccepted } from './accepted.js';
import { resolveEndpoint } from './endpoint.js';
import { requestPlan } from './inspect.js';
import { listRotations } from './list-rotations.js';
import { requireListening } from './listening.js';
import { openSession, type OpenOptions } from './open.js';

/** Milliseconds. */
export interface Patience {
  /** Once for the server to accept a connection, once for a worker behind it to say that it listens. */
  reachMs: number;
  /** For the answer of a worker that listens: it fetches, and evaluates the fleet. */
  planMs: number;
}

export interface Glance {
  plan: DigestedPlan;
  /** Newest first. */
  underWay: RotationStatus[];
}

/**
 * Loading Temporal's client takes longer than most servers take to answer: it is loaded once a server has accepted a
 * connection, and that time does not count.
 * @throws RotateError TemporalUnreachable, NoWorker, Timeout when the time is over; Interrupted by the person only
 */
export async function glance(
  options: OpenOptions,
  request: PlanRequest,
  patience: Patience,
): Promise<Glance> {
  const { address } = await resolveEndpoint(options);
  const within = (ms: number): AbortSignal => AbortSignal.any([options.signal, AbortSignal.timeout(ms)]);
  await accepted(address, within(patience.reachMs)).catch((error: unknown) => {
    throw new RotateError(
      'TemporalUnreachable',
      `cannot reach Temporal at ${address}: ${whyNotAccepted(error)}`,
      { cause: error },
    );
  });
  await Promise.all([import('@temporalio/client'), import('../codec/data-converter.js')]);
  const silent = `cannot reach Temporal at ${address}: it accepts a connection, and does not answer`;
  const session = await inTime(options, 'TemporalUnreachable', silent, () =>
    openSession({ ...options, signal: within(patience.reachMs) }),
  );
  try {
    await inTime(options, 'NoWorker', 'no worker answered', () => requireListening(session));
    const answering = { ...session, signal: within(patience.planMs) };
    const [plan, { rotations }] = await inTime(options, 'Timeout', 'the worker is slow to answer', () =>
      Promise.all([requestPlan(answering, request), listRotations(answering, { open: true })]),
    );
    const isOfIt = ({ environment, secrets }: RotationStatus): boolean =>
      environment === plan.plan.environment && secrets.some((name) => request.secrets.includes(name));
    return { plan, underWay: rotations.filter(isOfIt) };
  } finally {
    await session.close();
  }
}

/** A session ends with `Interrupted` for whatever reason; only the person's own is one. */
async function inTime<T>(
  { signal }: OpenOptions,
  type: 'TemporalUnreachable' | 'NoWorker' | 'Timeout',
  message: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (signal.aborted || asRotateError(error)?.type !== 'Interrupted') throw error;
    throw new RotateError(type, message, { cause: error });
  }
}
