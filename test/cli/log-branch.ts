/** A log branch with records in it. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { initialSteps } from '../../domain/progress.js';
import { formatRecord, type RotationRecord } from '../../repo/record.js';

/** Pushes the log branch to `remote.git` in `folder`, as the worker does. */
export function pushLog(folder: string, records: readonly RotationRecord[]): void {
  const clone = join(folder, 'worker');
  const git = (...args: string[]): string =>
    execFileSync('git', ['-C', clone, '-c', 'user.name=w', '-c', 'user.email=w@example.org', ...args], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
  execFileSync('git', ['init', '--quiet', '--initial-branch=rotate-log', clone], { stdio: 'pipe' });
  for (const each of records) {
    const file = join(clone, each.environment, `${each.id}.json`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, formatRecord(each));
  }
  git('add', '.');
  git('commit', '--quiet', '-m', 'log');
  git('push', '--quiet', join(folder, 'remote.git'), 'rotate-log');
}

export function record(
  id: string,
  environment: string,
  secret: string,
  more: Partial<RotationRecord>,
): RotationRecord {
  return {
    version: 1,
    id,
    environment,
    secrets: [secret],
    state: 'done',
    startedAt: '2026-11-20T12:00:00.123Z',
    endedAt: '2026-11-20T12:12:05.123Z',
    steps: initialSteps(),
    proof: [],
    by: 'alice@laptop',
    details: [{ name: secret, kind: 'postgres', file: `secrets/${environment}/${secret}.age` }],
    ...more,
  };
}
