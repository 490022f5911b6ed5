/**
 * Schedules of Temporal that look, on time, whether something is due. What is declared in rotate.yaml travels as the
 * argument of the look, sealed as all else; the look itself reads main again and acts by that.
 */
import type {
  Client,
  ScheduleDescription,
  ScheduleHandle,
  ScheduleOptionsStartWorkflowAction,
} from '@temporalio/client';

import { RotateError } from '../domain/failure.js';
import { agesScheduleId, dueScheduleId, environmentOfAges, scheduleOf } from '../domain/ids.js';
import type { ScheduleSpec } from '../domain/schedule.js';
import type { AgesChange, AppliedSchedule, ScheduleChange } from '../domain/schedule-diff.js';
import { temporalSpec } from '../domain/temporal-spec.js';
import {
  dueQuery,
  taskQueue,
  workflowTypes,
  type AgesInput,
  type DueInput,
  type DueResult,
} from '../workflows/messages.js';
import { call, hasName, type Session } from './session.js';

export interface ListedSchedule extends AppliedSchedule {
  paused: boolean;
  /** Why it is paused, as somebody said. */
  note?: string;
  /** When it looks next, RFC 3339; none while it is paused. */
  looks: string[];
  /** A look is under way. */
  looking: boolean;
  /** Its last look, with the time at which it began; absent when there was none. */
  last?: LookRef;
}

export interface LookRef {
  workflowId: string;
  /** RFC 3339. */
  at: string;
}

/**
 * What a look whether something is due came to; only its time where nobody can tell, as no worker listens.
 * `forgotten`: it is older than what Temporal keeps.
 */
export type Look = Pick<DueResult, 'at'> &
  Partial<Omit<DueResult, 'outcome'> & { outcome: DueResult['outcome'] | 'forgotten' }>;

const patient = { deadlineMs: 30_000 };

/**
 * Those that look whether something is due, by environment and name. Temporal's list lags behind what was made or
 * deleted just now, so each is asked for itself, and those of `known` are asked for in any case.
 * @throws see {@link call}
 */
export async function listSchedules(
  session: Session,
  known: readonly { environment: string; name: string }[],
): Promise<ListedSchedule[]> {
  const found = await describeAll(
    session,
    workflowTypes.due,
    known.map(({ environment, name }) => dueScheduleId(environment, name)),
    scheduleOf,
  );
  const key = ({ environment, name }: AppliedSchedule): string => `${environment}/${name}`;
  return found
    .map(([named, description]) => listed(named, description))
    .toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

/** Environments whose ages are looked at every day. @param known as of {@link listSchedules} */
export async function listAges(session: Session, known: readonly string[]): Promise<string[]> {
  const found = await describeAll(session, workflowTypes.ages, known.map(agesScheduleId), environmentOfAges);
  return found.map(([environment]) => environment).toSorted();
}

/**
 * The schedules that the server has of those that start `workflowType` and whose id says something to `read`. Another
 * program may have ids like ours: its schedules are not even asked for, as what they hold is not sealed.
 */
async function describeAll<T>(
  session: Session,
  workflowType: string,
  known: readonly string[],
  read: (scheduleId: string) => T | undefined,
): Promise<[T, ScheduleDescription][]> {
  return call(
    session,
    async (client) => {
      const ids = new Set(known);
      for await (const { scheduleId, action } of session.connection.lister.schedule.list())
        if (action?.workflowType === workflowType) ids.add(scheduleId);
      const found: [T, ScheduleDescription][] = [];
      for (const id of ids) {
        const meaning = read(id);
        const description = meaning === undefined ? undefined : await describe(client, id);
        if (meaning !== undefined && description?.action.workflowType === workflowType)
          found.push([meaning, description]);
      }
      return found;
    },
    patient,
  );
}

async function describe(client: Client, scheduleId: string): Promise<ScheduleDescription | undefined> {
  try {
    return await client.schedule.getHandle(scheduleId).describe();
  } catch (error) {
    if (hasName(error, 'ScheduleNotFoundError')) return undefined;
    throw error;
  }
}

function listed(named: { environment: string; name: string }, found: ScheduleDescription): ListedSchedule {
  const declared = inputOf(found)?.declared;
  const { paused, note } = found.state;
  const { nextActionTimes, recentActions, runningActions } = found.info;
  const last = recentActions.at(-1);
  return {
    ...named,
    ...(declared === undefined ? {} : { declared }),
    paused,
    // Who resumed it stands in the same place.
    ...(!paused || note === undefined || note === '' ? {} : { note }),
    looks: paused ? [] : nextActionTimes.slice(0, 3).map((time) => time.toISOString()),
    looking: runningActions.length > 0,
    ...(last === undefined
      ? {}
      : { last: { workflowId: last.action.workflow.workflowId, at: last.takenAt.toISOString() } }),
  };
}

function inputOf(found: ScheduleDescription): DueInput | undefined {
  const input: unknown = found.action.args?.[0];
  return isDueInput(input) ? input : undefined;
}

function isDueInput(value: unknown): value is DueInput {
  return typeof value === 'object' && value !== null && 'environment' in value && 'schedule' in value;
}

/**
 * Makes the server have what `change` says; a schedule that is paused stays so. Whoever does the same at the same time
 * is no hindrance. What is kept is written again all the same, so that it is sealed with the newest key.
 */
export async function applyChange(session: Session, change: ScheduleChange, now: string): Promise<void> {
  const { declared } = change;
  await withSchedule(session, change, async (handle) => {
    if (declared === undefined) await remove(handle);
    else if (change.change !== 'create' || !(await create(handle, declared, now)))
      await handle.update((before) => ({
        ...optionsOf(declared, inputOf(before)?.since ?? now),
        state: before.state,
      }));
  });
}

/** False when it is there already. */
async function create(handle: ScheduleHandle, declared: ScheduleSpec, now: string): Promise<boolean> {
  try {
    await handle.client.create({ scheduleId: handle.scheduleId, ...optionsOf(declared, now) });
    return true;
  } catch (error) {
    if (hasName(error, 'ScheduleAlreadyRunning')) return false;
    throw error;
  }
}

async function remove(handle: ScheduleHandle): Promise<void> {
  try {
    await handle.delete();
  } catch (error) {
    if (!hasName(error, 'ScheduleNotFoundError')) throw error;
  }
}

function optionsOf(declared: ScheduleSpec, since: string) {
  const spec = temporalSpec(declared);
  const { environment, name } = declared;
  const action: ScheduleOptionsStartWorkflowAction<(input: DueInput) => Promise<unknown>> = {
    type: 'startWorkflow',
    workflowType: workflowTypes.due,
    workflowId: dueScheduleId(environment, name),
    taskQueue,
    args: [{ environment, schedule: name, since, declared }],
  };
  return {
    spec: {
      ...(spec.calendars === undefined ? {} : { calendars: spec.calendars }),
      ...(spec.intervalMs === undefined
        ? {}
        : { intervals: [{ every: spec.intervalMs, offset: spec.offsetMs ?? 0 }] }),
      timezone: spec.zone,
      jitter: spec.jitterMs,
    },
    action,
    policies: { overlap: 'SKIP' as const, catchupWindow: spec.catchupWindowMs },
  };
}

/** Makes, seals anew or removes the daily look at ages of an environment. */
export async function applyAges(session: Session, { change, environment }: AgesChange): Promise<void> {
  const scheduleId = agesScheduleId(environment);
  await call(
    session,
    async (client) => {
      if (change === 'delete') return remove(client.schedule.getHandle(scheduleId));
      const action: ScheduleOptionsStartWorkflowAction<(input: AgesInput) => Promise<unknown>> = {
        type: 'startWorkflow',
        workflowType: workflowTypes.ages,
        workflowId: scheduleId,
        taskQueue,
        args: [{ environment }],
      };
      const options = {
        spec: { calendars: [{ hour: 6, minute: 0 }], jitter: '30m' as const },
        action,
        policies: { overlap: 'SKIP' as const, catchupWindow: '1d' as const },
      };
      try {
        await client.schedule.create({ scheduleId, ...options });
      } catch (error) {
        if (!hasName(error, 'ScheduleAlreadyRunning')) throw error;
        await client.schedule.getHandle(scheduleId).update(({ state }) => ({ ...options, state }));
      }
    },
    patient,
  );
}

/** Pauses, resumes, deletes or triggers one. @throws RotateError UnknownSchedule */
export async function withSchedule(
  session: Session,
  { environment, name }: { environment: string; name: string },
  work: (handle: ScheduleHandle) => Promise<void>,
): Promise<void> {
  const what = `schedule ${environment}/${name}`;
  try {
    await call(session, (client) => work(client.schedule.getHandle(dueScheduleId(environment, name))), {
      ...patient,
      what,
    });
  } catch (error) {
    if (error instanceof RotateError && error.type === 'UnknownRotation')
      throw new RotateError('UnknownSchedule', `the server has no ${what}`, {
        hint: '`rotate schedule list` shows those that there are; `rotate schedule apply` makes what rotate.yaml declares',
        cause: error,
      });
    throw error;
  }
}

/** What a look found, also while it is under way. One that is through needs no worker to tell. */
export async function readLook(session: Session, { workflowId, at }: LookRef): Promise<Look> {
  try {
    return await call(
      session,
      async (client) => {
        const handle = client.workflow.getHandle<() => Promise<DueResult>>(workflowId);
        const { status } = await handle.describe();
        if (status.name === 'COMPLETED') return handle.result();
        const found = await handle.query<DueResult>(dueQuery);
        // One that was terminated says for ever that it looks.
        return status.name === 'RUNNING' ? found : { ...found, outcome: 'failed' };
      },
      { deadlineMs: 5_000 },
    );
  } catch (error) {
    if (!(error instanceof RotateError) || error.type === 'Interrupted') throw error;
    return error.type === 'UnknownRotation' ? { at, outcome: 'forgotten' } : { at };
  }
}
