/** The rotations that Temporal still knows, from their memos: works without a worker. */
import type { WorkflowExecutionInfo } from '@temporalio/client';

import { RotateError } from '../domain/failure.js';
import type { RotationStatus } from '../domain/status.js';
import { brokenOff, endedBy, memoStatus } from './memo-status.js';
import { refOf, rotationsQuery } from './rotation-ref.js';
import { call, type Session } from './session.js';

export interface RotationList {
  /** Newest first. */
  rotations: RotationStatus[];
  /** Ids of those whose memo cannot be read with our codec keys. */
  unreadable: string[];
}

/** Of what Temporal says of a workflow, what is needed. */
export interface ListedWorkflow extends Pick<WorkflowExecutionInfo, 'workflowId' | 'memo' | 'closeTime'> {
  status: Pick<WorkflowExecutionInfo['status'], 'name'>;
}

/** @throws RotateError TemporalUnreachable, NotAllowed */
export async function listRotations(
  session: Session,
  options: { environment?: string; /** Only those that have not ended. */ open?: true } = {},
): Promise<RotationList> {
  const query = options.open === true ? `${rotationsQuery} AND ExecutionStatus = 'Running'` : rotationsQuery;
  const found: ListedWorkflow[] = [];
  await call(
    session,
    async () => {
      for await (const info of session.connection.lister.workflow.list({ query })) found.push(info);
    },
    { deadlineMs: 30_000 },
  );
  return collectRotations(found, options);
}

/** Of several runs of one rotation, the last that is told. */
export function collectRotations(
  found: readonly ListedWorkflow[],
  { environment }: { environment?: string },
): RotationList {
  const rotations = new Map<string, RotationStatus>();
  const unreadable = new Set<string>();
  for (const info of found) {
    const ref = refOf(info.workflowId);
    if (ref === undefined) continue;
    if (environment !== undefined && ref.environment !== environment) continue;
    const status = memoStatus(info);
    if (status === undefined) {
      unreadable.add(ref.id);
      continue;
    }
    const reason = brokenOff(info);
    rotations.set(ref.id, reason === undefined ? status : endedBy(status, reason, info.closeTime));
  }
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
