/** The rotation that a person means, looked for first in the environments that his rotate.yaml names. */
import { readFile } from 'node:fs/promises';

import { findRotation, type RotationRef } from '../client/find-rotation.js';
import type { Invocation } from './command.js';
import type { OpenSession } from './open-session.js';

/** @throws RotateError UnknownRotation, Usage */
export async function findFor(
  { options }: Pick<Invocation, 'options'>,
  session: OpenSession,
  id: string,
): Promise<RotationRef> {
  const asked = options.text('env');
  if (asked !== undefined) return findRotation(session, id, [asked]);
  if (session.workspace === undefined) return findRotation(session, id);
  const { readLight } = await import('../config/light.js');
  const { environments } = readLight(await readFile(session.workspace.file, 'utf8'));
  return findRotation(session, id, environments);
}
