/**
 * Writes what happened to the orphan branch `rotate-log`: one file a rotation,
 * `<env>/<ulid>.json`. It outlives Temporal's retention.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { RotateError } from '../domain/failure.js';
import type { Clone } from './clone.js';
import { commitFiles, oneLine } from './commit.js';
import { pushRefs } from './push.js';
import { formatRecord, parseRecord, type RotationRecord } from './record.js';
import { logBranch, refComponent } from './ref-name.js';

const races = 10;

/** Where a rotation's record is on the log branch. */
export function recordPath(environment: string, id: string): string {
  return `${refComponent(environment)}/${refComponent(id)}.json`;
}

/**
 * Writes a rotation's record. Written already, or overtaken by a later one of the same rotation: nothing is
 * done.
 * @param options.author who commits; the commit's date is the record's own
 * @throws RotateError GitUnreachable, GitAuthFailed, GitRefused; GitConflict when others are quicker time
 *   and again
 */
export async function writeRecord(
  clone: Clone,
  record: RotationRecord,
  options: { author: { name: string; email: string }; signal?: AbortSignal },
): Promise<{ result: 'written' | 'already' | 'overtaken'; commit: string }> {
  const signal = options.signal === undefined ? {} : { signal: options.signal };
  const path = recordPath(record.environment, record.id);
  const text = formatRecord(record);
  let why = '';
  for (let race = 0; race < races; race += 1) {
    if (race > 0) await sleep(Math.random() * 50 * 2 ** Math.min(race, 5), undefined, signal);
    await clone.fetch(options.signal);
    const base = await clone.tip(logBranch);
    if (base !== undefined) {
      const there = await clone.readBlob(base, path);
      const standing = there === undefined ? undefined : Buffer.from(there).toString('utf8');
      if (standing === text) return { result: 'already', commit: base };
      if (isLater(standing, record)) return { result: 'overtaken', commit: base };
    }
    const commit = await commitFiles(clone, {
      ...(base === undefined ? {} : { base }),
      files: { [path]: Buffer.from(text) },
      message: `${oneLine(`${record.state}: ${record.environment}/${record.secrets.join(', ')}`)}\n\nRotate-Record: ${record.id}\n`,
      author: { ...options.author, date: new Date(record.endedAt ?? record.startedAt) },
      ...signal,
    });
    // no lease: a branch that someone else has begun meanwhile shares no history and refuses it
    const outcome = await pushRefs(clone, [{ ref: `refs/heads/${logBranch}`, to: commit }], options.signal);
    if (outcome.result === 'pushed') return { result: 'written', commit };
    why = outcome.why;
  }
  throw new RotateError('GitConflict', `others write to ${logBranch} all the time: ${why}`, {
    hint: 'it is tried again; if it stays so, look for a lock file left at the remote',
  });
}

function isLater(standing: string | undefined, record: RotationRecord): boolean {
  const other = standing === undefined ? undefined : parseRecord(standing);
  if (other === undefined || typeof other === 'string') return false;
  return (other.endedAt ?? '') > (record.endedAt ?? '');
}
