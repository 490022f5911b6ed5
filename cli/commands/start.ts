/** `rotate start`: shows the plan, asks, starts, watches. */
import { RotateError } from '../../domain/failure.js';
import type { DigestedPlan } from '../../domain/plan.js';
import type { CommandSpec, Invocation } from '../command.js';
import { exitCodes, type ExitCode } from '../exit-codes.js';
import { count } from '../render/text.js';

export const startCommand: CommandSpec = {
  name: 'start',
  summary: 'rotate secrets',
  description:
    'Shows the plan, asks, and starts the rotation. It runs on the worker: it goes on when this command ends.',
  arguments: [
    { name: 'secrets', description: 'names, or environment/name', variadic: true, completes: 'secret' },
  ],
  options: [
    { flags: '--watch', description: 'follow it to its end (default)' },
    { flags: '--detach', description: 'print its id and return' },
    { flags: '--reason <text>', description: 'why; kept in the record' },
    { flags: '--take-over', description: 'although an earlier rotation of it was aborted' },
    { flags: '-y, --yes', description: 'do not ask; needed without a terminal' },
  ],
  examples: [
    { command: 'rotate start db-password', does: 'show the plan, ask, rotate' },
    { command: 'rotate start db-password --yes --json', does: 'in a script: the status object at the end' },
    { command: 'rotate start prod/db-password --detach --yes', does: 'print the id only' },
  ],
  run,
};

async function run(invocation: Invocation): Promise<ExitCode> {
  const { context, options, screen } = invocation;
  const detach = options.flag('detach');
  if (detach && options.flag('watch'))
    throw new RotateError('Usage', '--watch and --detach exclude each other', { hint: 'give one of them' });
  const ask = !options.flag('yes');
  if (ask && !(context.stdin.isTTY && context.stderr.isTTY))
    throw new RotateError('Usage', 'without a terminal to ask on, --yes is needed', {
      hint: 'look at `rotate plan`, then add --yes',
    });
  const [{ withSession }, { selectSecrets }, { requestPlan }, { startRotation }, { follow }] =
    await Promise.all([
      import('../open-session.js'),
      import('../select-secrets.js'),
      import('../../client/inspect.js'),
      import('../../client/start-rotation.js'),
      import('../follow.js'),
    ]);
  const { findWorkspace } = await import('../workspace.js');
  const request = await selectSecrets(invocation, findWorkspace(context, options));
  return withSession(invocation, async (session) => {
    const plan = await requestPlan(session, request);
    await showPlan(invocation, plan, ask);
    if (ask && !(await agreed(invocation, plan))) {
      screen.note('nothing was changed');
      return exitCodes.refused;
    }
    const [{ ulid }, { who }] = await Promise.all([import('ulid'), import('../who.js')]);
    const why = options.text('reason');
    const ref = await startRotation(session, {
      id: ulid(),
      by: who(context.env),
      ...(why === undefined ? {} : { why }),
      takeOver: options.flag('take-over'),
      plan,
    });
    if (!detach) {
      screen.note(`rotation ${ref.id}`);
      return follow(invocation, session, ref, { output: screen.json ? 'status' : 'progress' });
    }
    if (screen.json) screen.object({ id: ref.id });
    else screen.data(`${ref.id}\n`);
    screen.hint(`follow it with \`rotate watch ${ref.id}\``);
    return exitCodes.done;
  });
}

/** On stdout for a person; on stderr where stdout is for a script, and there only when it is asked about. */
async function showPlan(
  { context, options, screen }: Invocation,
  plan: DigestedPlan,
  ask: boolean,
): Promise<void> {
  const forScript = screen.json || options.flag('detach');
  if (forScript && !ask) return;
  const { planText } = await import('../render/plan-text.js');
  const out = forScript ? context.stderr : context.stdout;
  const columns = out.isTTY ? (out.columns ?? 80) : undefined;
  out.write(`${planText(plan, columns, forScript ? screen.paintErr : screen.paint)}\n`);
}

async function agreed({ context, screen }: Invocation, { plan }: DigestedPlan): Promise<boolean> {
  const hosts = count(plan.waves.flat().length, 'host');
  const question = `Rotate ${count(plan.secrets.length, 'secret')} on ${hosts}? [y/N] `;
  context.stderr.write(screen.paintErr('bold', question));
  const answer = await context.stdin.readLine(context.signal);
  return /^\s*y(es)?\s*$/i.test(answer ?? '');
}
