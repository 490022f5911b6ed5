/**
 * The activities as the workflows see them: types only, so that workflow code
 * never bundles what they are made of. Inputs and outputs are plain JSON and
 * small; values are sealed.
 */
import type { DoctorReport } from '../domain/doctor.js';
import type { Reason } from '../domain/failure.js';
import type { DueVerdict } from '../domain/due-verdict.js';
import type { Fence } from '../domain/fence.js';
import type { ApplyPurpose, InstalledFile, ProofPurpose } from '../domain/journal.js';
import type { Notification, NotificationEvent } from '../domain/notification.js';
import type { DigestedPlan, Plan } from '../domain/plan.js';
import type { ProofLine, RotationStatus } from '../domain/status.js';
import type { RotationState } from '../domain/steps.js';

/** What every activity of a rotation is told. */
export interface RotationScope {
  id: string;
  environment: string;
  secrets: string[];
  /** The commit whose rotate.yaml is in force. */
  base: string;
}

/** A secret with its sealed values. */
export interface SealedSecret {
  name: string;
  old: string;
  fresh?: string;
}

/** What a file lists: the new value, or (`both`) the old one behind it as well. */
export type NewContent = 'new' | 'both';

export interface HostScope extends RotationScope {
  host: string;
}

/** What an activity tells beside its result. */
export interface Proven {
  proof: ProofLine[];
}

export interface PlanRequest {
  environment?: string;
  secrets: string[];
}

/** Secrets of these, and not by name; nothing: all. */
export interface PlansRequest {
  environment?: string;
  tags?: string[];
  /** Only what a schedule or an age limit asks for. */
  due?: boolean;
}

export interface Plans {
  /** Of all batches, in the order in which they are to be carried out. */
  plans: DigestedPlan[];
  /** Sentences: what is due and cannot be started now, and why. */
  leftOut: string[];
}

export interface RecordInput {
  status: RotationStatus;
  by: string;
  why?: string;
  commit: string;
  planDigest: string;
  details: {
    name: string;
    kind: string;
    file: string;
    oldAccount?: string;
    /** Who has done what only a person can do, by what it was for. */
    confirmed?: Partial<Record<ApplyPurpose, string>>;
    fence: string;
  }[];
}

export interface InspectActivities {
  makePlan(input: PlanRequest): Promise<DigestedPlan>;
  /** In the order in which they are to be carried out. */
  makePlans(input: PlansRequest): Promise<Plans>;
  examine(input: { environment?: string; hosts?: string[] }): Promise<DoctorReport>;
}

export interface Unplanned {
  /** Its name. */
  secret: string;
  /** What is wrong with it, for a person. */
  reason: string;
}

/** What a schedule finds when it looks. */
export interface Assessment {
  /** Whether main's rotate.yaml still has the schedule. */
  declared: boolean;
  verdict?: DueVerdict;
  /** What is to be started, in order. */
  batches: DigestedPlan[];
  /** Of each batch, the places of those that it comes after; absent: of all before it. */
  comesAfter?: number[][];
  /** Due, and a person has to bring the new value. */
  people: string[];
  /** Due, and cannot be planned, or comes after what cannot. */
  unplanned: Unplanned[];
  /** The reason that the schedule gives. */
  why?: string;
}

export interface DueActivities {
  /** @param since when the schedule was made: what passed before was not missed */
  assess(input: { environment: string; schedule: string; since?: string }): Promise<Assessment>;
  /** Whether the schedule may still start something, as main has it now; `closed` says why not. */
  mayStart(input: { environment: string; schedule: string }): Promise<{ closed?: string }>;
  /** As the rotation's memo says; absent when there is none. */
  stateOf(input: { rotation: string }): Promise<{ state?: RotationState }>;
  /** What is to be told of secrets that come near their age limit. */
  findOld(input: { environment: string }): Promise<{ notices: Notification[] }>;
}

export interface RotationActivities {
  /** Who holds a claim, and whether that rotation still runs; with `release`, a claim of one that ended is released. */
  lookUpHolder(input: {
    claim: string;
    release: boolean;
  }): Promise<{ holder: string; running: boolean; released: boolean }>;

  // preflight: changes nothing
  inspectRepo(input: { scope: RotationScope; plan: Plan; digest: string }): Promise<{
    base: string;
    fence: Fence;
    secrets: { name: string; old: string }[];
  }>;
  /** With `old`, the old value as it is to be kept from here on: with what the issuer has stored for it. */
  inspectIssuer(input: {
    scope: RotationScope;
    secret: SealedSecret;
  }): Promise<{ fence: Fence; old?: string; existing?: string[] }>;
  inspectHost(input: HostScope): Promise<{ running: string; files: InstalledFile[]; fence: Fence }>;
  /** Refuses when the build of the base is not what the host runs, boots and has in its profile. */
  compareHost(input: { scope: HostScope; running: string }): Promise<void>;
  /** The old value works from the host, and a wrong one does not. */
  takeBaseline(input: { scope: HostScope; secrets: SealedSecret[] }): Promise<Proven>;
  /** A commit that no branch refers to, with the old values encrypted again. */
  makeTrial(input: { scope: RotationScope }): Promise<{ commit: string }>;
  /** Builds and copies the trial, and refuses when its dry activation would touch units that the plan does not name. */
  rehearse(input: { scope: HostScope; trial: string }): Promise<void>;

  generate(input: {
    scope: RotationScope;
    secret: SealedSecret;
    brought?: string;
    existing?: string[];
  }): Promise<{ fresh: string }>;
  /** `at` by the worker's clock, `issuerAt` by the issuer's, where that can be asked. */
  apply(input: {
    scope: RotationScope;
    /** Without `fresh` where the issuer was to make it and its answer was lost. */
    secret: SealedSecret;
    purpose: ApplyPurpose;
    fence: Fence;
    existing?: string[];
    since?: string;
    confirmedBy?: string;
    /** The same by what he was asked for; absent where that is not known. */
    confirmedActs?: Record<string, string>;
  }): Promise<{ changed: boolean; endedSessions: number; at: string; issuerAt?: string }>;
  publish(input: {
    scope: RotationScope;
    secrets: Required<SealedSecret>[];
    digest: string;
    fence: Fence;
    content: NewContent;
  }): Promise<{ commit: string }>;
  build(input: { scope: HostScope; commit: string }): Promise<{ toplevel: string }>;
  copy(input: { scope: HostScope; commit: string; toplevel: string }): Promise<void>;
  converge(input: {
    scope: HostScope;
    direction: 'advance' | 'restore';
    from: string[];
    to: string;
    /** Commit that `to` is the build of. */
    commit: string;
    fence: Fence;
    /** On the way back: what to put into a system that someone else has deployed. */
    secrets?: SealedSecret[];
    /** `commit`, where the host had moved on: what is installed now is what that has, with the old value in it. */
  }): Promise<{ installedAtUs: number; newlyFailed: string[]; commit?: string }>;
  /** `startedAt`: when the last of the consumers began to run with what is installed. */
  restart(input: {
    scope: HostScope;
    files: InstalledFile[];
  }): Promise<{ restarted: string[]; startedAt: string }>;
  verify(input: {
    scope: HostScope;
    files: InstalledFile[];
    /** Commit whose file contents are the right ones; for the old value, with that in them. */
    commit: string;
    secrets: SealedSecret[];
    /** Which of the two values must work. */
    value: 'old' | 'fresh';
    /** Right after the switch: consumers must have started since. */
    justSwitched: boolean;
  }): Promise<Proven>;
  merge(input: {
    scope: RotationScope;
    commit: string;
    secrets: Required<SealedSecret>[];
    digest: string;
    fence: Fence;
    content: NewContent;
  }): Promise<{ merged: string }>;
  /** @throws StillInUse naming who */
  checkUsers(input: { scope: RotationScope; secret: SealedSecret; since?: string }): Promise<Proven>;
  prove(input: {
    scope: RotationScope;
    secret: Required<SealedSecret>;
    purpose: ProofPurpose;
    hosts: string[];
    since?: string;
  }): Promise<Proven>;
  /** Where hosts are the only ones that accept a value: the old one is in no file that a consumer could read. */
  proveGone(input: {
    scope: HostScope;
    files: InstalledFile[];
    commit: string;
    secrets: Required<SealedSecret>[];
    purpose: ProofPurpose;
  }): Promise<Proven>;
  /** Tip of main for a second deploy. @throws PlanChanged when the plan is another there */
  findBase(input: { scope: RotationScope; plan: Plan }): Promise<{ base: string }>;
  unpublish(input: {
    scope: RotationScope;
    commit?: string;
    mayBeMerged: boolean;
    secrets: Required<SealedSecret>[];
    fence: Fence;
  }): Promise<void>;
  /** Marks the secrets in git as this rotation's, before any issuer is touched: keeps two Temporal servers apart. */
  reserve(input: { scope: RotationScope; fence: Fence }): Promise<void>;
  /** Unpins on the hosts; once `done`, deletes the rotation's branch, which main has by then. */
  tidy(input: {
    scope: RotationScope;
    hosts: string[];
    done: boolean;
    fence: Fence;
  }): Promise<{ left: Reason[] }>;
  record(input: RecordInput): Promise<void>;
}

/** Each channel is delivered to by itself, so that one that is down keeps nothing from the others. */
export interface NotifyActivities {
  /** Names of the channels that are told of it, as worker.yaml says now. */
  listChannels(input: { event: NotificationEvent; environment: string }): Promise<{ channels: string[] }>;
  /**
   * One attempt. Where the receiver asks to be left alone for a while, the failure carries that as Temporal's delay of the
   * next one.
   * @throws NotifyUnreachable, to be tried again; NotifyRefused, not; BadConfig when there is no such channel any more
   */
  deliver(input: { channel: string; notification: Notification }): Promise<void>;
}
