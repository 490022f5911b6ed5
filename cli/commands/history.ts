/** `rotate history`: every rotation of a secret, from the log branch. */
import type { CommandSpec, Invocation } from '../command.js';
import { exitCodes, type ExitCode } from '../exit-codes.js';

export const historyCommand: CommandSpec = {
  name: 'history',
  summary: 'show the rotations of a secret',
  description:
    'Every rotation that a secret was part of, newest first, from the log branch, which is fetched when possible. Needs neither Temporal nor a worker.',
  arguments: [{ name: 'secret', description: 'its name, or environment/name', completes: 'secret' }],
  options: [{ flags: '--limit <n>', description: 'the newest n' }],
  examples: [
    { command: 'rotate history db-password', does: 'a table' },
    { command: 'rotate history db-password --json', does: 'the full records, with their proof' },
  ],
  run,
};

async function run(invocation: Invocation): Promise<ExitCode> {
  const { context, args, options, screen } = invocation;
  const [{ requireWorkspace, readConfig }, { resolveSecret }, { readLog }, { RotateError }] =
    await Promise.all([
      import('../workspace.js'),
      import('../../config/resolve-names.js'),
      import('../read-log.js'),
      import('../../domain/failure.js'),
    ]);
  const limit = options.text('limit');
  if (limit !== undefined && !/^[1-9]\d{0,5}$/.test(limit))
    throw new RotateError('Usage', `--limit \`${limit}\` is not a number of rotations`, {
      hint: 'give a whole number, e.g. --limit 10',
    });
  const workspace = requireWorkspace(context, options);
  const secret = resolveSecret(await readConfig(context, workspace), args[0] ?? '', options.text('env'));
  const records = await readLog(invocation, workspace, {
    environment: secret.environment,
    secret: secret.name,
    ...(limit === undefined ? {} : { limit: Number(limit) }),
  });
  if (screen.json) screen.object(records);
  else if (records.length > 0) {
    const [{ table }, { duration }] = await Promise.all([
      import('../render/table.js'),
      import('../render/text.js'),
    ]);
    screen.data(
      table(
        ['ID', 'STARTED', 'TOOK', 'STATE', 'BY', 'WHY'],
        records.map((r) => [
          r.id,
          r.startedAt.replace(/\.\d+Z$/, 'Z'),
          r.endedAt === undefined ? '' : duration(Date.parse(r.endedAt) - Date.parse(r.startedAt)),
          r.state,
          r.by,
          [r.why, r.reason?.message].filter((text) => text !== undefined).join('; '),
        ]),
        screen.columns,
      ),
    );
  } else screen.note(`${secret.environment}/${secret.name} was never rotated, as far as the log branch says`);
  return exitCodes.done;
}
