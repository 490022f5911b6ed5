/** The plans of what a command is about; see selection-options.ts for how it is said. */
import { requestPlan, requestPlans, type Plans, type PlansRequest } from '../client/inspect.js';
import type { Invocation } from './command.js';
import type { OpenSession } from './open-session.js';
import { selectSecrets } from './select-secrets.js';

/**
 * What of it is due and left out is told; there may be no plan at all.
 * @throws RotateError as {@link selectSecrets} and {@link requestPlans}
 */
export async function plansOf(
  invocation: Invocation,
  session: OpenSession,
  selection: PlansRequest | undefined,
): Promise<Plans['plans']> {
  if (selection !== undefined) {
    const { plans, leftOut } = await requestPlans(session, selection);
    for (const sentence of leftOut) invocation.screen.note(sentence);
    if (plans.length === 0) invocation.screen.note('nothing is due that can be started');
    return plans;
  }
  return [await requestPlan(session, await selectSecrets(invocation, session.workspace))];
}
