/**
 * How long activities may take and how often they are tried. What is final is
 * never tried again: the failure converter marks it so by the type's class.
 */
import { proxyActivities, type ActivityOptions } from '@temporalio/workflow';
import type {
  DueActivities,
  InspectActivities,
  NotifyActivities,
  RotationActivities,
} from '../activities/api.js';

const backoff = { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' } as const;

function activities(options: ActivityOptions): RotationActivities {
  return proxyActivities<RotationActivities>(options);
}

/** Reads that a person waits for. */
export function inspecting(): InspectActivities {
  return proxyActivities<InspectActivities>({
    startToCloseTimeout: '5m',
    heartbeatTimeout: '30s',
    retry: { ...backoff, maximumAttempts: 2 },
  });
}

/** Before anything changes: give up soon, and refuse. */
export function preflighting(): RotationActivities {
  return activities({ startToCloseTimeout: '60s', retry: { ...backoff, maximumAttempts: 3 } });
}

/** One effect on an issuer, or a proof about one. @param budgetMs all attempts together */
export function applying(budgetMs: number): RotationActivities {
  return activities({ startToCloseTimeout: '30s', scheduleToCloseTimeout: budgetMs, retry: backoff });
}

/** One effect on the repo. @param budgetMs all attempts together */
export function publishing(budgetMs: number): RotationActivities {
  return activities({ startToCloseTimeout: '2m', scheduleToCloseTimeout: budgetMs, retry: backoff });
}

/** Looks at the repo and at hosts that evaluate the flake: tens of seconds a host on a real NixOS. */
export function evaluating(): RotationActivities {
  return activities({
    startToCloseTimeout: '15m',
    heartbeatTimeout: '20s',
    retry: { ...backoff, maximumAttempts: 3 },
  });
}

/** A nix build; a build error is final. */
export function building(): RotationActivities {
  return activities({
    startToCloseTimeout: '2h',
    heartbeatTimeout: '30s',
    retry: { ...backoff, maximumAttempts: 3 },
  });
}

export function copying(): RotationActivities {
  return activities({
    startToCloseTimeout: '30m',
    heartbeatTimeout: '30s',
    retry: { ...backoff, maximumAttempts: 5 },
  });
}

/** The switch on a host; a later attempt attaches to the job that is under way. @param budgetMs all attempts together */
export function converging(budgetMs: number): RotationActivities {
  return activities({
    startToCloseTimeout: '15m',
    scheduleToCloseTimeout: budgetMs,
    heartbeatTimeout: '20s',
    retry: { ...backoff, maximumInterval: '10s' },
  });
}

/** Restart and verify on a host. */
export function checking(): RotationActivities {
  return activities({
    startToCloseTimeout: '5m',
    heartbeatTimeout: '20s',
    retry: { ...backoff, maximumAttempts: 3 },
  });
}

/** A look of a schedule; when it fails, the next look is not far. */
export function assessing(): DueActivities {
  return proxyActivities<DueActivities>({
    startToCloseTimeout: '15m',
    heartbeatTimeout: '30s',
    retry: { ...backoff, maximumAttempts: 3 },
  });
}

/** Deliveries hold up nobody; a receiver that is away for a day has missed it. @param once whether it is tried once only */
export function notifying(once: boolean): NotifyActivities {
  return proxyActivities<NotifyActivities>({
    startToCloseTimeout: '30s',
    scheduleToCloseTimeout: '24h',
    retry: { ...backoff, maximumInterval: '15m', ...(once ? { maximumAttempts: 1 } : {}) },
  });
}

/** What must not hold up an end, and must not be lost. */
export function recording(): RotationActivities {
  return activities({ startToCloseTimeout: '60s', retry: { ...backoff, maximumInterval: '5m' } });
}
