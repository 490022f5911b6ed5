/** The log branch in the person's own clone; says quietly when it may be out of date. */
import type { History, HistoryQuery } from '../repo/log-reader.js';
import type { RotationRecord } from '../repo/record.js';
import type { RotationStatus } from '../domain/status.js';
import { RotateError } from '../domain/failure.js';
import type { Invocation } from './command.js';
import type { Context } from './context.js';
import { interruptedBy } from './interrupted.js';
import type { Workspace } from './workspace.js';

export interface OpenedLog {
  /**
   * Newest first. Empty where the folder is no git repo: rotate.yaml alone is enough for many commands.
   * @throws RotateError Interrupted
   */
  records(): Promise<RotationRecord[]>;
  /** Nobody will ask. */
  giveUp(): void;
}

/** Lets git look, without waiting for it. Nothing is said before the records are asked for. */
export function openLog(
  { context, screen }: Pick<Invocation, 'context' | 'screen'>,
  workspace: Workspace,
  query: Pick<HistoryQuery, 'environment' | 'secret' | 'limit' | 'offline'>,
): OpenedLog {
  const nobody = new AbortController();
  const signal = AbortSignal.any([context.signal, nobody.signal]);
  const reading = readHistoryOf(context, workspace, { ...query, signal });
  // It may fail before anybody asks.
  reading.catch(() => {});
  return {
    async records() {
      try {
        const history = await reading;
        if (history.stale !== undefined) screen.note(`the log may be out of date: ${history.stale.message}`);
        for (const { path, message } of history.unreadable) screen.note(`rotate-log: ${path}: ${message}`);
        return history.records;
      } catch (error) {
        if (context.signal.aborted) throw interruptedBy(error);
        if (!(error instanceof RotateError)) throw error;
        screen.note(`no history: ${error.message}`);
        return [];
      }
    },
    giveUp: () => nobody.abort(),
  };
}

/** Without git where that is enough. @throws RotateError as readHistory of repo/log-reader.ts */
export async function readHistoryOf(
  context: Pick<Context, 'env'>,
  { root }: Workspace,
  query: HistoryQuery,
): Promise<History> {
  const { plainLogTip } = await import('../repo/plain-clone.js');
  const plain = plainLogTip(root, context.env);
  if (plain === undefined) {
    const [{ discoverRemote }, { readHistory }] = await Promise.all([
      import('../repo/discover.js'),
      import('../repo/log-reader.js'),
    ]);
    return readHistory(root, { ...query, remote: discoverRemote(root) });
  }
  if (plain.tip === undefined) return { records: [], source: 'none', unreadable: [] };
  // A commit's records never change. A few of many are not worth an entry of their own.
  const cache =
    query.secret === undefined && query.limit === undefined
      ? (await import('./cache.js')).openCache<History>('log', root, context.env)
      : undefined;
  const key = JSON.stringify([plain.tip, query.environment]);
  const kept = cache?.read(key);
  if (kept !== undefined) return kept;
  const { historyAt } = await import('../repo/log-reader.js');
  const history = await historyAt(root, plain.tip, query);
  cache?.write(key, history);
  return history;
}

/** {@link openLog}, and its records. */
export async function readLog(...to: Parameters<typeof openLog>): Promise<RotationRecord[]> {
  return openLog(...to).records();
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
