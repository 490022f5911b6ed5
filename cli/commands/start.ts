/** `rotate start`: shows the plan, asks, starts, watches. */
import { RotateError } from '../../domain/failure.js';
import type { DigestedPlan } from '../../domain/plan.js';
import type { StartRequest } from '../../domain/start.js';
import type { Brought } from '../bring-values.js';
import type { CommandSpec, Invocation } from '../command.js';
import { exitCodes, type ExitCode } from '../exit-codes.js';
import type { OpenSession } from '../open-session.js';
import { count } from '../render/text.js';
import { readSelection, selectionArgument, selectionOptions } from '../selection-options.js';

export const startCommand: CommandSpec = {
  name: 'start',
  summary: 'rotate secrets',
  description:
    'Shows the plan, asks, and starts the rotation. It runs on the worker: it goes on when this command ends. Secrets that are named are one rotation, with one commit, and one switch and one restart a host. Those that are chosen are as few rotations as can be: what cannot be mixed, or comes after another, follows when the one before it is done.',
  arguments: [selectionArgument],
  options: [
    ...selectionOptions,
    { flags: '--watch', description: 'follow it to its end (default)' },
    { flags: '--detach', description: 'print its id and return' },
    { flags: '--reason <text>', description: 'why; kept in the record' },
    { flags: '--take-over', description: 'although an earlier rotation of it was aborted' },
    {
      flags: '--value-stdin',
      description: 'the new value of a secret that a person brings is on standard input; needs --yes',
    },
    { flags: '-y, --yes', description: 'do not ask; needed without a terminal' },
  ],
  examples: [
    { command: 'rotate start db-password', does: 'show the plan, ask, rotate' },
    { command: 'rotate start db-password --yes --json', does: 'in a script: the status object at the end' },
    { command: 'rotate start prod/db-password --detach --yes', does: 'print the id only' },
    { command: 'rotate start --due --env prod', does: 'all of prod that is due' },
    {
      command: 'age -d key.age | rotate start vendor-key --value-stdin --yes',
      does: 'with a value that you bring',
    },
  ],
  run,
};

async function run(invocation: Invocation): Promise<ExitCode> {
  const { context, options, screen } = invocation;
  if (options.flag('detach') && options.flag('watch'))
    throw new RotateError('Usage', '--watch and --detach exclude each other', { hint: 'give one of them' });
  const ask = !options.flag('yes');
  if (ask && options.flag('value-stdin'))
    throw new RotateError('Usage', 'standard input carries the value, so that --yes is needed', {
      hint: 'look at `rotate plan`, then add --yes',
    });
  if (ask && !(context.stdin.isTTY && context.stderr.isTTY))
    throw new RotateError('Usage', 'without a terminal to ask on, --yes is needed', {
      hint: 'look at `rotate plan`, then add --yes',
    });
  const selection = readSelection(invocation);
  const [{ withPlans }, { bringValues, checkBringing }] = await Promise.all([
    import('../select-plans.js'),
    import('../bring-values.js'),
  ]);
  return withPlans(invocation, selection, async (session, plans) => {
    if (plans.length === 0) {
      if (screen.json) screen.object([]);
      return exitCodes.done;
    }
    checkBringing(invocation, plans);
    await showPlans(invocation, plans, ask);
    if (ask && !(await agreed(invocation, plans))) {
      screen.note('nothing was changed');
      return exitCodes.refused;
    }
    const requests = await makeRequests(invocation, plans, await bringValues(invocation, plans));
    return begin(invocation, session, requests, selection !== undefined);
  });
}

async function makeRequests(
  { context, options }: Invocation,
  plans: readonly DigestedPlan[],
  brought: Brought,
): Promise<StartRequest[]> {
  const [{ monotonicFactory }, { who }, { sealBrought }] = await Promise.all([
    import('ulid'),
    import('../who.js'),
    import('../../client/bring.js'),
  ]);
  const why = options.text('reason');
  // In a list, what follows another stands behind it.
  const ulid = monotonicFactory();
  return Promise.all(
    plans.map(async (plan) => {
      const values = brought.get(plan.plan.environment);
      return {
        id: ulid(),
        by: who(context.env),
        ...(why === undefined ? {} : { why }),
        takeOver: options.flag('take-over'),
        plan,
        ...(values === undefined ? {} : { brought: await sealBrought(plan, values) }),
      };
    }),
  );
}

/** @param chosen JSON is an array then, however many rotations came of it */
async function begin(
  invocation: Invocation,
  session: OpenSession,
  requests: readonly StartRequest[],
  chosen: boolean,
): Promise<ExitCode> {
  const { options, screen } = invocation;
  const detach = options.flag('detach');
  const output = screen.json ? 'status' : 'progress';
  const [request, ...others] = requests;
  if (request === undefined) throw new RotateError('Internal', 'nothing to start');
  if (others.length > 0) {
    const [{ ulid }, { startSequence }] = await Promise.all([
      import('ulid'),
      import('../../client/start-sequence.js'),
    ]);
    const sequence = await startSequence(session, ulid(), requests);
    if (!detach) {
      const { followSequence } = await import('../follow-sequence.js');
      return followSequence(invocation, session, sequence, output);
    }
  } else {
    const { startRotation } = await import('../../client/start-rotation.js');
    const ref = await startRotation(session, request);
    if (!detach) {
      const { follow } = await import('../follow.js');
      screen.note(`rotation ${ref.id}`);
      return follow(invocation, session, ref, {
        output,
        ...(chosen ? { ended: (status) => screen.json && screen.object([status]) } : {}),
      });
    }
  }
  const ids = requests.map(({ id }) => ({ id }));
  if (screen.json) screen.object(chosen ? ids : ids[0]);
  else screen.data(ids.map(({ id }) => `${id}\n`).join(''));
  if (others.length > 0)
    screen.hint('each starts when the one before it is done; `rotate status` lists them');
  else screen.hint(`follow it with \`rotate watch ${request.id}\``);
  return exitCodes.done;
}

/** On stdout for a person; on stderr where stdout is for a script, and there only when it is asked about. */
async function showPlans(
  { context, options, screen }: Invocation,
  plans: readonly DigestedPlan[],
  ask: boolean,
): Promise<void> {
  const forScript = screen.json || options.flag('detach');
  if (forScript && !ask) return;
  const { plansText } = await import('../render/plan-text.js');
  const out = forScript ? context.stderr : context.stdout;
  const columns = out.isTTY ? (out.columns ?? 80) : undefined;
  out.write(`${plansText(plans, columns, forScript ? screen.paintErr : screen.paint)}\n`);
}

async function agreed({ context, screen }: Invocation, plans: readonly DigestedPlan[]): Promise<boolean> {
  const secrets = plans.reduce((sum, { plan }) => sum + plan.secrets.length, 0);
  const hosts = new Set(plans.flatMap(({ plan }) => plan.waves.flat().map(({ name }) => name)));
  const rotations = plans.length === 1 ? '' : `, in ${count(plans.length, 'rotation')}`;
  const question = `Rotate ${count(secrets, 'secret')} on ${count(hosts.size, 'host')}${rotations}? [y/N] `;
  context.stderr.write(screen.paintErr('bold', question));
  const answer = await context.stdin.readLine(context.signal);
  return /^\s*y(es)?\s*$/i.test(answer ?? '');
}
