/** A rotation as `rotate status ID` shows it, and several as a table. */
import type { RotationStatus } from '../../domain/status.js';
import { outcome, progressLines } from './progress.js';
import type { Paint } from './style.js';
import { table } from './table.js';
import { duration, wrap } from './text.js';

export interface StatusTextOptions {
  columns: number | undefined;
  now: number;
  paint: Paint;
}

export function statusText(status: RotationStatus, { columns, now, paint }: StatusTextOptions): string {
  const width = columns ?? 120;
  const lines = progressLines(status, { columns: width, now, paint });
  lines.push('', ...wrap(outcome(status), width));
  if (status.reason?.hint !== undefined)
    lines.push(...wrap(`hint: ${withId(status.reason.hint, status.id)}`, width));
  const text = lines.map((line) => `${line}\n`).join('');
  return status.proof === undefined || status.proof.length === 0
    ? text
    : `${text}\n${proofTable(status.proof, columns)}`;
}

function proofTable(proof: NonNullable<RotationStatus['proof']>, columns: number | undefined): string {
  return table(
    ['CLAIM', 'FROM', 'ENDPOINT', 'RESULT', 'EVIDENCE'],
    proof.map((p) => [p.claim, p.host ?? '', p.endpoint ?? '', p.result, p.evidence]),
    columns,
  );
}

/** Newest first. */
export function statusTable(rotations: readonly RotationStatus[], options: StatusTextOptions): string {
  return table(
    ['ID', 'ENVIRONMENT', 'SECRETS', 'STATE', 'STEP', 'AGE'],
    rotations.map((r) => [
      r.id,
      r.environment,
      r.secrets.join(','),
      r.state,
      r.steps.find((s) => s.state === 'running' || s.state === 'failed')?.name ?? '',
      duration(options.now - Date.parse(r.startedAt)),
    ]),
    options.columns,
  );
}

/** Hints come from code that does not know the id: `rotate skip ID HOST` becomes what can be typed. */
export function withId(hint: string, id: string): string {
  return hint
    .replaceAll(/(?<=rotate [a-z]+ )ID\b/g, id)
    .replaceAll(/`rotate (retry|rollback|abort)`/g, `\`rotate $1 ${id}\``);
}
