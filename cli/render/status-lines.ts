/** A status for a screen reader: one line a fact, each complete in itself. */
import type { RotationStatus } from '../../domain/status.js';
import { isEndState, stepNames } from '../../domain/steps.js';
import { hostRows, isUndoing, stepCells, type Cell } from './host-rows.js';
import { secretNames } from './progress-head.js';
import { duration, oneLine } from './text.js';
import { commands, outcome, waitingWords, withId, type WordsOptions } from './waiting-words.js';

export function statusLines(status: RotationStatus, options: WordsOptions): string[] {
  const { now } = options;
  const steps = stepCells(status, now);
  const rows = hostRows(status, now);
  const lines = [
    `rotation ${status.id} of ${secretNames(status)}: ${status.state}${isUndoing(status) ? ', undoing' : ''}`,
    `started ${status.startedAt}${status.by === undefined ? '' : `, asked for by ${status.by}`}`,
    ...(status.endedAt === undefined ? [] : [`ended ${status.endedAt}`]),
    ...stepNames.flatMap((step) => [
      `${step}: ${cellWords(steps[step])}`,
      ...rows.flatMap(({ name, cells, message, step: at }) =>
        cells[step] === undefined
          ? []
          : [
              `${step} on ${name}: ${cellWords(cells[step])}${at === step && message !== '' ? `: ${message}` : ''}`,
            ],
      ),
    ]),
    ...waitingWords(status, options),
  ];
  if (isEndState(status.state) || status.state === 'needs-attention') lines.push(outcome(status));
  if (status.reason?.hint !== undefined) lines.push(`hint: ${withId(status.reason.hint, status.id)}`);
  for (const { command, does } of commands(status)) lines.push(`type: ${command} (${does})`);
  for (const { claim, host, endpoint, result, evidence } of status.proof ?? [])
    lines.push(
      `proof: ${claim}${host === undefined ? '' : `, from ${host}`}${endpoint === undefined ? '' : `, at ${endpoint}`}: ${result}: ${evidence}`,
    );
  return lines.map(oneLine);
}

function cellWords(cell: Cell | undefined): string {
  if (cell === undefined) return 'unknown';
  const { state, took, attempts } = cell;
  const time = took === undefined ? '' : `${state === 'running' ? ' for' : ' after'} ${duration(took)}`;
  return `${state}${time}${attempts === undefined ? '' : `, attempt ${attempts}`}`;
}
