/** `rotate schedule list`: what is declared, what the server has of it, when it looks next and what came of the last look. */
import type { ListedSchedule, Look } from '../../client/schedules.js';
import { rhythmWords } from '../../domain/schedule-words.js';
import { scheduleChanges } from '../../domain/schedule-diff.js';
import type { ScheduleSpec } from '../../domain/schedule.js';
import type { CommandSpec, Invocation } from '../command.js';
import { exitCodes, type ExitCode } from '../exit-codes.js';
import { checkEnvironment, configHere, inEnvironment } from '../schedules-here.js';

export const scheduleListCommand: CommandSpec = {
  name: 'schedule list',
  summary: 'list the schedules, with their next and last looks',
  description:
    'Schedules that rotate.yaml declares here or that the server has. A look finds out whether a secret is due and the window open; it starts what is due, and says why something is not started.',
  arguments: [],
  options: [],
  examples: [
    { command: 'rotate schedule list', does: 'all' },
    { command: 'rotate schedule list --env prod --json', does: 'those of one environment, for scripts' },
  ],
  run,
};

/** An entry of `rotate schedule list --json`. */
export interface ShownSchedule {
  environment: string;
  name: string;
  /** `undeclared`: the server has it and rotate.yaml does not; `not-applied`: the other way round. */
  state: 'applied' | 'changed' | 'not-applied' | 'undeclared';
  paused: boolean;
  note?: string;
  rhythm?: string;
  secrets?: readonly string[];
  /** When it looks next; none while it is paused. */
  looks: string[];
  /** Absent: it has never looked. */
  last?: Look;
}

async function run(invocation: Invocation): Promise<ExitCode> {
  const { options, screen } = invocation;
  const config = await configHere(invocation);
  const environment = options.text('env');
  const declared = inEnvironment(config.schedules, environment);
  const [{ withSession }, { listSchedules, readLook }] = await Promise.all([
    import('../open-session.js'),
    import('../../client/schedules.js'),
  ]);
  const shown = await withSession(invocation, async (session) => {
    const all = await listSchedules(session, declared);
    await checkEnvironment(config, all, environment);
    const applied = inEnvironment(all, environment);
    return Promise.all(
      scheduleChanges(declared, applied).map(async ({ environment: env, name, change }) => {
        const there = applied.find((s) => s.environment === env && s.name === name);
        const last = there?.last === undefined ? undefined : await readLook(session, there.last);
        const here = declared.find((s) => s.environment === env && s.name === name);
        return entry({ environment: env, name }, stateOf(change), here ?? there?.declared, there, last);
      }),
    );
  });
  if (screen.json) screen.object(shown);
  else if (shown.length === 0) screen.note('no schedules');
  else await print(invocation, shown);
  return exitCodes.done;
}

const states = { create: 'not-applied', update: 'changed', delete: 'undeclared', keep: 'applied' } as const;

function stateOf(change: keyof typeof states): ShownSchedule['state'] {
  return states[change];
}

function entry(
  named: { environment: string; name: string },
  state: ShownSchedule['state'],
  spec: ScheduleSpec | undefined,
  there: ListedSchedule | undefined,
  last: Look | undefined,
): ShownSchedule {
  return {
    ...named,
    state,
    paused: there?.paused ?? false,
    ...(there?.note === undefined ? {} : { note: there.note }),
    ...(spec === undefined ? {} : { rhythm: rhythmWords(spec), secrets: spec.secrets }),
    looks: there?.looks ?? [],
    ...(last === undefined ? {} : { last }),
  };
}

async function print({ screen }: Invocation, shown: readonly ShownSchedule[]): Promise<void> {
  const { table } = await import('../render/table.js');
  screen.data(
    table(
      ['SCHEDULE', 'STATE', 'RHYTHM', 'SECRETS', 'NEXT LOOK', 'LAST LOOK'],
      shown.map((s) => [
        `${s.environment}/${s.name}`,
        s.paused ? `paused${s.note === undefined ? '' : ` (${s.note})`}` : s.state,
        s.rhythm ?? '',
        (s.secrets ?? []).join(', '),
        brief(s.looks[0] ?? ''),
        s.last === undefined ? 'never' : lastWords(s.last),
      ]),
      screen.columns,
    ),
  );
  for (const { environment, name, last } of shown)
    for (const told of last?.told ?? []) screen.note(`${environment}/${name}: ${told}`);
  if (shown.some(({ state }) => state !== 'applied'))
    screen.hint('`rotate schedule apply` makes the server have what rotate.yaml declares');
}

function lastWords({ at, outcome, started = [] }: Look): string {
  const parts = started.map((part) => `${part.id} ${part.state ?? 'not started'}`);
  const word = outcome === 'forgotten' ? 'Temporal has forgotten it' : (outcome ?? 'no worker tells');
  return `${brief(at)}: ${parts.length === 0 ? word : parts.join(', ')}`;
}

function brief(time: string): string {
  return time.replace(/\.\d+Z$/, 'Z');
}
