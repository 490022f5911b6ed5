/**
 * What the activities are made of, as interfaces. The composition root (worker/)
 * fills them in; a test can hand in the same parts over another transport.
 */
import type { Fence } from '../domain/fence.js';
import type { ChannelFilter } from '../domain/notification.js';
import type { HostAccess } from '../domain/remote.js';
import type { SecretValue } from '../domain/secret-value.js';
import type { ConfigSpec, FormatSpec, HostSpec, SecretRef, SecretSpec } from '../domain/spec.js';
import type { CommandResult, Kind } from '../kinds/kind.js';
import type { DoctorFinding } from '../domain/doctor.js';
import type { Notifier } from '../notify/notifier.js';
import type { RotationState } from '../domain/steps.js';
import type { RotationRecord } from '../repo/record.js';

/** Long work tells that it lives, and stops when it is cancelled. */
export interface Pulse {
  heartbeat(detail?: string): void;
  signal: AbortSignal;
}

/** A secret file's content, parsed. */
export interface SecretFields {
  role?: string;
  password: SecretValue;
  /** What stands behind it in a list, newest first. */
  previous?: readonly SecretValue[];
}

/** The repo at one commit. */
export interface Snapshot {
  commit: string;
  config: ConfigSpec;
  /** Recipients of a secret's file, as the rules say. @throws RotateError BadRules, BadRecipient, UnknownSecret */
  recipients(secret: SecretSpec): Promise<string[]>;
  /** The content of a secret's file. @throws RotateError CannotOpen, UnknownSecret */
  read(secret: SecretSpec): Promise<SecretValue>;
  /** The ciphertext of a secret's file. @throws RotateError UnknownSecret */
  ciphertext(secret: SecretSpec): Promise<Uint8Array>;
  /** New ciphertext for every recipient that the rules name; nothing is written. */
  encrypt(secret: SecretSpec, content: SecretValue): Promise<Uint8Array>;
}

export interface Formats {
  parse(format: FormatSpec, content: SecretValue): SecretFields;
  render(format: FormatSpec, fields: SecretFields, old: SecretValue): SecretValue;
}

export interface EffectInRepo {
  rotationId: string;
  claims: readonly { secret: SecretRef; fence: Fence }[];
  /** Start of the rotation: the date of its commits, so that a retry makes the same. */
  date: Date;
  signal: AbortSignal;
}

export interface RepoPort {
  fetch(signal: AbortSignal): Promise<void>;
  /** Tip of a branch of the remote as of the last fetch. */
  tip(branch: string): Promise<string | undefined>;
  mainBranch(): Promise<string>;
  /** Commits that `to` has and `from` has not: `abc1234 subject (author)`. */
  describeCommits(from: string, to: string): Promise<string[]>;
  /** First-parent ancestors, nearest first, without the commit itself. */
  ancestors(commit: string, limit: number): Promise<string[]>;
  at(commit: string, signal: AbortSignal): Promise<Snapshot>;
  resolveSecret(config: ConfigSpec, name: string, environment?: string): SecretSpec;
  /** Highest fences that git has stored, for those secrets that have one. */
  fences(secrets: readonly SecretRef[], signal: AbortSignal): Promise<Fence[]>;
  /** Raises the fence in git, and changes nothing else there. @throws RotateError Superseded */
  reserve(effect: EffectInRepo): Promise<void>;
  /** A commit on `base` that no branch refers to. */
  commitTrial(
    base: string,
    files: Readonly<Record<string, Uint8Array>>,
    signal: AbortSignal,
  ): Promise<string>;
  /** The rotation's commit on its branch; a branch that is there already with the same fence is returned instead. */
  publish(
    effect: EffectInRepo & { base: string; files: Readonly<Record<string, Uint8Array>>; planDigest: string },
  ): Promise<string>;
  /** `changed`: main's rules or files moved on; encrypt again for `tip`. */
  merge(
    effect: EffectInRepo & {
      main: string;
      base: string;
      branchCommit: string;
      files: Readonly<Record<string, Uint8Array>>;
      planDigest: string;
      sameRules: (tip: string) => Promise<boolean>;
    },
  ): Promise<{ merged: string } | { changed: string }>;
  /** Writes the old blobs back on main where they are still this rotation's. */
  revert(
    effect: EffectInRepo & {
      main: string;
      since: string;
      /** The tip that {@link files} were encrypted for; default: they are the blobs of `since`. */
      base?: string;
      branchCommit?: string;
      files: Readonly<Record<string, Uint8Array>>;
      sameRules: (tip: string) => Promise<boolean>;
    },
  ): Promise<{ result: 'reverted' | 'nothing' } | { result: 'moved' | 'rules-changed'; tip: string }>;
  /** Gone already is success; the fence is raised in any case. */
  deleteBranch(effect: EffectInRepo): Promise<void>;
  writeRecord(record: RotationRecord, signal: AbortSignal): Promise<void>;
  /** Records of an environment as of the last fetch, newest first. */
  records(environment: string, signal: AbortSignal): Promise<RotationRecord[]>;
}

export interface HostFacts {
  bootId: string;
  running: string;
  booted?: string;
  profile: string;
  /** Bytes free where nix stores, and where the jobs live. */
  freeBytes: { store: number; state: number };
  fences: { secret: string; fence: Fence }[];
  /** A job of rotate's that is under way. */
  job?: string;
}

/** What a host's own configuration says about its secrets. */
export interface HostEvaluation {
  ageBin: string;
  identityPaths: string[];
  secrets: { file: string; path: string; owner: string; group: string; mode: string }[];
}

export interface ActivationPlan {
  stop: string[];
  start: string[];
  restart: string[];
  reload: string[];
}

export interface InstalledState {
  sha256: string;
  /** Name and number: a configuration may give either. */
  owners: string[];
  groups: string[];
  mode: string;
  inStore: boolean;
  /** On the host's monotonic clock, microseconds. */
  installedAtUs: number;
}

export interface UnitStatus {
  unit: string;
  ok: boolean;
  /** e.g. `active (running)`, `failed (exit-code)`. */
  state: string;
  /** On the host's monotonic clock, microseconds; 0: never. */
  startedAtUs: number;
}

/** The fleet: what is done on hosts, and on the worker for them. */
export interface FleetPort {
  access(config: ConfigSpec): HostAccess;
  facts(host: HostSpec, signal: AbortSignal): Promise<HostFacts>;
  evaluate(host: HostSpec, snapshot: Snapshot, pulse: Pulse): Promise<HostEvaluation>;
  /** Tries the host's own age and identities on a ciphertext. @throws RotateError HostCannotDecrypt */
  tryOpen(
    host: HostSpec,
    evaluation: HostEvaluation,
    ciphertext: Uint8Array,
    signal: AbortSignal,
  ): Promise<void>;
  build(host: HostSpec, snapshot: Snapshot, pulse: Pulse): Promise<string>;
  copy(host: HostSpec, toplevel: string, pulse: Pulse): Promise<void>;
  dryActivate(host: HostSpec, toplevel: string, pulse: Pulse): Promise<ActivationPlan>;
  converge(
    host: HostSpec,
    job: {
      id: string;
      rotation: string;
      from: readonly string[];
      to: string;
      secrets: readonly string[];
      fence: Fence;
      deadManMs: number;
      /** Whether a switch that failed is undone at once. */
      onFailure: 'undo' | 'keep';
      /** Units that are started again afterwards, so that their failure in the switch says nothing about it. */
      tolerate: readonly string[];
    },
    pulse: Pulse,
  ): Promise<{ installedAtUs: number; newlyFailed: string[] }>;
  restart(
    host: HostSpec,
    units: readonly { unit: string; action: 'restart' | 'reload' | 'none' }[],
    options: { sinceUs: number; stableMs: number },
    pulse: Pulse,
  ): Promise<{ restarted: string[]; /** Since the last of the units has started. */ runningForMs: number }>;
  units(host: HostSpec, units: readonly string[], signal: AbortSignal): Promise<UnitStatus[]>;
  inspectFile(host: HostSpec, path: string, signal: AbortSignal): Promise<InstalledState>;
  probe(host: HostSpec, probe: SecretSpec['probes'][number], signal: AbortSignal): Promise<string>;
  /** Lets the garbage collector have what the rotation pinned. */
  unpin(host: HostSpec, rotation: string, signal: AbortSignal): Promise<void>;
}

/** The claims, as Temporal has them. */
export interface ClaimsPort {
  lookUp(claim: string): Promise<{ holder: string; running: boolean } | undefined>;
  /** The state of a rotation, by its workflow id, as its memo says; undefined when there is none. */
  stateOf(rotation: string): Promise<RotationState | undefined>;
  /** Releases in the name of a holder that has ended, and waits until the claim is gone. */
  release(claim: string, holder: string): Promise<void>;
}

/** Someone who is told, and of what. */
export interface Channel extends ChannelFilter {
  notifier: Notifier;
}

/** Programs on the worker that rotate.yaml may name. */
export interface CommandsPort {
  readonly names: readonly string[];
  /** With `input` on its standard input. @throws RotateError BadConfig, Timeout; when `signal` aborts: its reason */
  run(name: string, input: Uint8Array, signal: AbortSignal): Promise<CommandResult>;
}

export interface Services {
  repo: RepoPort;
  fleet: FleetPort;
  claims: ClaimsPort;
  formats: Formats;
  kinds: ReadonlyMap<string, Kind<unknown>>;
  sealer: {
    seal(bytes: Uint8Array): Promise<string>;
    open(sealed: string): Promise<Uint8Array>;
    /** Newest first. */
    readonly recipients: readonly string[];
  };
  /** An admin login by name, from the worker's configuration. @param to the origin that it will be sent to */
  login(name: string, to?: string): Promise<SecretValue>;
  /** Commands that the worker's configuration declares. */
  commands: CommandsPort;
  /** In the order of worker.yaml. */
  notifiers: readonly Channel[];
  /** The worker's side of `rotate doctor`. */
  examineWorker(): Promise<DoctorFinding[]>;
}
