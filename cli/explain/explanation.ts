/** All that is told of a secret, as `rotate explain --json` prints it. Times are milliseconds, or RFC 3339 in UTC. */
import type { Age } from '../../domain/age.js';
import type { DueState } from '../../domain/due-verdict.js';
import type { Reason } from '../../domain/failure.js';
import type { PlannedHost, PlannedSecret } from '../../domain/plan.js';
import type { EnvironmentSpec, PolicySpec } from '../../domain/spec.js';
import type { RotationState } from '../../domain/steps.js';

export interface Explanation {
  environment: string;
  name: string;
  kind: string;
  /** What a secret of the kind is. */
  about: string;
  store: EnvironmentSpec['store'];
  file: string;
  format: ExplainedFormat;
  /** Names of others in the same file. */
  sharesFileWith: string[];
  /** Hosts with a unit that reads it. */
  consumers: PlannedHost[];
  endpoints: string[];
  /** What `verify` asks, as text. */
  probes: string[];
  tags: string[];
  after: string[];
  /** Secrets that are rotated after this one. */
  before: string[];
  policy: Omit<PolicySpec, 'budgets'>;
  rotation: {
    source: PlannedSecret['source'];
    overlap: PlannedSecret['overlap'];
    generate: string;
    retire: PlannedSecret['retire'];
    keepOldMs?: number;
    words: string[];
  };
  kill: {
    by: PlannedSecret['kill'];
    canDisable: boolean;
    disable: string;
    destroy: string;
    words: string[];
  };
  schedules: ExplainedSchedule[];
  maxAgeMs?: number;
  warnBeforeMs?: number;
  age?: Age;
  /** Newest first, a few. */
  history: ExplainedRotation[];
  commands: { command: string; does: string }[];
  /** What a worker says; absent when none was asked or answered. */
  worker?: ExplainedByWorker;
  /** Why none answered. */
  workerMissing?: Reason;
}

export interface ExplainedFormat {
  type: 'raw' | 'env' | 'json' | 'yaml';
  variable?: string;
  path?: readonly (string | number)[];
  template?: string;
  /** Older values may stand behind the one in use. */
  list: boolean;
}

export interface ExplainedSchedule {
  name: string;
  rhythm: string;
  /** As far as the log branch says; what is under way is not in it. */
  state: DueState;
  why: string;
  next?: string;
}

export interface ExplainedRotation {
  id: string;
  state: RotationState;
  startedAt: string;
  endedAt?: string;
  by: string;
  why?: string;
  reason?: Reason;
}

export interface ExplainedByWorker {
  /** The commit of the main branch that it looked at. */
  commit: string;
  /** Account in use, where the kind has accounts. */
  account?: string;
  recipients: string[];
  /** Hosts that install the file. */
  holders: string[];
  notes: string[];
  underWay: { id: string; state: RotationState; startedAt: string }[];
}
