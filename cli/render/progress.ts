/** Six steps x hosts: one line a host, in 40 columns or in 200. Pure: a status goes in, lines come out. */
import type { HostStatus, RotationStatus, StepStatus } from '../../domain/status.js';
import { isEndState, stepNames, type RotationState, type StepState } from '../../domain/steps.js';
import type { Paint, Style } from './style.js';
import { count, cut, duration, oneLine, pad } from './text.js';
import { displayWidth } from './width.js';

export interface ProgressOptions {
  columns: number;
  /** Lines to keep within; hosts that are through give way first. Default: no limit. */
  rows?: number;
  /** Milliseconds since the epoch. */
  now: number;
  paint: Paint;
}

const stepStyle: Readonly<Record<StepState, Style>> = {
  pending: 'dim',
  running: 'blue',
  done: 'green',
  failed: 'red',
  undone: 'yellow',
  skipped: 'dim',
};

const symbols: Readonly<Record<StepState, string>> = {
  pending: '·',
  running: '▸',
  done: '✓',
  failed: '✗',
  undone: '↶',
  skipped: '-',
};

const stateStyle: Readonly<Record<RotationState, Style>> = {
  running: 'blue',
  waiting: 'blue',
  'needs-attention': 'yellow',
  refused: 'red',
  done: 'green',
  'rolled-back': 'yellow',
  failed: 'red',
};

/** Width of a step's column with words, and with symbols. */
const wordCell = 9;
const symbolCell = 2;
/** Columns that messages of hosts need beside words. */
const messageRoom = 12;

interface Row {
  name: string;
  states: (StepState | undefined)[];
  message: string;
}

export function progressLines(status: RotationStatus, options: ProgressOptions): string[] {
  const { columns, paint } = options;
  const rows = [wholeRow(status), ...hostRows(status)];
  const longest = Math.max(...rows.map(({ name }) => displayWidth(name)));
  const words = columns >= Math.min(longest, 20) + 2 + stepNames.length * wordCell + messageRoom;
  const cell = words ? wordCell : symbolCell;
  const name = Math.max(1, Math.min(longest, columns - stepNames.length * cell - 2));
  const room = columns - name - 2 - stepNames.length * cell;
  const head =
    ' '.repeat(name + 2) + stepNames.map((step) => pad(words ? step : (step[0] ?? ''), cell)).join('');
  const shown = fit(rows, options.rows === undefined ? rows.length : options.rows - 3);
  const lines = [titleLine(status, options), paint('dim', head.trimEnd())];
  for (const row of shown.rows) lines.push(rowLine(row, { name, cell, words, room }, paint));
  if (shown.left !== '') lines.push(paint('dim', cut(shown.left, columns)));
  return lines;
}

function titleLine(status: RotationStatus, { columns, now, paint }: ProgressOptions): string {
  const took =
    (status.endedAt === undefined ? now : Date.parse(status.endedAt)) - Date.parse(status.startedAt);
  const what = oneLine(`${status.environment}/${status.secrets.join(',')}`);
  const rest = `${status.state}  ${duration(took)}`;
  const withId = `${rest}  ${status.id}`;
  const tail = columns >= what.length + 2 + withId.length ? withId : rest;
  const short = cut(what, Math.max(1, columns - tail.length - 2));
  const line = cut(`${short}  ${tail}`, columns);
  return line.replace(status.state, paint(stateStyle[status.state], status.state));
}

function wholeRow(status: RotationStatus): Row {
  return { name: 'rotation', states: status.steps.map((s) => s.state), message: '' };
}

function hostRows(status: RotationStatus): Row[] {
  const names = new Set(status.steps.flatMap((s) => s.hosts.map((h) => h.name)));
  return [...names].map((name) => {
    const cells = stepNames.map((step) =>
      hostCell(
        status.steps.find((s) => s.name === step),
        name,
      ),
    );
    const telling = cells.filter((cell) => cell?.state === 'running' || cell?.state === 'failed');
    return {
      name: oneLine(name),
      states: cells.map((cell) => cell?.state),
      message: oneLine(telling.at(-1)?.message ?? ''),
    };
  });
}

/** A host that was last heard of while its step still ran is where the step is. */
function hostCell(step: StepStatus | undefined, name: string): HostStatus | undefined {
  const host = step?.hosts.find((h) => h.name === name);
  if (host?.state !== 'running' || step === undefined || step.state === 'running') return host;
  return { name, state: step.state };
}

function rowLine(
  row: Row,
  widths: { name: number; cell: number; words: boolean; room: number },
  paint: Paint,
): string {
  const cells = row.states.map((state) => {
    if (state === undefined) return ' '.repeat(widths.cell);
    const text = widths.words && state !== 'pending' ? state : symbols[state];
    return paint(stepStyle[state], text) + ' '.repeat(widths.cell - displayWidth(text));
  });
  return `${pad(row.name, widths.name)}  ${cells.join('')}${cut(row.message, widths.room)}`.trimEnd();
}

/** Keeps what is going on or wrong; says how many others there are. */
function fit(rows: readonly Row[], room: number): { rows: readonly Row[]; left: string } {
  if (rows.length <= room) return { rows, left: '' };
  const [whole, ...hosts] = rows;
  const weight = (row: Row): number =>
    row.states.includes('failed') ? 0 : row.states.includes('running') ? 1 : isThrough(row) ? 3 : 2;
  const kept = hosts.toSorted((a, b) => weight(a) - weight(b)).slice(0, Math.max(0, room - 2));
  const left = hosts.length - kept.length;
  return {
    rows: [...(whole === undefined ? [] : [whole]), ...hosts.filter((row) => kept.includes(row))],
    left: `and ${count(left, 'host')} more (${hosts.filter(isThrough).length} of ${hosts.length} verified)`,
  };
}

function isThrough(row: Row): boolean {
  return row.states[stepNames.indexOf('verify')] === 'done';
}

/** The end of a rotation, or why it is parked, in a sentence. */
export function outcome(status: RotationStatus): string {
  const what = `${status.environment}/${status.secrets.join(', ')}`;
  const why = status.reason === undefined ? '' : `: ${status.reason.message}`;
  switch (status.state) {
    case 'done':
      return `${what} is rotated, and the old value is proven dead`;
    case 'rolled-back':
      return `rolled back, the old value of ${what} is valid and deployed${why}`;
    case 'refused':
      return `refused, nothing was changed${why}`;
    case 'failed':
      return `failed${why}`;
    case 'needs-attention':
      return `needs attention${why}`;
    default:
      return `${status.state}${isEndState(status.state) ? why : ''}`;
  }
}
