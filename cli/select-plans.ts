/** The plans of what a command is about; see selection-options.ts for how it is said. */
import { askForPlan, requestPlan, requestPlans, type Plans, type PlansRequest } from '../client/inspect.js';
import type { Invocation } from './command.js';
import { inSession, sessionOptions, type OpenSession } from './open-session.js';
import { selectSecrets } from './select-secrets.js';
import { findWorkspace } from './workspace.js';

/**
 * Asks for the plans, connects, runs `work` with them and disconnects. What is due and left out of them is told; there
 * may be no plan at all.
 * @throws RotateError as {@link selectSecrets}, {@link inSession} and {@link requestPlans}
 */
export async function withPlans<T>(
  invocation: Invocation,
  selection: PlansRequest | undefined,
  work: (session: OpenSession, plans: Plans['plans']) => Promise<T>,
): Promise<T> {
  const workspace = findWorkspace(invocation.context, invocation.options);
  const openOptions = await sessionOptions(invocation, workspace);
  if (selection === undefined) {
    const request = await selectSecrets(invocation, workspace);
    const asked = await askForPlan(openOptions, request);
    return inSession(workspace, openOptions, async (session) =>
      work(session, [await requestPlan(session, request, asked)]),
    );
  }
  const asked = await askForPlan(openOptions, selection);
  return inSession(workspace, openOptions, async (session) => {
    const { plans, leftOut } = await requestPlans(session, selection, asked);
    for (const sentence of leftOut) invocation.screen.note(sentence);
    if (plans.length === 0) invocation.screen.note('nothing is due that can be started');
    return work(session, plans);
  });
}
