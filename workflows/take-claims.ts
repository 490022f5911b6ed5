/** Takes the claim of each secret of a rotation: a workflow of its own, of which Temporal lets only one run. */
import { ParentClosePolicy, sleep, startChild, workflowInfo } from '@temporalio/workflow';
import { betweenClaimTriesMs, claimsOf, claimTries } from '../domain/claims.js';
import type { Journal } from '../domain/journal.js';
import { preflighting } from './budgets.js';
import type { claim } from './claim.js';
import { failure } from './reason.js';

/** @throws ApplicationFailure Busy, Blocked */
export async function takeClaims(journal: Journal): Promise<void> {
  for (const id of claimsOf(journal)) await takeClaim(id, journal.takeOver);
}

/** @throws ApplicationFailure Busy, Blocked */
async function takeClaim(id: string, takeOver: boolean): Promise<void> {
  const me = workflowInfo().workflowId;
  for (let tries = 1; ; tries += 1) {
    if (await startClaim(id, me)) return;
    const held = await preflighting().lookUpHolder({ claim: id, release: takeOver });
    if (held.holder === me) return;
    const holder = held.holder.split('/').at(-1) ?? held.holder;
    if (held.running) {
      throw failure({
        type: 'Busy',
        message: `rotation ${holder} is under way for the same secret`,
        hint: `wait until it has ended; \`rotate watch ${holder}\` shows it`,
      });
    }
    if (tries < claimTries) {
      if (!held.released) await sleep(betweenClaimTriesMs);
      continue;
    }
    if (held.released) {
      throw failure({
        type: 'Busy',
        message: 'other rotations start for the same secret',
        hint: 'see `rotate status`, and start again when they have ended',
      });
    }
    throw failure({
      type: 'Blocked',
      message: `rotation ${holder} was given up and still holds the secret`,
      hint: `look at \`rotate status ${holder}\`, put things right, then start again with --take-over`,
    });
  }
}

/** False when someone holds it. */
async function startClaim(id: string, holder: string): Promise<boolean> {
  try {
    await startChild<typeof claim>('claim', {
      workflowId: id,
      args: [holder],
      parentClosePolicy: ParentClosePolicy.ABANDON,
    });
    return true;
  } catch (error) {
    // Its class is not exported to workflow code; the name is part of the SDK's interface.
    if (error instanceof Error && error.name === 'WorkflowExecutionAlreadyStartedError') return false;
    throw error;
  }
}
