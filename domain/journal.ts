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
  /** What a person brought with the request, sealed. */
  brought?: string;
  /** Ids that the issuer knew before it was asked to make a value: what is not among them is ours. */
  existing?: string[];
  /** The issuer was asked to make the value (`source: issuer`): there may be one. */
  generated: Mark;
  /** Who said that he has done what only a person can do, by what it was for. */
  confirmed?: Partial<Record<ApplyPurpose, string>>;
  /**
   * The same by what he was asked for, in the kind's own word ({@link Journal.parked}): one purpose may need several
   * acts. Absent in journals of before, where his word counts for all of them.
   */
  confirmedActs?: Partial<Record<ApplyPurpose, Record<string, string>>>;
  /** The issuer accepts the new value: beside the old one, or (`swap`) instead of it. */
  provision: Mark;
  /** `swap`: when the issuer took the new value, by its own clock. What was opened before was opened with the old one. */
  swappedAt?: string;
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
  /** `swap`: when the last of its consumers began to run with the new value. */
  startedAt?: string;
  /** The second deploy, which leaves the old value out of the file. */
  drop?: HostDrop;
  /** It failed, but no more than `maxFailures` did. */
  failed?: Reason;
  /** A person said to go on without it: it stays unproven. */
  skipped: boolean;
  /** A person accepted that it may be left with a dead value. */
  lossAccepted: boolean;
}

/** A host in the second deploy of a batch with `retire: deploy`. */
export interface HostDrop {
  /** Store path of what it runs with both values: the rotation's own, or what others have deployed since. */
  from: string;
  /** Store path of the system without the old value. */
  to?: string;
  files: InstalledFile[];
  copied: boolean;
  switched: Mark;
  verified: boolean;
}

/** The repo in the second deploy. */
export interface RepoDrop {
  /** Tip of main that it is made on. */
  base: string;
  branch: Mark;
  commit?: string;
  merge: Mark;
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
  parked?: { command: Command; reason: Reason } & Asked;
  epoch: number;
  /** The last sequence number given to a command. */
  seq: number;
  claimed: Mark;
  preflight: Mark;
  secrets: SecretJournal[];
  hosts: HostJournal[];
  repo: RepoJournal;
  /** When the soak began; `done` when it is over. */
  soak: { startedAt?: string; endedAt?: string; rounds: number; done: boolean };
  /** The second deploy has begun; see {@link HostDrop}. */
  drop?: RepoDrop;
  /** Nobody uses the old value any more. */
  drained: boolean;
  proved: { before: boolean; disabled: boolean; destroyed: boolean; later: boolean };
  destroyedAt?: string;
  tidied: boolean;
  recorded: boolean;
  released: boolean;
  proof: ProofLine[];
  steps: StepStatus[];
  /** What people were told last, so that nothing is told twice, and how often they were told. */
  told?: string;
  notices: number;
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
  | ({ do: 'encrypt' } & Pass)
  | ({ do: 'build'; hosts: string[] } & Pass)
  | ({ do: 'copy'; hosts: string[] } & Pass)
  | ({ do: 'advance'; hosts: string[] } & Pass)
  | ({ do: 'merge' } & Pass)
  /** Looks whether the second deploy can begin: where main and the hosts are by then. */
  | { do: 'rebase' }
  | { do: 'soak' }
  | { do: 'drain' }
  | { do: 'prove'; purpose: ProofPurpose }
  | { do: 'restore'; hosts: string[] }
  | { do: 'unpublish' }
  | { do: 'tidy' };

/** With `drop`: in the second deploy, which leaves the old values out of the files. */
export interface Pass {
  drop?: true;
}

export type ApplyPurpose = 'provision' | 'disable' | 'destroy' | 'reenable' | 'withdraw';
export type ProofPurpose = 'before' | 'disabled' | 'destroyed' | 'later';

/** With `NeedsPerson`: what he is asked for, in the kind's own word. */
export interface Asked {
  act?: string;
}

/** What became of a command. */
export type Outcome =
  | { ok: true; facts?: CommandFacts }
  | ({ ok: false; reason: Reason; facts?: CommandFacts; cancelled?: boolean } & Asked);

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
  secrets?: { name: string; old?: string; fresh?: string; existing?: string[]; swappedAt?: string }[];
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
    startedAt?: string;
    failed?: Reason;
  }[];
  /** Where the second deploy begins. */
  drop?: { base: string; hosts: { name: string; from: string; files: InstalledFile[] }[] };
  proof?: ProofLine[];
}
