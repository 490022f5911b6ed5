/**
 * Every failure that `rotate` names.
 *
 * A failure has a stable `type` for scripts and for decisions (errors are matched
 * by type, because `instanceof` does not survive the workflow sandbox or the
 * wire), a sentence for a person, and a hint. None carries a secret.
 */

/** How a failure is treated; the type decides, so that no call site can disagree with another. */
export type FailureClass =
  /** goes away by itself: network, lock, busy. Retried with backoff */
  | 'transient'
  /** stays as it is until a person acts: wrong password, failed validation, refused host key. Never retried */
  | 'final';

/** Types and their class. Sorted by who raises them. */
export const failureClasses = {
  // what was asked for
  Usage: 'final',
  BadConfig: 'final',
  UnknownSecret: 'final',
  AmbiguousSecret: 'final',
  UnknownHost: 'final',
  UnknownRotation: 'final',
  UnknownSchedule: 'final',
  PlanChanged: 'final',
  NotAllowed: 'final',
  Busy: 'final',
  Blocked: 'final',
  // stores
  BadRules: 'final',
  BadRecipient: 'final',
  BadFormat: 'final',
  CannotOpen: 'final',
  // hosts
  HostKeyMismatch: 'final',
  HostAuthFailed: 'final',
  HostUnreachable: 'transient',
  HostBusy: 'transient',
  HostUnknownOutcome: 'transient',
  HostCannotDecrypt: 'final',
  NoSpace: 'final',
  Drift: 'final',
  UnexpectedUnits: 'final',
  BuildFailed: 'final',
  CopyFailed: 'transient',
  SwitchFailed: 'final',
  UnitFailed: 'final',
  HostMoved: 'final',
  // issuers
  IssuerUnreachable: 'transient',
  IssuerBusy: 'transient',
  IssuerAuthFailed: 'final',
  IssuerMisconfigured: 'final',
  OldValueRejected: 'final',
  NewValueRejected: 'final',
  AcceptsAnything: 'final',
  StillInUse: 'transient',
  NotDead: 'transient',
  // only a person can do it: the message says what
  NeedsPerson: 'final',
  // verify
  VerifyFailed: 'final',
  // git
  GitUnreachable: 'transient',
  GitConflict: 'transient',
  RepoChanged: 'final',
  GitAuthFailed: 'final',
  GitRefused: 'final',
  GitFailed: 'final',
  // channels of notifications
  NotifyUnreachable: 'transient',
  NotifyRefused: 'final',
  // the protocol
  Superseded: 'final',
  Forged: 'final',
  Timeout: 'transient',
  // Temporal
  TemporalUnreachable: 'transient',
  NoWorker: 'transient',
  WrongKey: 'final',
  Interrupted: 'final',
  Internal: 'final',
} as const satisfies Record<string, FailureClass>;

export type FailureType = keyof typeof failureClasses;

/** Whether `type` is one of ours. */
export function isFailureType(type: unknown): type is FailureType {
  return typeof type === 'string' && Object.hasOwn(failureClasses, type);
}

/** What is told of a failure: in JSON, in the journal and on the terminal. */
export interface Reason {
  type: FailureType;
  message: string;
  hint?: string;
}

export interface FailureOptions {
  /** What to do now, one sentence, lowercase. */
  hint?: string;
  /** Where it went wrong, when a host is concerned. */
  host?: string;
  /** Machine-readable facts that decisions need (never a secret). */
  details?: Readonly<Record<string, string | number | boolean | readonly string[]>>;
  cause?: unknown;
}

/** An error with a stable type; see {@link failureClasses}. */
export class RotateError extends Error {
  override readonly name = 'RotateError';
  readonly type: FailureType;
  readonly hint: string | undefined;
  readonly host: string | undefined;
  readonly details: FailureOptions['details'];

  constructor(type: FailureType, message: string, options: FailureOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.type = type;
    this.hint = options.hint;
    this.host = options.host;
    this.details = options.details;
  }

  /** Whether trying again can help. */
  get retryable(): boolean {
    return failureClasses[this.type] === 'transient';
  }

  /** The part that is told. */
  toReason(): Reason {
    return {
      type: this.type,
      message: this.message,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
    };
  }
}

/** The `RotateError` that `error` is, or is caused by. */
export function asRotateError(error: unknown): RotateError | undefined {
  for (let e: unknown = error; e instanceof Error; e = e.cause) if (e instanceof RotateError) return e;
  return undefined;
}
