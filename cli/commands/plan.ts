/** `rotate plan`: what would happen; changes nothing. */
import type { CommandSpec, Invocation } from '../command.js';
import { exitCodes, type ExitCode } from '../exit-codes.js';
import { readSelection, selectionArgument, selectionOptions } from '../selection-options.js';

export const planCommand: CommandSpec = {
  name: 'plan',
  summary: 'show what a rotation would do',
  description:
    'Shows what a rotation would do, step by step and host by host, as the worker computes it from the main branch. Changes nothing. What cannot be rotated together is planned as several rotations, in the order in which `start` would carry them out.',
  arguments: [selectionArgument],
  options: selectionOptions,
  examples: [
    { command: 'rotate plan db-password', does: 'for reading' },
    { command: 'rotate plan db-password --json', does: 'with its digest, for scripts' },
    { command: 'rotate plan --env prod --tag web', does: 'all secrets of prod that have the tag' },
  ],
  run,
};

async function run(invocation: Invocation): Promise<ExitCode> {
  const { screen } = invocation;
  const selection = readSelection(invocation);
  const { withPlans } = await import('../select-plans.js');
  const plans = await withPlans(invocation, selection, async (_, made) => made);
  if (screen.json) {
    const shown = plans.map(({ digest, plan }) => ({ digest, plan }));
    screen.object(selection === undefined ? shown[0] : shown);
  } else if (plans.length > 0) {
    const { plansText } = await import('../render/plan-text.js');
    screen.data(plansText(plans, screen.columns, screen.paint));
  }
  return exitCodes.done;
}
