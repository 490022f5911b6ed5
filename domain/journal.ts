/**
 * The journal of a rotation: data only, and all that its workflow knows.
 *
 * Every effect has a mark. `begun` is written before the first attempt, so that
 * an effect that may have happened is always known to the undo; `done` after its
 * outcome was seen. What to do next, and how to undo, are pure functions of this
 * value (decide.ts, undo.ts), so a crash, an upgrade or a `continueAsNew` loses
 * nothing.
 */
import type { Reason } from './failure.js';
import type { Plan } from './plan.js';
import type { RotationEvent, ProofLine, StepStatus } from './status.js';
import type { RotationState } from './steps.js';

/** `begun`: it may have happened. */
export type Mark = 'none' | 'begun' | 'done';

export interface SecretJournal {
  name: string;
  /** The value in use when the rotation began, sealed. */
  old?: string;
  /** The value that takes over, sealed. */
  fresh?: string;
  /** The issuer accepts the new value beside the old one. */
  provision: Mark;
  /** The issuer refuses the old value; can be undone. */
  disable: Mark;
  /** The old value is gone; cannot be undone. */
  destroy: Mark;
  /** Undo: the old value is accepted again (the new one too). */
  reenable: Mark;
  /** Undo: the issuer has forgotten the new value. */
  withdraw: Mark;
}

/** Where a secret is installed on a host, as the host's own configuration says. */
export interface InstalledFile {
  secret: string;
  path: string;
  owner: string;
  group: string;
  mode: string;
}

export interface HostJournal {
  name: string;
  /** Index of its wave. */
  wave: number;
  /** Store path of the system that ran, booted and was the profile before. */
  old?: string;
  /** Store path of the system with the new value. */
  fresh?: string;
  files: InstalledFile[];
  copied: boolean;
  /** The host may run, have installed or boot with the new value. */
  switched: Mark;
  restarted: boolean;
  verified: boolean;
  /** Undo: runs the old system again, and was seen to work. */
  restored: Mark;
  /** It failed, but no more than `maxFailures` did. */
  failed?: Reason;
  /** A person said to go on without it: it stays unproven. */
  skipped: boolean;
  /** A person accepted that it may be left with a dead value. */
  lossAccepted: boolean;
}

export interface RepoJournal {
  /** The commit that everything is measured against: the plan's, or the tip of main that has the same plan. */
  base?: string;
  branch: Mark;
  commit?: string;
  merge: Mark;
  /** What main was moved to. */
  merged?: string;
  /** Undo: the branch is deleted, or the old value written back on main. */
  unpublish: Mark;
}

export interface Journal {
  version: 1;
  id: string;
  environment: string;
  /** Who asked, as the request says. */
  by: string;
  why?: string;
  takeOver: boolean;
  plan: Plan;
  digest: string;
  startedAt: string;
  endedAt?: string;
  /** `undo` is entered once and never left. */
  mode: 'forward' | 'undo';
  state: RotationState;
  reason?: Reason;
  /** What the rotation is parked on; absent while it runs. */
  parked?: { command: Command; reason: Reason };
  epoch: number;
  /** The last sequence number given to a command. */
  seq: number;
  claimed: Mark;
  preflight: Mark;
  secrets: SecretJournal[];
  hosts: HostJournal[];
  repo: RepoJournal;
  /** When the soak began; `done` when it is over. */
  soak: { startedAt?: string; rounds: number; done: boolean };
  /** Nobody uses the old value any more. */
  drained: boolean;
  proved: { before: boolean; disabled: boolean; healthy: boolean; destroyed: boolean; later: boolean };
  destroyedAt?: string;
  tidied: boolean;
  recorded: boolean;
  released: boolean;
  proof: ProofLine[];
  steps: StepStatus[];
  events: RotationEvent[];
  /** Number of the last event, also of those no longer kept. */
  eventCount: number;
}

/** One unit of work. The workflow runs it as activities; all of its attempts share its fence. */
export type Command =
  | { do: 'claim' }
  | { do: 'preflight' }
  | { do: 'generate'; secret: string }
  | { do: 'apply'; secret: string; purpose: ApplyPurpose }
  | { do: 'encrypt' }
  | { do: 'build'; hosts: string[] }
  | { do: 'copy'; hosts: string[] }
  | { do: 'advance'; hosts: string[] }
  | { do: 'merge' }
  | { do: 'soak' }
  | { do: 'drain' }
  | { do: 'prove'; purpose: ProofPurpose }
  | { do: 'restore'; hosts: string[] }
  | { do: 'unpublish' }
  | { do: 'tidy' };

export type ApplyPurpose = 'provision' | 'disable' | 'destroy' | 'reenable' | 'withdraw';
export type ProofPurpose = 'before' | 'disabled' | 'healthy' | 'destroyed' | 'later';

/** What became of a command. */
export type Outcome =
  | { ok: true; facts?: CommandFacts }
  | { ok: false; reason: Reason; facts?: CommandFacts; cancelled?: boolean };

/** What commands report back; each uses some of the fields. */
export interface CommandFacts {
  at?: string;
  attempts?: number;
  epoch?: number;
  base?: string;
  commit?: string;
  merged?: string;
  /** The soak is over. */
  finished?: boolean;
  secrets?: { name: string; old?: string; fresh?: string }[];
  hosts?: {
    name: string;
    old?: string;
    fresh?: string;
    files?: InstalledFile[];
    copied?: boolean;
    switched?: boolean;
    restarted?: boolean;
    verified?: boolean;
    restored?: boolean;
    failed?: Reason;
  }[];
  proof?: ProofLine[];
}
