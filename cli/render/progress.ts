/**
 * Six steps x hosts, in 40 columns or in 200, in as many lines as there are. Pure: a status goes in, lines come out.
 * No line is wider than the terminal, and there are no more of them than it has.
 */
import type { RotationStatus } from '../../domain/status.js';
import { hostRows, standings, stepCells, type HostRow, type Standing } from './host-rows.js';
import { footForms, type FootOptions } from './progress-foot.js';
import { headLines } from './progress-head.js';
import type { Layout } from './progress-layout.js';
import { listLayout } from './progress-list.js';
import { tableLayout } from './progress-table.js';
import { atMost, count, cut } from './text.js';

export interface ProgressOptions extends FootOptions {
  /** Lines to keep within; what is over gives way first. Default: no limit. */
  rows?: number;
}

/** A fuller head, or form of the steps, is only worth its lines while so many hosts are left beside it. */
const worthShowing = 5;
/** Lines of a host's message where the height is limited. */
const messageLines = 3;

export function progressLines(status: RotationStatus, options: ProgressOptions): string[] {
  const { columns, now, paint, rows: height = Number.POSITIVE_INFINITY } = options;
  const rows = hostRows(status, now);
  const input = { steps: stepCells(status, now), rows, columns, paint };
  const foot = fitting(footForms(status, options), height, status.state === 'needs-attention');
  const left = height - foot.length;
  const heads = headLines(status, options);
  const table = tableLayout(input);
  const held = table === undefined ? undefined : pick(aboveForms(heads, table.steps, []), left, rows.length);
  // Columns need their heading.
  const layout = held === undefined || table === undefined ? listLayout(input) : table;
  // A table holds together by itself.
  const gap = layout === table ? [] : [''];
  const above = held ?? pick(aboveForms(heads, layout.steps, gap), left, rows.length) ?? heads.at(-1) ?? [];
  const room = left - above.length;
  const all = rows.length > room ? undefined : longLines(rows, layout, height);
  if (all === undefined || all.length > room)
    return [...above, ...shortLines(rows, layout, room, options), ...foot].slice(0, Math.max(0, height));
  const lines = [...above, ...(all.length > 0 ? gap : []), ...all, ...(foot.length > 0 ? [''] : []), ...foot];
  return lines.length <= height ? lines : [...above, ...all, ...foot];
}

/** Head and steps together, the fullest form first. */
function aboveForms(
  heads: readonly string[][],
  steps: readonly string[][],
  gap: readonly string[],
): string[][] {
  const [head = [], title = []] = heads;
  const [full = [], ...shorter] = steps;
  return [
    [...head, ...gap, ...full],
    [...head, ...full],
    ...shorter.map((form) => [...head, ...form]),
    ...steps.slice(-1).map((form) => [...title, ...form]),
  ];
}

/** The first form that leaves room for hosts. */
function pick(forms: readonly string[][], height: number, hosts: number): string[] | undefined {
  const wanted = Math.min(hosts, worthShowing);
  return forms.find((form) => form.length + wanted <= height);
}

/** What a person has to type is worth more than the hosts, which he can ask for again. */
function fitting([full = [], terse = full]: readonly string[][], height: number, person: boolean): string[] {
  const most = Math.max(1, Math.floor(height / (person ? 2 : 3)));
  if (full.length <= most) return full;
  return atMost(terse, person ? Math.max(1, height - 2) : most);
}

/** With all that they say, as far as it is read before it changes. */
function longLines(rows: readonly HostRow[], layout: Layout, height: number): string[] {
  if (height === Number.POSITIVE_INFINITY) return rows.flatMap((row) => layout.long(row));
  return rows.flatMap((row) => atMost(layout.long(row), 1 + messageLines));
}

/** A line each, or a line for those that matter and how many others there are. */
function shortLines(
  rows: readonly HostRow[],
  layout: Layout,
  room: number,
  { columns, paint }: ProgressOptions,
): string[] {
  if (rows.length <= room) return rows.map((row) => layout.short(row));
  if (room <= 0) return [];
  const urgent = rows.toSorted((a, b) => standings.indexOf(a.standing) - standings.indexOf(b.standing));
  // Few that failed may say why; of many it matters which.
  const failed = rows.filter(({ standing }) => standing === 'failed').length;
  const lines: string[] = [];
  let shown = 0;
  for (const row of urgent) {
    const [first = '', why, ...more] =
      failed * 4 <= room && row.standing === 'failed' ? layout.long(row) : [layout.short(row)];
    const entry = why === undefined ? [first] : [first, more.length === 0 ? why : cut(`${why} …`, columns)];
    if (lines.length + entry.length >= room) break;
    lines.push(...entry);
    shown += 1;
  }
  return [...lines, paint('dim', cut(countWords(urgent.slice(shown), shown), columns))];
}

const standingWords: Readonly<Record<Standing, string>> = {
  failed: 'failed',
  running: 'running',
  waiting: 'waiting',
  undone: 'undone',
  skipped: 'not reached',
  done: 'verified',
};

function countWords(rows: readonly HostRow[], shown: number): string {
  const groups = standings.flatMap((standing) => {
    const n = rows.filter((row) => row.standing === standing).length;
    return n === 0 ? [] : [`${n} ${standingWords[standing]}`];
  });
  return `${shown === 0 ? '' : 'and '}${count(rows.length, 'host')}${shown === 0 ? '' : ' more'}: ${groups.join(', ')}`;
}
