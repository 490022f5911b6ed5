/** Looks before a rotation whether the commands of the later steps are there: nothing at the vendor is asked. */
import { noFence } from '../../domain/fence.js';
import type { IssuerState, KindContext } from '../kind.js';
import {
  type Command,
  type ConsumersCommand,
  type HostCommand,
  type Person,
  checkOf,
  effectOf,
  nameOf,
  toldOf,
} from './means.js';
import type { ManualSettings } from './schema.js';

type Means = Command | ConsumersCommand | Person;
type Problem = IssuerState['problems'][number];

const timeoutMs = 10_000;

/** @throws RotateError what hosts throw */
export async function inspectCommands(context: KindContext, settings: ManualSettings): Promise<IssuerState> {
  const means = meansOf(settings);
  const problems = await Promise.all(means.map(([, each]) => problemOf(context, each)));
  return {
    fence: noFence,
    facts: Object.fromEntries(means.map(([key, each]) => [key, factOf(each)])),
    problems: problems.filter((problem) => problem !== undefined),
  };
}

function meansOf({ check, ...settings }: ManualSettings): [string, Means][] {
  const effects = (['provision', 'revoke', 'undo'] as const).flatMap((key): [string, Means][] => {
    const block = settings[key];
    return block === undefined ? [] : [[key, effectOf(block)]];
  });
  return check === undefined ? effects : [...effects, ['check', checkOf(check)]];
}

function factOf(means: Means): string {
  if (means.by === 'person') return 'a person';
  return means.by === 'consumers' ? `${nameOf(means)} on each consumer's host` : toldOf(means);
}

async function problemOf(context: KindContext, means: Means): Promise<Problem | undefined> {
  switch (means.by) {
    // The baseline runs it there.
    case 'consumers':
    case 'person':
      return undefined;
    case 'worker':
      if (context.commands === undefined || context.commands.includes(means.name)) return undefined;
      return {
        message: `worker.yaml has no command \`${means.name}\``,
        hint: `declare it under \`commands\` there; it has: ${context.commands.join(', ') || 'none'}`,
      };
    case 'host':
      return (await isThere(context, means))
        ? undefined
        : {
            message: `${toldOf(means)} is not there, or ${means.as} may not run it`,
            hint: `install it on ${means.host}: it is needed in a later step`,
          };
    default:
      return means satisfies never;
  }
}

async function isThere(context: KindContext, { host, argv, as }: HostCommand): Promise<boolean> {
  const { code } = await context.hosts.host(host).run({
    script: 'command -v "$1" >/dev/null',
    args: argv.slice(0, 1),
    as,
    timeoutMs,
    signal: context.signal,
  });
  return code === 0;
}
