/** What the schedule commands have in common: what is declared here, and which one is meant. */
import { RotateError } from '../domain/failure.js';
import type { ConfigSpec } from '../domain/spec.js';
import type { Invocation } from './command.js';

export interface ScheduleName {
  environment: string;
  name: string;
}

/** rotate.yaml as it is here. @throws RotateError BadConfig */
export async function configHere({
  context,
  options,
}: Pick<Invocation, 'context' | 'options'>): Promise<ConfigSpec> {
  const { readConfig, requireWorkspace } = await import('./workspace.js');
  return readConfig(context, requireWorkspace(context, options));
}

/** Of one environment, where that was asked for. */
export function inEnvironment<T extends { environment: string }>(
  all: readonly T[],
  environment: string | undefined,
): T[] {
  return all.filter((s) => environment === undefined || s.environment === environment);
}

/**
 * A slip must not look as if there were no schedules. One that is no longer declared may have some at the server.
 * @throws RotateError Usage, with those that may be meant
 */
export async function checkEnvironment(
  { environments }: Pick<ConfigSpec, 'environments'>,
  applied: readonly { environment: string }[],
  asked: string | undefined,
): Promise<void> {
  const declared = environments.map(({ name }) => name);
  const names = [...new Set([...declared, ...applied.map(({ environment }) => environment)])];
  if (asked === undefined || names.includes(asked)) return;
  const { unknownEnvironment } = await import('../config/resolve-names.js');
  throw unknownEnvironment(asked, names);
}

/**
 * The schedule that `text` (`quarterly` or `prod/quarterly`) means, of those that are declared or at the server.
 * @throws RotateError UnknownSchedule, with those that may be meant
 */
export async function resolveSchedule(
  text: string,
  environment: string | undefined,
  known: readonly ScheduleName[],
): Promise<ScheduleName> {
  const slash = text.indexOf('/');
  const asked = slash < 0 ? environment : text.slice(0, slash);
  const name = slash < 0 ? text : text.slice(slash + 1);
  const found = known.filter((s) => s.name === name && (asked === undefined || s.environment === asked));
  const [only, another] = found;
  if (only !== undefined && another === undefined) return only;
  const names = known.map((s) => `${s.environment}/${s.name}`).toSorted();
  if (only !== undefined)
    throw new RotateError(
      'UnknownSchedule',
      `\`${text}\` may be ${found.map((s) => `${s.environment}/${s.name}`).join(' or ')}`,
      { hint: 'name the environment too, e.g. `prod/quarterly`' },
    );
  const { unknownMessage } = await import('../config/nearest.js');
  throw new RotateError(
    'UnknownSchedule',
    unknownMessage('schedule', text, [...new Set(known.map((s) => s.name)), ...names]),
    {
      hint:
        names.length === 0
          ? 'declare one in rotate.yaml, under `schedules`'
          : `schedules: ${names.join(', ')}`,
    },
  );
}

/** The schedule of the command line's first argument, of those that are declared here or at the server. */
export async function scheduleNamed(
  invocation: Invocation,
  applied: readonly ScheduleName[],
): Promise<ScheduleName> {
  const { options, args } = invocation;
  const known = [...applied, ...(await declaredHere(invocation, applied))].filter(
    (s, i, all) => all.findIndex((o) => o.environment === s.environment && o.name === s.name) === i,
  );
  return resolveSchedule(args[0] ?? '', options.text('env'), known);
}

async function declaredHere(
  invocation: Invocation,
  applied: readonly ScheduleName[],
): Promise<readonly ScheduleName[]> {
  const { findWorkspace } = await import('./workspace.js');
  const { context, options, screen } = invocation;
  if (findWorkspace(context, options) === undefined) return [];
  try {
    return (await configHere(invocation)).schedules;
  } catch (error) {
    // Who pauses one in a hurry may have a rotate.yaml with mistakes.
    if (!(error instanceof RotateError) || error.type !== 'BadConfig' || applied.length === 0) throw error;
    screen.note('rotate.yaml has mistakes: only the schedules of the server are known');
    return [];
  }
}
