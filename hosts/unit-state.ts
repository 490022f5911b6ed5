/** What systemd on a host says of units; read only. */
import { z } from 'zod';
import { RotateError } from '../domain/failure.js';
import type { RemoteHost } from '../domain/remote.js';
import { keyValues } from './remote-paths.js';
import { monotonicClock } from './shell-library.js';

export interface UnitState {
  unit: string;
  /** `loaded`, `not-found`, `masked`, … */
  loadState: string;
  /** `active`, `inactive`, `failed`, `activating`, `deactivating`, `reloading`. */
  activeState: string;
  /** e.g. `running`, `exited`, `auto-restart`. */
  subState: string;
  /** Of a service: `simple`, `notify`, `oneshot`, …; absent for other units. */
  type?: string;
  /** 0: none. */
  mainPid: number;
  /** Changes with each start, not with a reload. */
  invocationId: string;
  /** Automatic restarts since it was last started by hand. */
  restarts: number;
  /** Outcome of the last run: `success`, `exit-code`, … */
  result: string;
  /**
   * When the last start began (what it read then may be older than this only by what the start itself took), in
   * microseconds of the host's monotonic clock; 0: never.
   */
  startedMonotonicUs: number;
  activeSinceMonotonicUs: number;
  /** Also changes at the end of a reload. */
  changedMonotonicUs: number;
  mainStartedMonotonicUs: number;
}

const properties = [
  'LoadState',
  'ActiveState',
  'SubState',
  'Type',
  'MainPID',
  'InvocationID',
  'NRestarts',
  'Result',
  'InactiveExitTimestampMonotonic',
  'ActiveEnterTimestampMonotonic',
  'StateChangeTimestampMonotonic',
  'ExecMainStartTimestampMonotonic',
];

const count = z.string().regex(/^\d+$/).transform(Number).catch(0);
const shape = z.object({
  LoadState: z.string(),
  ActiveState: z.string(),
  SubState: z.string(),
  Type: z.string().optional(),
  MainPID: count,
  InvocationID: z.string().default(''),
  NRestarts: count,
  Result: z.string().default('success'),
  InactiveExitTimestampMonotonic: count,
  ActiveEnterTimestampMonotonic: count,
  StateChangeTimestampMonotonic: count,
  ExecMainStartTimestampMonotonic: count,
});

/** A unit's name that is neither an option nor a pattern. @throws RotateError BadConfig */
export function assertUnit(unit: string): string {
  if (!/^[A-Za-z0-9:_.\\@][A-Za-z0-9:_.\\@-]*\.[a-z]+$/.test(unit))
    throw new RotateError('BadConfig', `${JSON.stringify(unit)} is not the name of a unit`, {
      hint: 'write it with its type, e.g. app.service',
    });
  return unit;
}

/** The states of `units` and the host's monotonic clock, from one look. In the given order. */
export async function unitStates(
  host: RemoteHost,
  units: readonly string[],
  signal?: AbortSignal,
): Promise<{ nowMonotonicUs: number; states: UnitState[] }> {
  const { code, stdout, stderr } = await host.run({
    script: `${monotonicClock}
for u in "$@"; do systemctl show --property=${properties.join(',')} -- "$u" || exit; echo; done
echo "now=$(monotonic_us)"`,
    args: units.map(assertUnit),
    timeoutMs: 30_000,
    ...(signal === undefined ? {} : { signal }),
  });
  const blocks = stdout.trimEnd().split(/\n\n+/);
  const now = /^now=(\d+)$/.exec(blocks.pop()?.trim() ?? '')?.[1];
  if (code !== 0 || now === undefined || blocks.length !== units.length)
    throw new RotateError(
      'Internal',
      `systemd on ${host.name} does not answer: ${stderr.trim().slice(0, 4096)}`,
      {
        host: host.name,
        hint: `try \`systemctl status\` on ${host.name}`,
      },
    );
  return {
    nowMonotonicUs: Number(now),
    states: units.map((unit, i) => toState(unit, keyValues(blocks[i] ?? ''))),
  };
}

function toState(unit: string, values: ReadonlyMap<string, string>): UnitState {
  const raw = shape.parse(Object.fromEntries(values));
  return {
    unit,
    loadState: raw.LoadState,
    activeState: raw.ActiveState,
    subState: raw.SubState,
    ...(raw.Type === undefined ? {} : { type: raw.Type }),
    mainPid: raw.MainPID,
    invocationId: raw.InvocationID,
    restarts: raw.NRestarts,
    result: raw.Result,
    startedMonotonicUs: raw.InactiveExitTimestampMonotonic,
    activeSinceMonotonicUs: raw.ActiveEnterTimestampMonotonic,
    changedMonotonicUs: raw.StateChangeTimestampMonotonic,
    mainStartedMonotonicUs: raw.ExecMainStartTimestampMonotonic,
  };
}
