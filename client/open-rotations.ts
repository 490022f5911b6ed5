/** The rotations under way, for completion: at once or not at all. */
import { accepted } from './accepted.js';
import { resolveEndpoint } from './endpoint.js';
import { listRotations, type RotationList } from './list-rotations.js';
import { openSession, type OpenOptions } from './open.js';

/**
 * Loading Temporal's client takes longer than most servers take to answer; it is loaded once the server has accepted
 * a connection, and the time that takes is ours, not the server's.
 * @param withinMs milliseconds that the server has, once to accept a connection and once to answer
 * @throws RotateError, also Interrupted when the time is over
 */
export async function listOpenRotations(
  options: OpenOptions,
  withinMs: number,
  environment: string | undefined,
): Promise<RotationList> {
  const endpoint = await resolveEndpoint(options);
  await accepted(endpoint.address, AbortSignal.any([options.signal, AbortSignal.timeout(withinMs)]));
  await Promise.all([import('@temporalio/client'), import('../codec/data-converter.js')]);
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(withinMs)]);
  const session = await openSession({ ...options, signal });
  try {
    return await listRotations(session, {
      open: true,
      ...(environment === undefined ? {} : { environment }),
    });
  } finally {
    await session.close();
  }
}
