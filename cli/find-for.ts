/** The rotation that a person means, looked for first in the environments that his rotate.yaml names. */
import { readFile } from 'node:fs/promises';

import { findRotation } from '../client/find-rotation.js';
import type { RotationRef } from '../client/rotation-ref.js';
import { nearest } from '../config/nearest.js';
import { RotateError } from '../domain/failure.js';
import type { Invocation } from './command.js';
import type { OpenSession } from './open-session.js';

/** @throws RotateError UnknownRotation, with the one that may be meant; Usage */
export async function findFor(
  { options }: Pick<Invocation, 'options'>,
  session: OpenSession,
  id: string,
): Promise<RotationRef> {
  const asked = options.text('env');
  const environments = asked === undefined ? await environmentsHere(session) : [asked];
  try {
    return await findRotation(session, id, environments);
  } catch (error) {
    if (!(error instanceof RotateError) || error.type !== 'UnknownRotation') throw error;
    const known = error.details?.['known'];
    const near = Array.isArray(known) ? nearestId(id, known) : undefined;
    if (near === undefined) throw error;
    throw new RotateError(error.type, error.message, { hint: `did you mean \`${near}\`?`, cause: error });
  }
}

async function environmentsHere({ workspace }: OpenSession): Promise<readonly string[]> {
  if (workspace === undefined) return [];
  const { readLight } = await import('../config/light.js');
  return readLight(await readFile(workspace.file, 'utf8')).environments;
}

/** The id that is a slip away from `typed`, which may be a beginning or an end; undefined when several are. */
export function nearestId(typed: string, known: readonly string[]): string | undefined {
  const wanted = typed.toUpperCase();
  const ids = new Map<string, Set<string>>();
  for (const id of known)
    for (const part of [id.slice(0, wanted.length), id.slice(-wanted.length)])
      ids.set(part, (ids.get(part) ?? new Set()).add(id));
  const fitting = nearest(wanted, ids.keys()).flatMap((part) => [...(ids.get(part) ?? [])]);
  const [only] = fitting;
  return new Set(fitting).size === 1 ? only : undefined;
}
