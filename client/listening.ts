/** Says within seconds that no worker listens, before something is asked that only a worker can answer. */
import { taskQueue } from '../workflows/messages.js';
import { call, type Session } from './session.js';
import { requireWorker } from './worker-alive.js';

/** @throws RotateError NoWorker, WrongKey, TemporalUnreachable */
export async function requireListening(session: Session): Promise<void> {
  await call(session, (client) => requireWorker(client, { taskQueue }), { deadlineMs: 10_000 });
}
