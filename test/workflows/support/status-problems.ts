/** What domain/status.ts promises, as a list of what is broken. */
import type { RotationEvent, RotationStatus } from '../../../domain/status.js';
import { isEndState, stepNames } from '../../../domain/steps.js';

export function statusProblems(status: RotationStatus): string[] {
  const problems: string[] = [];
  const ended = isEndState(status.state);
  if (JSON.stringify(status).includes(':null')) problems.push('something is null');
  if (ended !== (status.endedAt !== undefined)) problems.push(`${status.state}, endedAt ${status.endedAt}`);
  if (ended !== (status.proof !== undefined)) problems.push(`${status.state}, but the proof says otherwise`);
  if (status.state === 'needs-attention' && status.reason === undefined)
    problems.push('needs attention, and does not say why');
  const { what } = status.waitingFor ?? {};
  if (
    (status.state === 'needs-attention') !== (what === 'person') ||
    (what !== undefined && status.state === 'running')
  )
    problems.push(`${status.state}, and waits for ${what}`);
  if (status.state === 'done' && status.reason !== undefined) problems.push('done, with a reason');
  if (['refused', 'rolled-back', 'failed'].includes(status.state) && status.reason === undefined)
    problems.push(`${status.state}, and does not say why`);
  if (status.steps.map((s) => s.name).join() !== stepNames.join()) problems.push('not the six steps');
  for (const step of status.steps) {
    const told = `${step.name} is ${step.state}`;
    if (step.state === 'pending' && (step.attempts > 0 || step.startedAt !== undefined))
      problems.push(`${told}, but was begun`);
    if (step.state === 'running' && (step.attempts === 0 || step.startedAt === undefined))
      problems.push(`${told}, but was never begun`);
    if (step.state === 'running' && step.endedAt !== undefined) problems.push(`${told}, but has ended`);
    if (['done', 'failed', 'undone'].includes(step.state)) {
      if (step.attempts === 0 || step.startedAt === undefined) problems.push(`${told}, but was never begun`);
      if (step.endedAt === undefined) problems.push(`${told}, without an end`);
    }
    if (step.state === 'skipped' && step.attempts > 0) problems.push(`${told}, but was begun`);
    if (ended && (step.state === 'pending' || step.state === 'running'))
      problems.push(`${told} in a rotation that is ${status.state}`);
    if (status.state === 'done' && step.state !== 'done' && step.state !== 'skipped')
      problems.push(`${told} in a rotation that is done`);
    if (status.state === 'rolled-back' && step.state === 'done')
      problems.push(`${told} in a rotation that is rolled back`);
    const undoing = !ended && status.reason !== undefined;
    if ((step.state === 'done' && !undoing) || ended) {
      for (const host of step.hosts) {
        if (host.state === 'running' || host.state === 'pending')
          problems.push(`${told}, but ${host.name} is ${host.state} in it`);
      }
    }
    if (step.endedAt !== undefined && step.startedAt !== undefined && step.endedAt < step.startedAt)
      problems.push(`${told}, and ended before it began`);
    const names = step.hosts.map((h) => h.name);
    if (new Set(names).size !== names.length) problems.push(`${told}, with a host twice`);
  }
  return problems;
}

/** Numbers of events rise by one, and times do not fall. */
export function eventProblems(events: readonly RotationEvent[]): string[] {
  const problems: string[] = [];
  for (const [i, event] of events.entries()) {
    const before = events[i - 1];
    if (before === undefined) continue;
    if (event.n !== before.n + 1) problems.push(`${event.n} follows ${before.n}`);
    if (event.at < before.at) problems.push(`${event.n} is older than ${before.n}`);
  }
  return problems;
}
