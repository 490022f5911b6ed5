/**
 * Takes up to 50 hosts through deploy, restart and verify, forward or back. A
 * child of the rotation, so that the rotation's own history stays small.
 *
 * It never fails for a host's sake: it tells what became of each, so that the
 * rotation knows which hosts have to be undone.
 */
import {
  condition,
  getExternalWorkflowHandle,
  isCancellation,
  CancellationScope,
} from '@temporalio/workflow';
import type { HostScope, RotationScope, SealedSecret } from '../activities/api.js';
import type { Fence } from '../domain/fence.js';
import type { CommandFacts, InstalledFile } from '../domain/journal.js';
import type { ProofLine } from '../domain/status.js';
import type { StepName, StepState } from '../domain/steps.js';
import { checking, converging } from './budgets.js';
import { progressSignal, type WaveProgress } from './messages.js';
import { forEachAtMost } from './pool.js';
import { reasonOf } from './reason.js';

export interface WaveHost {
  name: string;
  old: string;
  fresh: string;
  files: InstalledFile[];
}

export interface WaveInput {
  scope: RotationScope;
  direction: 'advance' | 'restore';
  hosts: WaveHost[];
  /** The rotation's commit, which `fresh` is the build of. */
  commit: string;
  secrets: Required<SealedSecret>[];
  fence: Fence;
  parallel: number;
  /** Hosts that may fail before no further one is begun. */
  maxFailures: number;
  budgetMs: number;
  /** Workflow that progress is told to. */
  parent: string;
  /** The step that all of it belongs to; absent: deploy, restart and verify by themselves. */
  reportAs?: StepName;
}

type HostOutcome = NonNullable<CommandFacts['hosts']>[number];

/** Milliseconds between two reports; more often nobody could read them. */
const reportEveryMs = 500;

export async function wave(input: WaveInput): Promise<{ hosts: HostOutcome[]; proof: ProofLine[] }> {
  const outcomes: HostOutcome[] = [];
  const proof: ProofLine[] = [];
  let unsent: WaveProgress[] = [];
  let finished = false;
  const report = (step: StepName, host: string, state: StepState, message?: string): void => {
    const { reportAs } = input;
    // As parts of another step, the three end only with the last.
    const told = reportAs !== undefined && state === 'done' && step !== 'verify' ? 'running' : state;
    const words = message ?? (reportAs === undefined || told !== 'running' ? undefined : `${step}: ${state}`);
    unsent.push({
      step: reportAs ?? step,
      host: { name: host, state: told, ...(words === undefined ? {} : { message: words }) },
    });
  };

  const parent = getExternalWorkflowHandle(input.parent);
  async function sendReports(): Promise<void> {
    for (;;) {
      await condition(() => unsent.length > 0 || finished);
      if (unsent.length === 0) return;
      const batch = unsent;
      unsent = [];
      await parent.signal(progressSignal, batch);
      await condition(() => finished, reportEveryMs);
    }
  }
  const reports = CancellationScope.nonCancellable(sendReports);

  let failures = 0;
  await forEachAtMost(input.parallel, input.hosts, async (host) => {
    // No further host is put at risk by what has failed already; going back, each is tried.
    if (
      input.direction === 'advance' &&
      (failures > input.maxFailures || CancellationScope.current().consideredCancelled)
    ) {
      return;
    }
    const outcome = await passThrough(input, host, report, proof);
    if (outcome.failed !== undefined) failures += 1;
    outcomes.push(outcome);
  });
  finished = true;
  await reports;
  return { hosts: outcomes, proof };
}

async function passThrough(
  input: WaveInput,
  host: WaveHost,
  report: (step: StepName, host: string, state: StepState, message?: string) => void,
  proof: ProofLine[],
): Promise<HostOutcome> {
  const scope: HostScope = { ...input.scope, host: host.name };
  const outcome: HostOutcome = { name: host.name };
  const advancing = input.direction === 'advance';
  const end: StepState = advancing ? 'done' : 'undone';
  let step: StepName = 'deploy';
  const begin = (name: StepName): void => {
    step = name;
    report(name, host.name, 'running', advancing ? undefined : 'going back');
  };
  try {
    begin('deploy');
    const { commit } = await converging(input.budgetMs).converge({
      scope,
      direction: input.direction,
      from: advancing ? [host.old] : [host.fresh],
      to: advancing ? host.fresh : host.old,
      commit: advancing ? input.commit : input.scope.base,
      fence: input.fence,
      ...(advancing ? {} : { secrets: input.secrets }),
    });
    if (advancing) outcome.switched = true;
    report('deploy', host.name, end);
    begin('restart');
    const { startedAt } = await checking().restart({ scope, files: host.files });
    if (advancing) {
      outcome.restarted = true;
      outcome.startedAt = startedAt;
    }
    report('restart', host.name, end);
    begin('verify');
    const verified = await checking().verify({
      scope,
      files: host.files,
      commit: commit ?? (advancing ? input.commit : input.scope.base),
      secrets: input.secrets,
      value: advancing ? 'fresh' : 'old',
      justSwitched: true,
    });
    proof.push(...verified.proof);
    if (advancing) outcome.verified = true;
    else outcome.restored = true;
    report('verify', host.name, end);
  } catch (error) {
    const reason = reasonOf(error);
    outcome.failed = reason;
    report(step, host.name, 'failed', isCancellation(error) ? 'cancelled' : reason.message);
  }
  return outcome;
}
