/** `rotate notify test`: sends a test to every channel, once, and says what became of it. */
import type { CommandSpec, Invocation } from '../command.js';
import { exitCodes, type ExitCode } from '../exit-codes.js';
import { oneLine } from '../render/text.js';

export const notifyTestCommand: CommandSpec = {
  name: 'notify test',
  group: 'who is told of rotations',
  summary: 'send a test to every channel',
  description:
    'Sends one notification of the event `test` to every channel of the worker, whatever events and environments it chose, and tries each once.',
  arguments: [],
  options: [],
  examples: [
    { command: 'rotate notify test', does: 'does every channel work?' },
    { command: 'rotate notify test --json', does: 'for scripts' },
  ],
  run,
};

async function run(invocation: Invocation): Promise<ExitCode> {
  const { context, options, screen } = invocation;
  const [{ withSession }, { sendTest }, { who }] = await Promise.all([
    import('../open-session.js'),
    import('../../client/notify.js'),
    import('../who.js'),
  ]);
  const environment = options.text('env') ?? 'test';
  const result = await withSession(invocation, (session) => sendTest(session, environment, who(context.env)));
  if (screen.json) screen.object(result);
  else {
    const lines = [
      ...result.delivered.map((channel) => `${channel}: delivered`),
      ...result.failed.map(({ channel }) => `${channel}: not delivered`),
    ];
    screen.data(lines.map((line) => `${oneLine(line)}\n`).join(''));
  }
  for (const { reason } of result.failed) {
    screen.note(reason.message);
    if (reason.hint !== undefined) screen.hint(reason.hint);
  }
  if (result.delivered.length + result.failed.length === 0) {
    screen.note('the worker has no channels');
    screen.hint('name one under `notify` in worker.yaml');
  }
  return result.failed.length === 0 ? exitCodes.done : exitCodes.refused;
}
