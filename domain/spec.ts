/**
 * What `rotate.yaml` says, resolved: defaults filled in, tags expanded, policies
 * merged. `config/` makes these from the file; everything else reads only these.
 */
import type { FreezeSpec, ScheduleSpec } from './schedule.js';

export interface SecretRef {
  environment: string;
  name: string;
}

/** `prod/db-password`: unique in the repo, used in messages and in ids. */
export function formatSecretRef(ref: SecretRef): string {
  return `${ref.environment}/${ref.name}`;
}

export interface RepoSpec {
  /** What hosts are built from. */
  branch: string;
  /** Folder of flake.nix, relative to the root of the repo; `.` for the root itself. */
  flake: string;
}

export interface EnvironmentSpec {
  name: string;
  store: 'agenix' | 'sops';
  /** The agenix rules file, relative to the root of the repo. */
  rules?: string;
}

export interface HostSpec {
  name: string;
  environment: string;
  address: string;
  port: number;
  user: string;
  /** Reach root through `sudo -n`. */
  sudo: boolean;
  /** `ssh-ed25519 AAAA…`; without it the worker's known_hosts must have the key. */
  hostKey?: string;
  /** Attribute of nixosConfigurations. */
  configuration: string;
  /** `worker`, or the name of the host that builds (`--build-host`). */
  build: string;
  tags: readonly string[];
}

/** A unit on some hosts that reads the secret. */
export interface ConsumerSpec {
  /** Host names, tags expanded, sorted. */
  hosts: readonly string[];
  /** In the order in which they are restarted. */
  units: readonly string[];
  action: 'restart' | 'reload' | 'none';
}

/** A user's own probe, run for each consumer host. */
export type ProbeSpec =
  | { type: 'http'; url: string; status: number }
  | { type: 'tcp'; address: string; port: number }
  | { type: 'command'; argv: readonly string[]; timeoutMs: number };

/** How the credential stands in its file. */
export interface FormatSpec {
  type: 'raw' | 'env' | 'json' | 'yaml';
  /** env: the variable's name. */
  variable?: string;
  /** json, yaml: the keys (in a list, the indexes) that lead to the value. */
  path?: readonly (string | number)[];
  /** With `{role}` and `{password}`; without it the file (or variable) holds the password alone. */
  template?: string;
  /**
   * The value is the first of a list, and what it replaced may stand behind it. raw, env: the text between them;
   * json, yaml: a list of texts, whatever this says.
   */
  list?: { separator: string };
}

export interface PolicySpec {
  name: string;
  /** Hosts of the first wave. */
  canary: readonly string[];
  /** Each entry a number of hosts or a percentage such as `25%` of all, cumulative. */
  waves: readonly (number | string)[];
  /** Hosts at once, over all waves. */
  parallel: number;
  /** Hosts that may fail before the rotation is undone. */
  maxFailures: number;
  /** Milliseconds that a unit must stay active. */
  stableMs: number;
  soakMs: number;
  /** Delay of the second proof, before the rotation is `done`. */
  proveAgainMs: number;
  /** Dead man's timer, counted from the end of the switch. */
  deadManMs: number;
  budgets: BudgetSpec;
}

/** How long each kind of work is tried again, in milliseconds; see docs/configuration.md. */
export interface BudgetSpec {
  apply: number;
  repo: number;
  converge: number;
  undo: number;
  /** How long users of the old value are waited for before the rotation parks. */
  drain: number;
}

export interface SecretSpec extends SecretRef {
  /** Id of the kind; its own settings are in {@link settings}. */
  kind: string;
  /** The ciphertext, relative to the root of the repo. */
  file: string;
  format: FormatSpec;
  /** The block named as the kind, parsed by the kind's own schema. */
  settings: unknown;
  consumers: readonly ConsumerSpec[];
  probes: readonly ProbeSpec[];
  policy: PolicySpec;
  /** Names for groups of secrets (`rotate start --tag`). */
  tags: readonly string[];
  /** Secrets of the same environment that are rotated before this one. */
  after: readonly string[];
  /** How old its value may become, in milliseconds since its last rotation that succeeded; undefined: as old as you like. */
  maxAgeMs?: number;
  /** With `maxAgeMs`, and shorter: how long before then it counts as due soon. */
  warnBeforeMs?: number;
}

export interface ConfigSpec {
  repo: RepoSpec;
  environments: readonly EnvironmentSpec[];
  hosts: readonly HostSpec[];
  secrets: readonly SecretSpec[];
  schedules: readonly ScheduleSpec[];
  freezes: readonly FreezeSpec[];
}
