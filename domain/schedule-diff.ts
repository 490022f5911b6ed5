/** What applying the declared schedules would change at the server: pure, shown before it is done. */
import type { ScheduleSpec } from './schedule.js';
import { rhythmWords } from './schedule-words.js';

/** A schedule as the server has it. */
export interface AppliedSchedule {
  environment: string;
  name: string;
  /** As it was declared when it was applied; absent: something else than ours made it. */
  declared?: ScheduleSpec;
}

export interface ScheduleChange {
  change: 'create' | 'update' | 'delete' | 'keep';
  environment: string;
  name: string;
  /** What is different, for a person; empty for `keep`. */
  what: string;
  /** Absent for `delete`. */
  declared?: ScheduleSpec;
}

/** The daily look at the ages of an environment's secrets: made where one of them has an age limit. */
export interface AgesChange {
  change: 'create' | 'delete' | 'keep';
  environment: string;
  /** For a person; empty for `keep`. */
  what: string;
}

/** By environment. @param wanted environments with an age limit @param there environments that the server looks at */
export function agesChanges(wanted: readonly string[], there: readonly string[]): AgesChange[] {
  const changes = [
    ...wanted.map((environment) => ({
      change: there.includes(environment) ? ('keep' as const) : ('create' as const),
      environment,
    })),
    ...there
      .filter((environment) => !wanted.includes(environment))
      .map((environment) => ({ change: 'delete' as const, environment })),
  ];
  return changes
    .map((change): AgesChange => ({
      ...change,
      what: change.change === 'keep' ? '' : 'a daily look at age limits',
    }))
    .toSorted((a, b) => (a.environment < b.environment ? -1 : 1));
}

/** By environment and name. What the server has and nobody declares is deleted. */
export function scheduleChanges(
  declared: readonly ScheduleSpec[],
  applied: readonly AppliedSchedule[],
): ScheduleChange[] {
  const changes = declared.map((schedule): ScheduleChange => {
    const { environment, name } = schedule;
    const there = applied.find((a) => a.environment === environment && a.name === name);
    if (there === undefined)
      return { change: 'create', environment, name, what: summary(schedule), declared: schedule };
    const what = there.declared === undefined ? summary(schedule) : difference(there.declared, schedule);
    return { change: what === '' ? 'keep' : 'update', environment, name, what, declared: schedule };
  });
  for (const { environment, name, declared: before } of applied) {
    if (declared.some((d) => d.environment === environment && d.name === name)) continue;
    const what = before === undefined ? 'is not declared' : summary(before);
    changes.push({ change: 'delete', environment, name, what });
  }
  const key = ({ environment, name }: ScheduleChange): string => `${environment}/${name}`;
  return changes.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

function summary(schedule: ScheduleSpec): string {
  return `${rhythmWords(schedule)}: ${schedule.secrets.join(', ')}`;
}

function difference(before: ScheduleSpec, after: ScheduleSpec): string {
  const parts: string[] = [];
  const [was, is] = [rhythmWords(before), rhythmWords(after)];
  if (was !== is) parts.push(`${was} -> ${is}`);
  const added = after.secrets.filter((s) => !before.secrets.includes(s));
  const removed = before.secrets.filter((s) => !after.secrets.includes(s));
  if (added.length > 0) parts.push(`also ${added.join(', ')}`);
  if (removed.length > 0) parts.push(`no longer ${removed.join(', ')}`);
  if (before.reason !== after.reason) parts.push(`reason: ${after.reason ?? 'none'}`);
  return parts.join('; ');
}
