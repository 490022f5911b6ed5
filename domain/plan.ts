/**
 * A plan: all that a rotation would do, host by host, at one commit. The worker
 * computes it, a person sees it, the run carries its digest; nothing is done that
 * the plan did not show.
 */
import type { SecretRef, PolicySpec, BudgetSpec, ConsumerSpec } from './spec.js';

export interface PlannedUnit {
  unit: string;
  action: 'restart' | 'reload' | 'none';
}

/** Each serves whoever needs one before it. */
const rising = ['none', 'reload', 'restart'] as const satisfies readonly PlannedUnit['action'][];

/** Units on a host, each once and in the order of their first mention; of several actions, the one that serves all. */
export function unitsOf(consumers: readonly ConsumerSpec[], host: string): PlannedUnit[] {
  const ranks = new Map<string, number>();
  for (const { hosts, units, action } of consumers) {
    if (!hosts.includes(host)) continue;
    for (const unit of units) ranks.set(unit, Math.max(ranks.get(unit) ?? 0, rising.indexOf(action)));
  }
  return [...ranks].map(([unit, rank]) => ({ unit, action: rising[rank] ?? 'restart' }));
}

export interface PlannedHost {
  name: string;
  /** Units on it that read a secret of the plan, in restart order. Empty: a holder without a consumer. */
  units: PlannedUnit[];
}

export interface PlannedSecret extends SecretRef {
  kind: string;
  overlap: 'dual' | 'swap';
  kill: 'issuer' | 'deploy' | 'manual';
  /** Who makes the new value; a person brings it with the request. */
  source: 'worker' | 'issuer' | 'person';
  /** The issuer can refuse the old value in a way that can be undone. */
  canDisable: boolean;
  /** How the old value ends: the issuer forgets it, or a second deploy leaves it out of the file. */
  retire: 'issuer' | 'deploy';
  /** With `retire: deploy`, milliseconds that the old value stays in the file after the soak. */
  keepOldMs?: number;
  file: string;
  /** Other values live in the same file: it is claimed too. */
  sharesFile: boolean;
  /** Hosts with a unit that reads it. */
  consumers: string[];
  /** Every recipient that the rules name, as text. */
  recipients: string[];
  /** Account in use, where the kind has accounts. */
  account?: string;
  endpoints: string[];
  effects: { generate: string; disable: string; destroy: string };
}

export interface Plan {
  version: 1;
  environment: string;
  /** The commit of the main branch that it was computed at. */
  commit: string;
  secrets: PlannedSecret[];
  /** Every holder, in waves; the first wave is the canary. */
  waves: PlannedHost[][];
  policy: Omit<PolicySpec, 'budgets' | 'canary' | 'waves'> & { budgets: BudgetSpec };
  /** Sentences for a person: what is unusual about this one. */
  notes: string[];
}

/** How old and new values of a batch relate; a batch never mixes the two. */
export function overlapOf(plan: Plan): 'dual' | 'swap' {
  return plan.secrets.some((s) => s.overlap === 'swap') ? 'swap' : 'dual';
}

/** How the old values of a batch end; a batch never mixes the two. */
export function retirementOf(plan: Plan): 'issuer' | 'deploy' {
  return plan.secrets.some((s) => s.retire === 'deploy') ? 'deploy' : 'issuer';
}

/** A plan with the SHA-256 of its canonical JSON, in hex. */
export interface DigestedPlan {
  plan: Plan;
  digest: string;
  /** age recipient of the worker: what a person brings is sealed to it before it leaves his machine. */
  sealTo?: string;
}
