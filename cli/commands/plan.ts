/** `rotate plan`: what would happen; changes nothing. */
import type { CommandSpec } from '../command.js';
import { exitCodes } from '../exit-codes.js';

export const planCommand: CommandSpec = {
  name: 'plan',
  summary: 'show what a rotation would do',
  description:
    'Shows what a rotation would do, step by step and host by host, as the worker computes it from the main branch. Changes nothing.',
  arguments: [
    { name: 'secrets', description: 'names, or environment/name', variadic: true, completes: 'secret' },
  ],
  options: [],
  examples: [
    { command: 'rotate plan db-password', does: 'for reading' },
    { command: 'rotate plan db-password --json', does: 'with its digest, for scripts' },
  ],
  run: async (invocation) => {
    const { context, options, screen } = invocation;
    const [{ withSession }, { selectSecrets }, { findWorkspace }, { requestPlan }] = await Promise.all([
      import('../open-session.js'),
      import('../select-secrets.js'),
      import('../workspace.js'),
      import('../../client/inspect.js'),
    ]);
    const request = await selectSecrets(invocation, findWorkspace(context, options));
    const digested = await withSession(invocation, (session) => requestPlan(session, request));
    if (screen.json) screen.object({ digest: digested.digest, plan: digested.plan });
    else {
      const { planText } = await import('../render/plan-text.js');
      screen.data(planText(digested, screen.columns, screen.paint));
    }
    return exitCodes.done;
  },
};
