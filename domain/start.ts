/** The journal of a rotation that has just been asked for. */
import type { Journal } from './journal.js';
import type { DigestedPlan } from './plan.js';
import { initialSteps } from './progress.js';

export interface StartRequest {
  id: string;
  by: string;
  why?: string;
  takeOver: boolean;
  plan: DigestedPlan;
  /** Values that a person brings, sealed for the worker, by the secret's name. */
  brought?: Readonly<Record<string, string>>;
}

export function startJournal(request: StartRequest, now: string): Journal {
  const { plan, digest } = request.plan;
  return {
    version: 1,
    id: request.id,
    environment: plan.environment,
    by: request.by,
    ...(request.why === undefined ? {} : { why: request.why }),
    takeOver: request.takeOver,
    plan,
    digest,
    startedAt: now,
    mode: 'forward',
    state: 'running',
    epoch: 0,
    seq: 0,
    claimed: 'none',
    preflight: 'none',
    secrets: plan.secrets.map((s) => ({
      name: s.name,
      ...(request.brought?.[s.name] === undefined ? {} : { brought: request.brought[s.name] }),
      generated: 'none',
      provision: 'none',
      disable: 'none',
      destroy: 'none',
      reenable: 'none',
      withdraw: 'none',
    })),
    hosts: plan.waves.flatMap((hosts, wave) =>
      hosts.map((h) => ({
        name: h.name,
        wave,
        files: [],
        copied: false,
        switched: 'none' as const,
        restarted: false,
        verified: false,
        restored: 'none' as const,
        skipped: false,
        lossAccepted: false,
      })),
    ),
    repo: { branch: 'none', merge: 'none', unpublish: 'none' },
    soak: { rounds: 0, done: false },
    drained: false,
    proved: { before: false, disabled: false, destroyed: false, later: false },
    tidied: false,
    recorded: false,
    released: false,
    proof: [],
    notices: 0,
    steps: initialSteps(),
    events: [],
    eventCount: 0,
  };
}
