/** What a status says of each host, and how urgent it is. */
import type { HostStatus, RotationStatus, StepStatus } from '../../domain/status.js';
import { isEndState, stepNames, type StepName, type StepState } from '../../domain/steps.js';
import { oneLine } from './text.js';

/** A step, of the rotation or on a host. */
export interface Cell {
  state: StepState;
  /** Milliseconds that it took, or takes so far. */
  took?: number;
  /** How often it was begun, where that is more than once. */
  attempts?: number;
}

/** The most urgent first. `waiting`: something is still to come. */
export const standings = ['failed', 'running', 'waiting', 'undone', 'skipped', 'done'] as const;
export type Standing = (typeof standings)[number];

export interface HostRow {
  name: string;
  cells: Readonly<Record<StepName, Cell | undefined>>;
  standing: Standing;
  /** Where it is. */
  step: StepName;
  /** What it says there; empty where nothing runs or failed. */
  message: string;
}

/** More of a message than any drawing has room for. */
const longestMessage = 2_000;

/** Only what goes back has a reason while it runs. */
export function isUndoing({ state, reason }: RotationStatus): boolean {
  return state === 'running' && reason !== undefined;
}

/** The six steps as a whole. @param now milliseconds since the epoch */
export function stepCells(status: RotationStatus, now: number): Record<StepName, Cell | undefined> {
  return byStep((name) => {
    const step = stepIn(status, name);
    if (step === undefined) return undefined;
    return {
      state: step.state,
      ...timeOf(step, status, now),
      ...(step.attempts > 1 ? { attempts: step.attempts } : {}),
    };
  });
}

/** In the order in which they were first heard of. @param now milliseconds since the epoch */
export function hostRows(status: RotationStatus, now: number): HostRow[] {
  const seen = new Map<string, Partial<Record<StepName, HostStatus>>>();
  const undoing = isUndoing(status);
  for (const step of status.steps)
    for (const host of step.hosts) {
      const known = seen.get(host.name) ?? {};
      known[step.name] = undoing ? host : settled(host, step);
      seen.set(host.name, known);
    }
  return [...seen].map(([name, hosts]) => {
    const [standing, step] = whereIs(hosts, isEndState(status.state));
    const there = hosts[step];
    const telling = there?.state === 'running' || there?.state === 'failed';
    return {
      name: oneLine(name),
      cells: byStep((each) => {
        const host = hosts[each];
        return host === undefined ? undefined : { state: host.state, ...timeOf(host, status, now) };
      }),
      standing,
      step,
      message: telling ? oneLine((there.message ?? '').slice(0, longestMessage)) : '',
    };
  });
}

/** A host that was last heard of while its step still ran is where the step is. */
function settled(host: HostStatus, step: StepStatus): HostStatus {
  if (host.state !== 'running' || step.state === 'running') return host;
  const { message: _, ...rest } = host;
  return { ...rest, state: step.state };
}

function whereIs(
  hosts: Readonly<Partial<Record<StepName, HostStatus>>>,
  ended: boolean,
): readonly [Standing, StepName] {
  const last = (...states: StepState[]): StepName | undefined =>
    stepNames.findLast((name) => {
      const state = hosts[name]?.state;
      return state !== undefined && states.includes(state);
    });
  const running = last('running');
  const failed = last('failed');
  // What runs on a host that failed brings it back.
  if (running !== undefined) return [failed === undefined ? 'running' : 'failed', running];
  if (failed !== undefined) return ['failed', failed];
  const undone = last('undone');
  if (undone !== undefined) return ['undone', undone];
  const done = last('done');
  if (ended && done === undefined) return ['skipped', last('skipped') ?? 'generate'];
  const through = ended || hosts.verify?.state === 'done';
  return [through ? 'done' : 'waiting', done ?? 'generate'];
}

function timeOf(
  { state, startedAt, endedAt }: Pick<StepStatus, 'state' | 'startedAt' | 'endedAt'>,
  status: RotationStatus,
  now: number,
): Pick<Cell, 'took'> {
  if (startedAt === undefined || state === 'pending' || state === 'skipped') return {};
  // What a rotation that is over has left running does not grow older.
  const end = endedAt ?? status.endedAt;
  const took = (end === undefined ? now : Date.parse(end)) - Date.parse(startedAt);
  return Number.isFinite(took) ? { took: Math.max(0, took) } : {};
}

function stepIn(status: RotationStatus, name: StepName): StepStatus | undefined {
  return status.steps.find((step) => step.name === name);
}

function byStep<T>(of: (name: StepName) => T): Record<StepName, T> {
  return {
    generate: of('generate'),
    encrypt: of('encrypt'),
    deploy: of('deploy'),
    restart: of('restart'),
    verify: of('verify'),
    revoke: of('revoke'),
  };
}
