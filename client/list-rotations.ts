/** The rotations that Temporal still knows, from their memos: works without a worker. */
import { RotateError } from '../domain/failure.js';
import type { RotationStatus } from '../domain/status.js';
import { refOf, rotationsQuery } from './find-rotation.js';
import { brokenOff, endedBy, memoStatus } from './memo-status.js';
import { call, type Session } from './session.js';

export interface RotationList {
  /** Newest first. */
  rotations: RotationStatus[];
  /** Ids of those whose memo cannot be read with our codec keys. */
  unreadable: string[];
}

/** @throws RotateError TemporalUnreachable, NotAllowed */
export async function listRotations(
  session: Session,
  options: { environment?: string; /** Only those that have not ended. */ open?: true } = {},
): Promise<RotationList> {
  const rotations = new Map<string, RotationStatus>();
  const unreadable = new Set<string>();
  const query = options.open === true ? `${rotationsQuery} AND ExecutionStatus = 'Running'` : rotationsQuery;
  await call(
    session,
    async () => {
      for await (const info of session.connection.lister.workflow.list({ query })) {
        const ref = refOf(info.workflowId);
        if (ref === undefined) continue;
        if (options.environment !== undefined && ref.environment !== options.environment) continue;
        const status = memoStatus(info);
        if (status === undefined) {
          unreadable.add(ref.id);
          continue;
        }
        const reason = brokenOff(info);
        rotations.set(ref.id, reason === undefined ? status : endedBy(status, reason, info.closeTime));
      }
    },
    { deadlineMs: 30_000 },
  );
  const newestFirst = [...rotations.values()].toSorted((a, b) => (a.id < b.id ? 1 : -1));
  return { rotations: newestFirst, unreadable: [...unreadable] };
}

/** @throws RotateError WrongKey when nothing at all could be read */
export function requireReadable(list: RotationList): void {
  if (list.rotations.length > 0 || list.unreadable.length === 0) return;
  throw new RotateError('WrongKey', 'the rotations are sealed with a codec key that we do not have', {
    hint: 'give the codec key of the worker: --codec-key FILE or ROTATE_CODEC_KEY_FILE',
  });
}
