/** The log branch in the person's own clone; says quietly when it may be out of date. */
import type { HistoryQuery } from '../repo/log-reader.js';
import type { RotationRecord } from '../repo/record.js';
import type { RotationStatus } from '../domain/status.js';
import { RotateError } from '../domain/failure.js';
import type { Invocation } from './command.js';
import { interruptedBy } from './interrupted.js';
import type { Workspace } from './workspace.js';

/**
 * Records, newest first. Empty where the folder is no git repo: rotate.yaml alone is enough for many commands.
 * @throws RotateError Interrupted
 */
export async function readLog(
  { context, screen }: Pick<Invocation, 'context' | 'screen'>,
  workspace: Workspace,
  query: Pick<HistoryQuery, 'environment' | 'secret' | 'limit' | 'offline'>,
): Promise<RotationRecord[]> {
  const [{ discoverRemote }, { readHistory }] = await Promise.all([
    import('../repo/discover.js'),
    import('../repo/log-reader.js'),
  ]);
  try {
    const remote = await discoverRemote(workspace.root);
    const history = await readHistory(workspace.root, { ...query, remote, signal: context.signal });
    if (history.stale !== undefined) screen.note(`the log may be out of date: ${history.stale.message}`);
    for (const { path, message } of history.unreadable) screen.note(`rotate-log: ${path}: ${message}`);
    return history.records;
  } catch (error) {
    if (context.signal.aborted) throw interruptedBy(error);
    if (!(error instanceof RotateError)) throw error;
    screen.note(`no history: ${error.message}`);
    return [];
  }
}

/** Only what a status has. */
export function statusOfRecord(record: RotationRecord): RotationStatus {
  const { id, environment, secrets, state, reason, by, startedAt, endedAt, steps, proof } = record;
  return {
    id,
    environment,
    secrets,
    state,
    ...(reason === undefined ? {} : { reason }),
    by,
    startedAt,
    ...(endedAt === undefined ? {} : { endedAt }),
    steps,
    ...(proof === undefined ? {} : { proof }),
  };
}
