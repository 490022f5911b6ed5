/** One row a host, one column a step: for terminals that are wide enough. */
import { stepNames, type StepName, type StepState } from '../../domain/steps.js';
import type { Cell, HostRow } from './host-rows.js';
import type { Layout } from './progress-layout.js';
import { spanLine, type Span } from './spans.js';
import type { Paint, Style } from './style.js';
import { cut, fold, shortDuration } from './text.js';
import { displayWidth } from './width.js';

export const stepStyle: Readonly<Record<StepState, Style>> = {
  pending: 'dim',
  running: 'blue',
  done: 'green',
  failed: 'red',
  undone: 'yellow',
  skipped: 'dim',
};

const gap = 2;
/** Room for `running`, and for `running 59m59s`: columns that grow with the time would jump. */
const wordCell = 7;
const timeCell = 14;
/** Columns that messages of hosts need beside the steps, and that are too much for a name. */
const messageRoom = 12;
const longestName = 32;

const whole = 'rotation';

export interface TableInput {
  steps: Readonly<Record<StepName, Cell | undefined>>;
  rows: readonly HostRow[];
  columns: number;
  paint: Paint;
}

/** With times in the cells, or with a row of times; undefined where not even that fits. */
export function tableLayout(input: TableInput): Layout | undefined {
  return layoutWith(input, true) ?? layoutWith(input, false);
}

function layoutWith({ steps, rows, columns, paint }: TableInput, times: boolean): Layout | undefined {
  const cellText = (cell: Cell | undefined): string => textOf(cell, times);
  const widths = stepNames.map((step) =>
    Math.max(times ? timeCell : wordCell, step.length, displayWidth(cellText(steps[step]))),
  );
  const timeTexts = stepNames.map((step) => withAttempts(timeText(steps[step]), steps[step]));
  if (!times)
    for (const [i, text] of timeTexts.entries()) widths[i] = Math.max(widths[i] ?? 0, displayWidth(text));
  const longest = Math.max(whole.length, ...rows.map(({ name }) => displayWidth(name)));
  const name = Math.min(longest, longestName);
  const table = name + gap + widths.reduce((sum, width) => sum + width + gap, 0);
  if (table + messageRoom > columns) return undefined;

  const line = (title: string, cells: readonly Span[], message = ''): string =>
    spanLine(
      [
        { text: padded(cut(title, name), name) },
        ...cells.flatMap((cell, i) => [
          cell,
          { text: ' '.repeat(gap + (widths[i] ?? 0) - displayWidth(cell.text)) },
        ]),
        { text: message },
      ],
      columns,
      paint,
    );
  const painted = (cell: Cell | undefined): Span =>
    cell === undefined ? { text: '' } : { text: cellText(cell), style: stepStyle[cell.state] };
  const header = spanLine(
    [
      {
        text: line(
          '',
          stepNames.map((text) => ({ text })),
        ),
        style: 'dim',
      },
    ],
    columns,
    paint,
  );
  const rotation = line(
    whole,
    stepNames.map((step) => painted(steps[step])),
  );
  const time = line(
    'time',
    timeTexts.map((text) => ({ text, style: 'dim' as const })),
  );
  const full = times ? [header, rotation] : [header, rotation, time];
  const cellsOf = (row: HostRow): Span[] => stepNames.map((step) => painted(row.cells[step]));
  const messageOf = (row: HostRow): string => {
    const took = times || row.message === '' ? '' : timeText(row.cells[row.step]);
    return [took, row.message].filter((text) => text !== '').join(' ');
  };
  return {
    steps:
      times || timeTexts.every((text) => text === '') ? [[header, rotation]] : [full, [header, rotation]],
    short: (row) => line(row.name, cellsOf(row), messageOf(row)),
    long: (row) =>
      table + displayWidth(messageOf(row)) <= columns
        ? [line(row.name, cellsOf(row), messageOf(row))]
        : [line(row.name, cellsOf(row)), ...fold(messageOf(row), columns, '  ')],
  };
}

function textOf(cell: Cell | undefined, times: boolean): string {
  if (cell === undefined) return '';
  if (cell.state === 'pending') return '·';
  return times
    ? withAttempts([cell.state, timeText(cell)].filter((text) => text !== '').join(' '), cell)
    : cell.state;
}

function timeText(cell: Cell | undefined): string {
  return cell?.took === undefined ? '' : shortDuration(cell.took);
}

function withAttempts(text: string, cell: Cell | undefined): string {
  return cell?.attempts === undefined ? text : `${text} ×${cell.attempts}`;
}

function padded(text: string, width: number): string {
  return text + ' '.repeat(gap + width - displayWidth(text));
}
