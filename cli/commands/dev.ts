/** `rotate dev`: an embedded Temporal server and a worker in one process, for a try and for small fleets. */
import type { CommandSpec } from '../command.js';
import { exitCodes } from '../exit-codes.js';

export const devCommand: CommandSpec = {
  name: 'dev',
  summary: 'run an embedded Temporal server and a worker',
  description:
    'Runs a Temporal server and a worker for the repo that you stand in. Keys and state are made under $XDG_STATE_HOME/rotate and kept; other commands find them there. Ends on Ctrl-C.',
  arguments: [],
  options: [],
  examples: [{ command: 'rotate dev', does: 'then, in another terminal: rotate doctor' }],
  run: async ({ context, options }) => {
    const { requireWorkspace } = await import('../workspace.js');
    // Says that there is no rotate.yaml before a server is started.
    const workspace = requireWorkspace(context, options);
    // oxlint-disable-next-line no-restricted-imports -- behind import(), as the import table allows
    const { runDev } = await import('../../worker/main.js');
    await runDev({
      cwd: workspace.root,
      env: context.env,
      signal: context.signal,
      log: (line: string) => context.stderr.write(`${line}\n`),
    });
    return exitCodes.done;
  },
};
