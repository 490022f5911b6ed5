/** `rotate worker`: does the work. The only commands that load the worker are this and `rotate dev`. */
import type { CommandSpec } from '../command.js';
import { exitCodes } from '../exit-codes.js';

export const workerCommand: CommandSpec = {
  name: 'worker',
  summary: 'run the worker',
  description:
    'Runs the worker: it holds the keys and does the work of rotations. Here --config names worker.yaml; without it $ROTATE_WORKER_CONFIG, then /etc/rotate/worker.yaml. Ends on SIGINT or SIGTERM once running work has had 30 s.',
  arguments: [],
  options: [],
  examples: [{ command: 'rotate worker --config /etc/rotate/worker.yaml', does: 'run it in the foreground' }],
  run: async ({ context, options }) => {
    // oxlint-disable-next-line no-restricted-imports -- behind import(), as the import table allows
    const { runWorker } = await import('../../worker/main.js');
    const configPath = options.text('config');
    await runWorker({
      ...(configPath === undefined ? {} : { configPath }),
      env: context.env,
      signal: context.signal,
      log: (line: string) => context.stderr.write(`${line}\n`),
    });
    return exitCodes.done;
  },
};
