/** The six steps, in order, and their states as scripts see them. */

export const stepNames = ['generate', 'encrypt', 'deploy', 'restart', 'verify', 'revoke'] as const;
export type StepName = (typeof stepNames)[number];

export type StepState = 'pending' | 'running' | 'done' | 'failed' | 'undone' | 'skipped';

export const rotationStates = [
  'running',
  'waiting',
  'needs-attention',
  'refused',
  'done',
  'rolled-back',
  'failed',
] as const;
export type RotationState = (typeof rotationStates)[number];

/** States in which nothing more will happen. */
export const endStates = [
  'refused',
  'done',
  'rolled-back',
  'failed',
] as const satisfies readonly RotationState[];
export type EndState = (typeof endStates)[number];

export function isEndState(state: RotationState): state is EndState {
  return (endStates as readonly string[]).includes(state);
}
