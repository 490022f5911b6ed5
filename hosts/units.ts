/** Makes units use what was installed: restarts or reloads those that have not yet, and sees that they stay up. */
import { setTimeout as pause } from 'node:timers/promises';
import { RotateError } from '../domain/failure.js';
import type { RemoteHost } from '../domain/remote.js';
import { assertUnit, unitStates } from './unit-state.js';
import type { UnitState } from './unit-state.js';

export interface UnitAction {
  unit: string;
  /** `none`: it reads the file by itself; only watched. */
  action: 'restart' | 'reload' | 'none';
}

export interface RestartOptions {
  /** When the file was installed, on the host's monotonic clock. What started or reloaded later has read it. */
  installedMonotonicUs: number;
  /** How long each must stay active, in milliseconds. */
  stableMs: number;
  heartbeat?: (note: string) => void;
  signal?: AbortSignal;
  /** For one restart or reload to end. Default 2 min. */
  timeoutMs?: number;
}

export interface RestartResult {
  restarted: string[];
  reloaded: string[];
  /** Used the new file already (the switch had restarted them, or an earlier attempt). */
  already: string[];
  /** Milliseconds since the last of the units has started or reloaded, on the host's clock. */
  runningForMs: number;
}

/**
 * In the given order, one after the other. Safe to call twice: what started after the file was installed is left alone.
 * @throws RotateError UnitFailed naming unit and state; HostUnknownOutcome, Timeout, …
 */
export async function restartUnits(
  host: RemoteHost,
  units: readonly UnitAction[],
  options: RestartOptions,
): Promise<RestartResult> {
  const result: RestartResult = { restarted: [], reloaded: [], already: [], runningForMs: 0 };
  for (const { unit, action } of units) {
    options.heartbeat?.(`${action} ${unit}`);
    const { states } = await unitStates(host, [unit], options.signal);
    const [state] = states;
    if (state === undefined || state.loadState !== 'loaded')
      throw new RotateError(
        'UnitFailed',
        `there is no unit ${unit} on ${host.name} (${state?.loadState ?? 'unknown'})`,
        {
          host: host.name,
          hint: 'correct consumers in rotate.yaml',
        },
      );
    if (action === 'none' || uses(state, action, options.installedMonotonicUs)) {
      result.already.push(unit);
      continue;
    }
    await act(host, unit, action, options);
    (action === 'restart' ? result.restarted : result.reloaded).push(unit);
  }
  result.runningForMs = await watch(
    host,
    units.map(({ unit }) => unit),
    options,
  );
  return result;
}

/** Whether the unit has (re)started, or for a reload at least reloaded, after the file was installed. */
export function uses(state: UnitState, action: 'restart' | 'reload', installedMonotonicUs: number): boolean {
  const up = state.activeState === 'active' || state.type === 'oneshot';
  const since = action === 'restart' ? state.startedMonotonicUs : state.changedMonotonicUs;
  return up && state.result === 'success' && since > installedMonotonicUs;
}

async function act(
  host: RemoteHost,
  unit: string,
  action: 'restart' | 'reload',
  options: RestartOptions,
): Promise<void> {
  const beat = setInterval(() => options.heartbeat?.(`${action} ${unit}`), 5_000);
  try {
    // A unit that is down cannot be reloaded: it is started, which reads the file as well.
    const { code } = await host.run({
      script: `if [ "$1" = reload ] && ! systemctl is-active --quiet -- "$2"; then set -- restart "$2"; fi
systemctl reset-failed -- "$2" 2>/dev/null
systemctl "$1" -- "$2"`,
      args: [action, assertUnit(unit)],
      timeoutMs: options.timeoutMs ?? 120_000,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    if (code === 0) return;
  } finally {
    clearInterval(beat);
  }
  const { states } = await unitStates(host, [unit], options.signal);
  throw unitFailed(host.name, states[0], unit, `after the ${action}`);
}

/**
 * Until each has been up for the whole time without an automatic restart.
 * @returns milliseconds since the last of them has started
 */
async function watch(host: RemoteHost, units: readonly string[], options: RestartOptions): Promise<number> {
  if (units.length === 0) return 0;
  let seen: Map<string, UnitState> | undefined;
  for (;;) {
    options.signal?.throwIfAborted();
    const { nowMonotonicUs, states } = await unitStates(host, units, options.signal);
    let shortest = Number.POSITIVE_INFINITY;
    for (const state of states) {
      const before = seen?.get(state.unit);
      if (state.type === 'oneshot') {
        // It does not stay: its last run counts.
        if (state.result !== 'success' || state.activeState === 'failed')
          throw unitFailed(host.name, state, state.unit, 'in its last run');
        continue;
      }
      if (state.activeState !== 'active')
        throw unitFailed(host.name, state, state.unit, 'when it should stay active');
      if (
        before !== undefined &&
        (before.restarts !== state.restarts || before.invocationId !== state.invocationId)
      )
        throw unitFailed(host.name, state, state.unit, 'having restarted by itself');
      const since = Math.max(state.activeSinceMonotonicUs, state.changedMonotonicUs);
      shortest = Math.min(shortest, (nowMonotonicUs - since) / 1000);
    }
    if (shortest >= options.stableMs) {
      const started = states.map((state) => Math.max(state.startedMonotonicUs, options.installedMonotonicUs));
      return Math.max(0, (nowMonotonicUs - Math.max(...started)) / 1000);
    }
    seen = new Map(states.map((state) => [state.unit, state]));
    options.heartbeat?.('waiting for units to stay active');
    await pause(Math.min(1_000, Math.max(100, options.stableMs - shortest)), undefined, {
      signal: options.signal,
    });
  }
}

/** Without lines of its journal, which nobody could redact. */
function unitFailed(host: string, state: UnitState | undefined, unit: string, when: string): RotateError {
  const how = state === undefined ? 'gone' : `${state.activeState} (${state.subState}, ${state.result})`;
  return new RotateError('UnitFailed', `${unit} on ${host} is ${how} ${when}`, {
    host,
    hint: `see journalctl -u ${unit} on ${host}`,
    details: { unit, ...(state === undefined ? {} : { restarts: state.restarts }) },
  });
}
