/**
 * The interface of a kind: one type of credential, how it is generated,
 * provisioned, tested and revoked.
 *
 * A kind decides nothing about the order of a rotation; it has one effect,
 * {@link Kind.apply}, which converges the issuer to a target and may be called
 * twice, late and at the same time as another attempt.
 */
import type { ValuePool } from '../domain/batches.js';
import type { CheckResult, Credential, CredentialUser, Target } from '../domain/credential.js';
import type { Fence } from '../domain/fence.js';
import type { ApplyPurpose } from '../domain/journal.js';
import type { HostAccess } from '../domain/remote.js';
import type { SecretValue } from '../domain/secret-value.js';
import type { SecretRef } from '../domain/spec.js';

/** What a kind is handed for each call. */
export interface KindContext {
  secret: SecretRef;
  /** The rotation's id, by which an issuer that makes the values can mark them; absent outside of one. */
  rotation?: string;
  hosts: HostAccess;
  /**
   * An admin login by its name in the worker's configuration.
   * @param to the origin that it will be sent to; absent: the server that it names itself
   * @throws RotateError BadConfig when there is none, or it may not be sent there
   */
  login(name: string, to?: string): Promise<SecretValue>;
  /**
   * Runs a command that the worker's configuration declares, with `input` on its standard input.
   * @throws RotateError BadConfig; Timeout
   */
  command(name: string, input: Uint8Array): Promise<CommandResult>;
  /** Names of those commands, where known. */
  commands?: readonly string[];
  /** Hosts with a unit that reads the secret, where known. */
  consumers?: readonly string[];
  /** Aborted when the attempt is cancelled or runs out of time. */
  signal: AbortSignal;
}

/** How a command ended. What it printed is cut off after 4 KiB each, and may hold what it was given. */
export interface CommandResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** Where the issuer stands. */
export interface IssuerState {
  /** Highest fence that the issuer has stored for this secret. */
  fence: Fence;
  /** Facts that `rotate doctor` shows, e.g. `{ "PostgreSQL": "17.6", "spare role": "app_b" }`. */
  facts: Readonly<Record<string, string>>;
  /** What makes a rotation unsafe, as sentences for a person with a remedy. Empty: nothing. */
  problems: readonly { message: string; hint: string }[];
  /** What the issuer has stored for the value in use, where that is to be put back by an undo (`swap`). */
  verifier?: SecretValue;
  /** Ids of all that the issuer accepts now, where it makes the values: what comes later is not among them. */
  existing?: readonly string[];
}

/** What a new value is made from, beside the settings. */
export interface Given {
  /** The value that a person brought (`source: person`). */
  brought?: Credential;
  /** See {@link IssuerState.existing}. */
  existing?: readonly string[];
}

/** Both sides of a rotation, as an effect is handed them. */
export interface Credentials {
  old: Credential;
  /** Absent where the issuer was to make it, and its answer was lost. */
  new?: Credential;
  /** See {@link IssuerState.existing}. */
  existing?: readonly string[];
  /** `swap`: when the issuer took the new value, by its own clock (RFC 3339). Sessions older than that are the old value's. */
  since?: string;
  /** Who said that he has done it, where only a person can. */
  confirmedBy?: string;
  /**
   * Who has said so of what he was asked for, by the `act` among the details of `NeedsPerson`. Absent: that is not
   * known, and `confirmedBy` is all that there is.
   */
  confirmedActs?: Readonly<Record<string, string>>;
  /**
   * What the rotation does it for, where the target does not tell: the way back of `dual` has that of the way there.
   * Absent: any.
   */
  purpose?: ApplyPurpose;
}

export interface Applied {
  changed: boolean;
  endedSessions: number;
  /** When, by the issuer's clock, where that matters (RFC 3339). */
  at?: string;
}

/** How an old value ends. */
export type Retirement =
  /** The issuer forgets it. */
  | { by: 'issuer' }
  /** The file lists it behind the new one, for so long; then a second deploy leaves it out. */
  | { by: 'deploy'; keepOldMs: number };

export interface Kind<Settings> {
  readonly id: string;
  /**
   * What kills the credential: the issuer's refusal, a deploy of a new one (there is no issuer: hosts accept what
   * they have installed), or a person.
   */
  readonly kill: 'issuer' | 'deploy' | 'manual';
  /** Who makes a new value. */
  readonly source: 'worker' | 'issuer' | 'person';
  /**
   * Codes that a right value is refused with while it is disabled, where they differ from those for a wrong
   * value: another code then means that the wrong value was tested.
   */
  disabledCodes?(settings: Settings): readonly string[];
  /** `dual`: old and new are valid at once. `swap`: the issuer knows one value at a time. */
  overlap(settings: Settings): 'dual' | 'swap';
  /** Whether the issuer can refuse the old value in a way that can be undone. */
  canDisable(settings: Settings): boolean;
  retirement(settings: Settings): Retirement;
  /** Hosts of the fleet that the issuer itself runs on: `swap` takes those that hold the file before the others. */
  issuerHosts(settings: Settings): readonly string[];
  /** `source: issuer`, where what an attempt has left is looked for among the values of others. */
  pool?(settings: Settings): ValuePool | undefined;
  /** Whether the file has to say which account the value belongs to. */
  needsAccount(settings: Settings): boolean;
  /** What consumers connect through, as configured. */
  endpoints(settings: Settings): readonly string[];
  /** One sentence for each effect on the issuer, for the plan. `account` is the one in use, where known. */
  describe(
    settings: Settings,
    account: string | undefined,
  ): { generate: string; disable: string; destroy: string };

  /**
   * Reads where the issuer is; changes nothing.
   * @param current the value in use
   * @throws RotateError IssuerUnreachable, IssuerAuthFailed, IssuerMisconfigured
   */
  inspect(context: KindContext, settings: Settings, current: Credential): Promise<IssuerState>;
  /**
   * A new credential from a CSPRNG; talks to nobody unless the issuer makes the value. Then an attempt first deletes
   * what an earlier one has left.
   */
  generate(context: KindContext, settings: Settings, current: Credential, given?: Given): Promise<Credential>;
  /**
   * Converges the issuer to `target`. Ends the old credential's sessions when it is not to be valid. What is
   * there already, or absent already, counts as success; the fence is stored even when nothing else changes.
   * @throws RotateError Superseded when the issuer has seen a higher fence; NeedsPerson
   */
  apply(
    context: KindContext,
    settings: Settings,
    credentials: Credentials,
    target: Target,
    fence: Fence,
  ): Promise<Applied>;
  /**
   * Tries the credential as a consumer would, through every endpoint, from `from` (a host) or from the worker.
   * Never throws for what the issuer or the network says: that is an outcome. Empty: there is no way to try it.
   */
  check(
    context: KindContext,
    settings: Settings,
    credential: Credential,
    from?: string,
  ): Promise<CheckResult[]>;
  /**
   * Proves that the probe can tell right from wrong: tries a wrong value for the same account.
   * An `accepted` here means that the endpoint accepts anything (PostgreSQL's `trust`).
   */
  checkWrong(
    context: KindContext,
    settings: Settings,
    credential: Credential,
    from?: string,
  ): Promise<CheckResult[]>;
  /**
   * Who still uses the credential; undefined where nobody can tell.
   * @param since see {@link Credentials.since}
   */
  users(
    context: KindContext,
    settings: Settings,
    credential: Credential,
    since?: string,
  ): Promise<CredentialUser[] | undefined>;
}
