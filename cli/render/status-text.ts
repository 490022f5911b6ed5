/** A rotation as `rotate status ID` shows it, and several as a table. */
import type { RotationStatus } from '../../domain/status.js';
import { progressLines } from './progress.js';
import { statusLines } from './status-lines.js';
import type { Paint } from './style.js';
import { table } from './table.js';
import { duration } from './text.js';
import type { WordsOptions } from './waiting-words.js';

export interface StatusTextOptions extends Pick<WordsOptions, 'retries'> {
  /** Of the terminal; undefined: as wide as needed. */
  columns: number | undefined;
  /** Of the terminal, which the progress keeps within; undefined: every host is shown. */
  rows?: number | undefined;
  now: number;
  paint: Paint;
  /** One line a fact, for screen readers. */
  plain?: boolean;
}

export function statusText(status: RotationStatus, options: StatusTextOptions): string {
  const { columns, rows, plain = false, ...rest } = options;
  if (plain) return asText(statusLines(status, rest));
  const width = columns ?? Number.POSITIVE_INFINITY;
  // The last line is for the prompt.
  const height = rows === undefined ? {} : { rows: rows - 1 };
  const text = asText(progressLines(status, { ...rest, ...height, columns: width }));
  return status.proof === undefined || status.proof.length === 0
    ? text
    : `${text}\n${proofTable(status.proof, columns)}`;
}

function asText(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
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
