/** `rotate list`: the secrets of rotate.yaml with their last rotation. Works without Temporal. */
import type { SecretFacts } from '../../domain/due-verdict.js';
import type { ConfigSpec, SecretSpec } from '../../domain/spec.js';
import type { Standing } from '../../domain/standing.js';
import type { RotationState } from '../../domain/steps.js';
import type { RotationRecord } from '../../repo/record.js';
import type { CommandSpec, Invocation } from '../command.js';
import { exitCodes, type ExitCode } from '../exit-codes.js';

export const listCommand: CommandSpec = {
  name: 'list',
  summary: 'list the secrets and when they were rotated',
  description:
    'The secrets that rotate.yaml declares, with the last rotation of each from the log branch, which is fetched when possible, and when its age limit or a schedule wants the next one. Needs neither Temporal nor a worker.',
  arguments: [],
  options: [
    {
      flags: '--due',
      description: 'only what is due, overdue, or due soon; exit code 1 when there is any, for monitoring',
    },
  ],
  examples: [
    { command: 'rotate list', does: 'all' },
    { command: 'rotate list --env prod --json', does: 'those of one environment, for scripts' },
    { command: 'rotate list --due --env prod', does: 'as a check of a monitoring system' },
  ],
  run,
};

/** An entry of `rotate list --json`. */
export interface ListedSecret {
  environment: string;
  name: string;
  kind: string;
  store: string;
  file: string;
  tags: readonly string[];
  lastRotation?: { id: string; state: RotationState; endedAt?: string };
  /** End of its last rotation that succeeded. */
  rotatedAt?: string;
  /** Absent: nothing ever asks for it. */
  due?: Standing;
}

async function run(invocation: Invocation): Promise<ExitCode> {
  const { context, options, screen } = invocation;
  const [{ requireWorkspace, readConfig }, { openLog }, { lastSuccess, factsFrom }] = await Promise.all([
    import('../workspace.js'),
    import('../read-log.js'),
    import('../../domain/facts.js'),
  ]);
  const workspace = requireWorkspace(context, options);
  const environment = options.text('env');
  // Git looks while rotate.yaml is read.
  const log = openLog(invocation, workspace, environment === undefined ? {} : { environment });
  let config: ConfigSpec;
  try {
    config = await readConfig(context, workspace);
    await requireEnvironment(config, environment);
  } catch (error) {
    log.giveUp();
    throw error;
  }
  const records = await log.records();
  const standing = await standings(config);
  const all = config.secrets
    .filter((secret) => environment === undefined || secret.environment === environment)
    .map((secret): ListedSecret => {
      const own = records.filter(
        (r) => r.environment === secret.environment && r.secrets.includes(secret.name),
      );
      const [last] = own;
      const rotatedAt = lastSuccess(own, secret.name);
      const due = standing(secret, factsFrom(own, secret.name));
      return {
        environment: secret.environment,
        name: secret.name,
        kind: secret.kind,
        store: config.environments.find(({ name }) => name === secret.environment)?.store ?? '',
        file: secret.file,
        tags: secret.tags,
        ...(last === undefined ? {} : { lastRotation: brief(last) }),
        ...(rotatedAt === undefined ? {} : { rotatedAt }),
        ...(due === undefined ? {} : { due }),
      };
    });
  const onlyDue = options.flag('due');
  const listed = onlyDue ? all.filter(({ due }) => (due?.state ?? 'ok') !== 'ok') : all;
  if (screen.json) screen.object(listed);
  else if (listed.length > 0) await print(invocation, listed);
  else screen.note(onlyDue ? 'nothing is due' : 'no secrets');
  return onlyDue && listed.length > 0 ? exitCodes.refused : exitCodes.done;
}

/** Where nothing asks for any secret, the calendar's tables are not even loaded. */
async function standings(
  config: ConfigSpec,
): Promise<(secret: SecretSpec, facts: SecretFacts) => Standing | undefined> {
  if (config.schedules.length === 0 && config.secrets.every((s) => s.maxAgeMs === undefined))
    return () => undefined;
  const { standingOf } = await import('../../domain/standing.js');
  const now = new Date().toISOString();
  return (secret, facts) => standingOf(config, secret, facts, now);
}

async function print({ screen }: Invocation, listed: readonly ListedSecret[]): Promise<void> {
  const [{ table }, { duration }] = await Promise.all([
    import('../render/table.js'),
    import('../render/text.js'),
  ]);
  const now = Date.now();
  const age = ({ rotatedAt }: ListedSecret): string =>
    rotatedAt === undefined ? 'unknown' : duration(now - Date.parse(rotatedAt));
  const dueIn = ({ due }: ListedSecret): string => {
    if (due === undefined) return '';
    const left = due.dueAt === undefined ? undefined : Date.parse(due.dueAt) - now;
    if (due.state === 'ok' || due.state === 'due-soon')
      return left === undefined ? '' : `in ${duration(left)}${due.state === 'ok' ? '' : ', soon'}`;
    return left === undefined || left > 0 ? due.state : `${due.state} for ${duration(-left)}`;
  };
  // Where nothing ever asks for a secret, there is no column for it.
  const asked = listed.some(({ due }) => due !== undefined);
  const cells = (s: ListedSecret, ...due: string[]): string[] => [
    s.environment,
    s.name,
    s.kind,
    s.store,
    age(s),
    ...due,
    s.lastRotation?.state ?? 'never',
    s.file,
  ];
  screen.data(
    table(
      ['ENVIRONMENT', 'NAME', 'KIND', 'STORE', 'AGE', ...(asked ? ['DUE'] : []), 'LAST', 'FILE'],
      listed.map((s) => (asked ? cells(s, dueIn(s)) : cells(s))),
      screen.columns,
    ),
  );
}

function brief({ id, state, endedAt }: RotationRecord): NonNullable<ListedSecret['lastRotation']> {
  return { id, state, ...(endedAt === undefined ? {} : { endedAt }) };
}

async function requireEnvironment(config: ConfigSpec, asked: string | undefined): Promise<void> {
  const names = config.environments.map(({ name }) => name);
  if (asked === undefined || names.includes(asked)) return;
  const { unknownEnvironment } = await import('../../config/resolve-names.js');
  throw unknownEnvironment(asked, names);
}
