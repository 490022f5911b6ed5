/** A secret explained, as a person reads it. */
import type {
  ExplainedByWorker,
  ExplainedFormat,
  ExplainedRotation,
  Explanation,
} from '../explain/explanation.js';
import type { Paint } from './style.js';
import { duration, oneLine, pad, wrap } from './text.js';

export interface ExplanationTextOptions {
  /** Width to wrap at; undefined: 100. */
  columns: number | undefined;
  paint: Paint;
  /** Milliseconds since the epoch. */
  now: number;
}

type Row = readonly [label: string, text: string];

const labelWidth = 10;

export function explanationText(told: Explanation, options: ExplanationTextOptions): string {
  const { paint, now } = options;
  const title = paint('bold', oneLine(`${told.environment}/${told.name}`));
  return [
    `${title}\n${lines([['', told.about]], options)}`,
    section('what', whatRows(told), options),
    section('where', whereRows(told), options),
    section('rotated', bullets(told.rotation.words), options),
    section('killed', bullets(told.kill.words), options),
    section('when', whenRows(told), options),
    section(
      'history',
      told.history.length === 0
        ? [['', 'never rotated, as far as the log branch says']]
        : told.history.map((each) => rotationRow(each, now)),
      options,
    ),
    section('commands', commandRows(told), options),
  ].join('\n');
}

export function workerText(told: ExplainedByWorker, options: ExplanationTextOptions): string {
  const { now } = options;
  return section(
    'a worker says',
    [
      ['at commit', told.commit.slice(0, 12)],
      ...(told.account === undefined ? [] : [['in use', told.account] as const]),
      ...many('holder', told.holders, 'no host installs the file'),
      ...many('recipient', told.recipients, 'nobody can open the file'),
      ...many('note', told.notes),
      ...many(
        'under way',
        told.underWay.map(
          ({ id, state, startedAt }) => `${id} ${state}, begun ${ago(startedAt, now)}: rotate watch ${id}`,
        ),
        'no rotation of it',
      ),
    ],
    options,
  );
}

function whatRows(told: Explanation): Row[] {
  const shared = told.sharesFileWith.length === 0 ? '' : `; shared with ${told.sharesFileWith.join(', ')}`;
  return [
    ['kind', told.kind],
    ['file', `${told.file}, ${told.store}${shared}`],
    ['format', sayFormat(told.format)],
    ...(told.tags.length === 0 ? [] : [['tags', told.tags.join(', ')] as const]),
    ...(told.after.length === 0
      ? []
      : [['after', `${told.after.join(', ')}, which is rotated first`] as const]),
    ...(told.before.length === 0 ? [] : [['before', `${told.before.join(', ')}, rotated after it`] as const]),
    ['policy', told.policy.name],
  ];
}

function sayFormat({ type, variable, path, template, list }: ExplainedFormat): string {
  const place = {
    raw: 'the whole file',
    env: `variable ${variable ?? ''} of an environment file`,
    json: `${sayPath(path)} of a JSON document`,
    yaml: `${sayPath(path)} of a YAML document`,
  }[type];
  return [
    place,
    ...(template === undefined ? [] : [`as ${template}`]),
    ...(list ? ['a list: the value in use first'] : []),
  ].join('; ');
}

function sayPath(path: readonly (string | number)[] = []): string {
  return path.join('.');
}

function whereRows(told: Explanation): Row[] {
  return [
    ...told.consumers.map(
      ({ name, units }) =>
        [
          name,
          units
            .map(({ unit, action }) => (action === 'none' ? `${unit} (left alone)` : `${action} ${unit}`))
            .join(', '),
        ] as const,
    ),
    ...(told.consumers.length === 0 ? [['', 'no consumer is named in rotate.yaml'] as const] : []),
    ...many('endpoint', told.endpoints),
    ...many('probe', told.probes),
  ];
}

function whenRows({ schedules, maxAgeMs, age }: Explanation): Row[] {
  const limit =
    maxAgeMs === undefined
      ? []
      : [['max age', `${duration(maxAgeMs)}${age === undefined ? '' : `; ${sayAge(age)}`}`] as const];
  const planned = schedules.flatMap(({ name, rhythm, why }): Row[] => [
    ['schedule', `${name}: ${rhythm}`],
    ['', why],
  ]);
  return planned.length === 0
    ? [['', 'no schedule rotates it: a person does'], ...limit]
    : [...planned, ...limit];
}

function sayAge(age: NonNullable<Explanation['age']>): string {
  switch (age.state) {
    case 'never':
      return 'never rotated, so nobody knows how old it is';
    case 'overdue':
      return `overdue since ${day(age.dueAt)}`;
    default:
      return `to be rotated by ${day(age.dueAt)}${age.state === 'due-soon' ? ', which is soon' : ''}`;
  }
}

function rotationRow({ id, state, startedAt, by, why, reason }: ExplainedRotation, now: number): Row {
  const because = [why, reason?.message].filter((text) => text !== undefined).join('; ');
  return [id, `${state}, begun ${ago(startedAt, now)} by ${by}${because === '' ? '' : `: ${because}`}`];
}

function commandRows({ commands }: Explanation): Row[] {
  return commands.map(({ command, does }) => [command, does]);
}

function ago(time: string, now: number): string {
  return `${day(time)}, ${duration(now - Date.parse(time))} ago,`;
}

function day(time: string): string {
  return time.slice(0, 10);
}

/** One row each; the label stands before the first. */
function many(label: string, texts: readonly string[], none?: string): Row[] {
  const shown = texts.length === 0 && none !== undefined ? [none] : texts;
  return shown.map((text, i) => [i === 0 ? label : '', text]);
}

function bullets(texts: readonly string[]): Row[] {
  return texts.map((text) => ['', `- ${text}`]);
}

function section(title: string, rows: readonly Row[], options: ExplanationTextOptions): string {
  return `${options.paint('bold', title)}\n${lines(rows, options)}`;
}

/** Labels in a column of their own, where there are any. */
function lines(rows: readonly Row[], { columns }: ExplanationTextOptions): string {
  const width = Math.min(columns ?? 100, 100);
  const labelled = rows.some(([label]) => label !== '');
  const room = labelled ? Math.max(labelWidth, ...rows.map(([label]) => label.length)) + 2 : 0;
  return rows
    .flatMap(([label, text]) => {
      const hanging = text.startsWith('- ') ? '  ' : '';
      const [first = '', ...rest] = wrap(oneLine(text), Math.max(20, width - 2 - room - hanging.length));
      return [
        `  ${pad(label, room)}${first}`,
        ...rest.map((line) => `  ${' '.repeat(room)}${hanging}${line}`),
      ];
    })
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}
