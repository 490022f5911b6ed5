/** Rotations for completion: those with a record in the person's clone, and those under way if Temporal says so at once. */
import type { RotationState } from '../../domain/steps.js';
import type { Options } from '../command.js';
import type { Context } from '../context.js';
import { findWorkspace, type Workspace } from '../workspace.js';
import type { Candidate } from './candidates.js';

/** More are no help, and reading them takes time. */
const newest = 50;
/** Milliseconds. */
const patience = 500;

export interface KnownRotation {
  candidate: Candidate;
  /** Undefined when it is under way and sealed with a key that we do not have. */
  state: RotationState | undefined;
}

/** Newest first. */
export async function knownRotations(context: Context, options: Options): Promise<KnownRotation[]> {
  const workspace = findWorkspace(context, options);
  const [recorded, open] = await Promise.all([
    orNothing(fromLog(context, workspace, options.text('env'))),
    orNothing(underWay(context, options, workspace)),
  ]);
  // What is under way is written last: its record, if there is one, is just being made.
  const byId = new Map([...recorded, ...open].map((each) => [each.candidate.text, each]));
  return [...byId.values()].toSorted((a, b) => (a.candidate.text < b.candidate.text ? 1 : -1));
}

/** What cannot be known at once is not offered: a completion has nobody to tell why. */
async function orNothing<T>(work: Promise<T[]>): Promise<T[]> {
  try {
    return await work;
  } catch {
    return [];
  }
}

async function fromLog(
  context: Context,
  workspace: Workspace | undefined,
  environment: string | undefined,
): Promise<KnownRotation[]> {
  if (workspace === undefined) return [];
  const { readHistoryOf } = await import('../read-log.js');
  const { records } = await readHistoryOf(context, workspace, {
    offline: true,
    limit: newest,
    ...(environment === undefined ? {} : { environment }),
  });
  return records.map(known);
}

async function underWay(
  context: Context,
  options: Options,
  workspace: Workspace | undefined,
): Promise<KnownRotation[]> {
  const { sessionOptions } = await import('../open-session.js');
  const openOptions = await sessionOptions({ context, options }, workspace);
  const { listOpenRotations } = await import('../../client/open-rotations.js');
  const { rotations, unreadable } = await listOpenRotations(openOptions, patience, options.text('env'));
  return [
    ...rotations.map(known),
    ...unreadable.map((id) => ({ candidate: { text: id, description: 'under way' }, state: undefined })),
  ];
}

interface Rotation {
  id: string;
  environment: string;
  secrets: readonly string[];
  state: RotationState;
}

function known({ id, environment, secrets, state }: Rotation): KnownRotation {
  const names = secrets.map((name) => `${environment}/${name}`);
  return { candidate: { text: id, description: [state, ...names].join(', ') }, state };
}
