/** Which secrets, where it stands, since when, and who asked. */
import type { RotationStatus } from '../../domain/status.js';
import type { RotationState } from '../../domain/steps.js';
import { isUndoing } from './host-rows.js';
import { spanLine, type Span } from './spans.js';
import type { Paint, Style } from './style.js';
import { cut, duration, oneLine } from './text.js';
import { displayWidth } from './width.js';

const stateStyle: Readonly<Record<RotationState, Style>> = {
  running: 'blue',
  waiting: 'blue',
  'needs-attention': 'yellow',
  refused: 'red',
  done: 'green',
  'rolled-back': 'yellow',
  failed: 'red',
};

export interface HeadOptions {
  columns: number;
  /** Milliseconds since the epoch. */
  now: number;
  paint: Paint;
}

/** The fullest form first: one to three lines, and the first of them alone. */
export function headLines(status: RotationStatus, options: HeadOptions): string[][] {
  const { columns, paint } = options;
  const { id } = status;
  const by = status.by === undefined ? undefined : oneLine(status.by);
  const title = titleSpans(status, options);
  const short = spanLine(title, columns, paint);
  const asked = by === undefined ? '' : `asked for by ${by}`;
  const rest = [id, asked].filter((text) => text !== '').join('  ');
  const sum = title.reduce((width, { text }) => width + displayWidth(text), 0);
  if (sum + 2 + displayWidth(rest) <= columns)
    return [[spanLine([...title, { text: `  ${rest}` }], columns, paint)], [short]];
  const below = displayWidth(rest) <= columns ? [rest] : [id, asked].filter((text) => text !== '');
  return [[short, ...below.map((line) => cut(line, columns))], [short]];
}

/** The names give way: they are what the person has typed. */
function titleSpans(status: RotationStatus, { columns, now }: HeadOptions): Span[] {
  const label = isUndoing(status) ? `${status.state}, undoing` : status.state;
  const end = status.endedAt === undefined ? now : Date.parse(status.endedAt);
  const took = duration(end - Date.parse(status.startedAt));
  const room = columns - displayWidth(label) - displayWidth(took) - 4;
  return [
    { text: cut(secretNames(status, room), Math.max(1, room)), style: 'bold' },
    { text: '  ' },
    { text: label, style: stateStyle[status.state] },
    { text: `  ${took}` },
  ];
}

/** As many names as fit, and how many there are besides. @param width columns; default: all of them */
export function secretNames(
  { environment, secrets }: Pick<RotationStatus, 'environment' | 'secrets'>,
  width = Number.POSITIVE_INFINITY,
): string {
  const names = secrets.map((name, i) => oneLine(i === 0 ? `${environment}/${name}` : name));
  for (let shown = names.length; shown > 1; shown -= 1) {
    const text = andMore(names, shown);
    if (displayWidth(text) <= width) return text;
  }
  return andMore(names, 1);
}

function andMore(names: readonly string[], shown: number): string {
  const more = names.length - shown;
  return `${names.slice(0, shown).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
