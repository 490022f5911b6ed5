/** `rotate schedule apply`: makes the server have the schedules that rotate.yaml declares. */
import { RotateError } from '../../domain/failure.js';
import { agesChanges, scheduleChanges, type ScheduleChange } from '../../domain/schedule-diff.js';
import type { ConfigSpec } from '../../domain/spec.js';
import type { CommandSpec, Invocation } from '../command.js';
import { exitCodes, type ExitCode } from '../exit-codes.js';
import { count, oneLine } from '../render/text.js';
import { checkEnvironment, configHere, inEnvironment } from '../schedules-here.js';

export const scheduleApplyCommand: CommandSpec = {
  name: 'schedule apply',
  group: 'rotations that start by themselves',
  summary: 'make the schedules of rotate.yaml those of the server',
  description:
    'Compares the schedules that rotate.yaml declares here with those of the server, shows the difference, asks, and applies it. A schedule that nobody declares any more is deleted. What a schedule starts is always decided by rotate.yaml on the main branch.',
  arguments: [],
  options: [
    { flags: '-y, --yes', description: 'do not ask; needed without a terminal' },
    { flags: '--dry-run', description: 'only show the difference; exit code 1 when there is one' },
  ],
  examples: [
    { command: 'rotate schedule apply', does: 'show the difference, ask, apply' },
    { command: 'rotate schedule apply --dry-run', does: 'in CI: is the server as the repo says?' },
  ],
  run,
};

/** An entry of `rotate schedule apply --json`. */
export interface ShownChange extends Omit<ScheduleChange, 'name' | 'declared'> {
  /** Absent: the daily look at age limits, which is no schedule of rotate.yaml. */
  name?: string;
}

async function run(invocation: Invocation): Promise<ExitCode> {
  const { context, options, screen } = invocation;
  const dryRun = options.flag('dry-run');
  const ask = !options.flag('yes') && !dryRun;
  if (ask && !(context.stdin.isTTY && context.stderr.isTTY))
    throw new RotateError('Usage', 'without a terminal to ask on, --yes is needed', {
      hint: 'look with --dry-run, then add --yes',
    });
  const config = await configHere(invocation);
  const environment = options.text('env');
  const [{ withSession }, { applyAges, applyChange, listAges, listSchedules }] = await Promise.all([
    import('../open-session.js'),
    import('../../client/schedules.js'),
  ]);
  return withSession(invocation, async (session) => {
    const applied = await listSchedules(session, config.schedules);
    await checkEnvironment(config, applied, environment);
    const schedules = scheduleChanges(
      inEnvironment(config.schedules, environment),
      inEnvironment(applied, environment),
    );
    const limits = withAgeLimits(config);
    const ages = inEnvironment(agesChanges(limits, await listAges(session, limits)), environment);
    const changes = [...schedules.map(shown), ...ages];
    const different = changes.filter(({ change }) => change !== 'keep').length;
    show(invocation, changes, ask);
    if (different > 0 && ask && !(await agreed(invocation, different))) {
      screen.note('nothing was changed');
      return exitCodes.refused;
    }
    if (!dryRun) {
      const now = new Date().toISOString();
      for (const change of schedules) await applyChange(session, change, now);
      for (const change of ages) await applyAges(session, change);
    }
    if (screen.json) screen.object(changes);
    if (dryRun) return different === 0 ? exitCodes.done : exitCodes.refused;
    if (different > 0) screen.hint('`rotate schedule list` shows when they look next');
    return exitCodes.done;
  });
}

/** Environments with a secret that has an age limit: these are looked at every day. */
function withAgeLimits({ secrets }: ConfigSpec): string[] {
  return [...new Set(secrets.filter((s) => s.maxAgeMs !== undefined).map((s) => s.environment))];
}

function shown({ change, environment, name, what }: ScheduleChange): ShownChange {
  return { change, environment, name, what };
}

const signs = { create: '+', update: '~', delete: '-', keep: ' ' } as const;

/** On stdout for a person; on stderr where stdout is for a script, and there only when it is asked about. */
function show({ context, screen }: Invocation, changes: readonly ShownChange[], ask: boolean): void {
  if (screen.json && !ask) return;
  const out = screen.json ? context.stderr : context.stdout;
  if (changes.every(({ change }) => change === 'keep')) {
    out.write(changes.length === 0 ? 'no schedules are declared\n' : 'the server has what is declared\n');
    return;
  }
  for (const { change, environment, name, what } of changes) {
    const subject = name === undefined ? environment : `${environment}/${name}`;
    if (change !== 'keep') out.write(`${oneLine(`${signs[change]} ${subject}  ${what}`)}\n`);
  }
}

async function agreed({ context, screen }: Invocation, different: number): Promise<boolean> {
  context.stderr.write(screen.paintErr('bold', `Apply ${count(different, 'change')}? [y/N] `));
  return /^\s*y(es)?\s*$/i.test((await context.stdin.readLine(context.signal)) ?? '');
}
