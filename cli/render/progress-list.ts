/** A line a step and an entry a host: for terminals that are too narrow for a table. */
import { stepNames, type StepName } from '../../domain/steps.js';
import type { Cell, HostRow } from './host-rows.js';
import type { Layout } from './progress-layout.js';
import { stepStyle, type TableInput } from './progress-table.js';
import { spanLine, type Span } from './spans.js';
import { duration, fold, pad, shortDuration } from './text.js';
import { displayWidth } from './width.js';

/** Of the longest, `generate running 59m59s`. */
const placeWidth = 23;
const longestName = 24;
/** Columns that a message needs beside the place. */
const messageRoom = 12;

export function listLayout({ steps, rows, columns, paint }: TableInput): Layout {
  const line = (spans: readonly Span[]): string => spanLine(spans, columns, paint);
  const longest = Math.max(1, ...rows.map(({ name }) => displayWidth(name)));
  const name = Math.max(1, Math.min(longest, longestName, columns - placeWidth - 2));
  const beside = columns - name - 2 - placeWidth - 2;
  const entry = (row: HostRow): Span[] => [
    { text: pad(row.name, name) },
    { text: `  ${row.step} ` },
    ...placeOf(row),
  ];
  const inOne = (row: HostRow): string => line([...entry(row), { text: `  ${row.message}` }]);
  return {
    steps: [stepNames.map((step) => line(stepSpans(step, steps[step]))), [line(underWay(steps))]],
    short: inOne,
    long: (row) => {
      const needed = beside >= messageRoom ? displayWidth(row.message) <= beside : row.message === '';
      return needed ? [inOne(row)] : [line(entry(row)), ...fold(row.message, columns, '  ')];
    },
  };
}

function placeOf(row: HostRow): Span[] {
  const cell = row.cells[row.step];
  if (cell === undefined) return [];
  const time = cell.took === undefined ? '' : ` ${shortDuration(cell.took)}`;
  return [{ text: cell.state, style: stepStyle[cell.state] }, { text: time }];
}

function stepSpans(step: StepName, cell: Cell | undefined): Span[] {
  if (cell === undefined) return [];
  const time = cell.took === undefined ? '' : `  ${duration(cell.took)}`;
  const attempts = cell.attempts === undefined ? '' : `, attempt ${cell.attempts}`;
  return [
    { text: pad(step, 10) },
    { text: cell.state, style: stepStyle[cell.state] },
    { text: `${' '.repeat(Math.max(0, 7 - cell.state.length))}${time}${attempts}` },
  ];
}

/** Where there is one line for all of them: what is neither over nor to come, else the last that is over. */
function underWay(steps: TableInput['steps']): Span[] {
  const begun = stepNames.filter((step) => !['pending', 'skipped'].includes(steps[step]?.state ?? 'pending'));
  const open = begun.filter((step) => steps[step]?.state !== 'done');
  const shown = open.length > 0 ? open : begun.slice(-1);
  return shown.flatMap((step, i) => {
    const cell = steps[step];
    if (cell === undefined) return [];
    const time = cell.took === undefined ? '' : ` ${shortDuration(cell.took)}`;
    const attempts = cell.attempts === undefined ? '' : ` ×${cell.attempts}`;
    return [
      { text: `${i === 0 ? '' : ', '}${step} ` },
      { text: cell.state, style: stepStyle[cell.state] },
      { text: `${time}${attempts}` },
    ];
  });
}
