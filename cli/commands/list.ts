/** `rotate list`: the secrets of rotate.yaml with their last rotation. Works without Temporal. */
import type { ConfigSpec } from '../../domain/spec.js';
import type { RotationState } from '../../domain/steps.js';
import type { RotationRecord } from '../../repo/record.js';
import type { CommandSpec, Invocation } from '../command.js';
import { exitCodes, type ExitCode } from '../exit-codes.js';

export const listCommand: CommandSpec = {
  name: 'list',
  summary: 'list the secrets and when they were rotated',
  description:
    'The secrets that rotate.yaml declares, with the last rotation of each from the log branch, which is fetched when possible. Needs neither Temporal nor a worker.',
  arguments: [],
  options: [],
  examples: [
    { command: 'rotate list', does: 'all' },
    { command: 'rotate list --env prod --json', does: 'those of one environment, for scripts' },
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
  lastRotation?: { id: string; state: RotationState; endedAt?: string };
}

async function run(invocation: Invocation): Promise<ExitCode> {
  const { context, options, screen } = invocation;
  const [{ requireWorkspace, readConfig }, { readLog }] = await Promise.all([
    import('../workspace.js'),
    import('../read-log.js'),
  ]);
  const workspace = requireWorkspace(context, options);
  const config = await readConfig(workspace);
  const environment = await knownEnvironment(config, options.text('env'));
  const records = await readLog(invocation, workspace, environment === undefined ? {} : { environment });
  const listed = config.secrets
    .filter((secret) => environment === undefined || secret.environment === environment)
    .map((secret): ListedSecret => {
      const last = records.find(
        (r) => r.environment === secret.environment && r.secrets.includes(secret.name),
      );
      return {
        environment: secret.environment,
        name: secret.name,
        kind: secret.kind,
        store: config.environments.find(({ name }) => name === secret.environment)?.store ?? '',
        file: secret.file,
        ...(last === undefined ? {} : { lastRotation: brief(last) }),
      };
    });
  if (screen.json) screen.object(listed);
  else if (listed.length > 0) {
    const { table } = await import('../render/table.js');
    const { duration } = await import('../render/text.js');
    const age = (secret: ListedSecret): string => {
      const rotated = records.find(
        (r) => r.state === 'done' && r.environment === secret.environment && r.secrets.includes(secret.name),
      );
      return rotated?.endedAt === undefined ? 'unknown' : duration(Date.now() - Date.parse(rotated.endedAt));
    };
    screen.data(
      table(
        ['ENVIRONMENT', 'NAME', 'KIND', 'STORE', 'AGE', 'LAST', 'FILE'],
        listed.map((s) => [
          s.environment,
          s.name,
          s.kind,
          s.store,
          age(s),
          s.lastRotation?.state ?? 'never',
          s.file,
        ]),
        screen.columns,
      ),
    );
  } else screen.note('no secrets');
  return exitCodes.done;
}

function brief({ id, state, endedAt }: RotationRecord): NonNullable<ListedSecret['lastRotation']> {
  return { id, state, ...(endedAt === undefined ? {} : { endedAt }) };
}

async function knownEnvironment(config: ConfigSpec, asked: string | undefined): Promise<string | undefined> {
  const names = config.environments.map(({ name }) => name);
  if (asked === undefined || names.includes(asked)) return asked;
  const [{ RotateError }, { unknownMessage }] = await Promise.all([
    import('../../domain/failure.js'),
    import('../../config/nearest.js'),
  ]);
  throw new RotateError('Usage', unknownMessage('environment', asked, names), {
    hint: `environments: ${names.toSorted().join(', ') || 'none is declared'}`,
  });
}
