/**
 * From what a person types to a rotation: the ULID, its beginning or its end. The
 * environment, which is part of the workflow's id, is found by looking.
 */
import { RotateError } from '../domain/failure.js';
import { rotationId } from '../domain/ids.js';
import { asTyped } from '../domain/ulid.js';
import { refOf, rotationsQuery, type RotationRef } from './rotation-ref.js';
import { call, type Session } from './session.js';

/** Fewer letters of a ULID say too little. */
const shortest = 4;

/**
 * @param environments names to try first: a rotation that has just started is not listed yet
 * @throws RotateError UnknownRotation when none fits, with the ids that there are in `details.known`; Usage when several
 *   do (whoever knows no rotation may look elsewhere, and would find another one there), or when `text` cannot be an id
 */
export async function findRotation(
  session: Session,
  text: string,
  environments: readonly string[] = [],
): Promise<RotationRef> {
  const whole = refOf(text);
  if (whole !== undefined) return whole;
  const wanted = asTyped(text);
  if (!/^[0-9A-HJKMNP-TV-Z]+$/.test(wanted) || wanted.length > 26)
    throw new RotateError('Usage', `\`${text}\` is not the id of a rotation`, {
      hint: '`rotate status` lists the rotations and their ids',
    });
  if (wanted.length < shortest)
    throw new RotateError('Usage', `\`${text}\` is too short for an id`, {
      hint: `give ${shortest} letters or more of its beginning or its end`,
    });
  if (wanted.length === 26) {
    for (const environment of environments) {
      const ref: RotationRef = { id: wanted, environment, workflowId: rotationId(environment, wanted) };
      if (await exists(session, ref)) return ref;
    }
  }
  const all = await listRefs(session);
  const found = all.filter(({ id }) => id.startsWith(wanted) || id.endsWith(wanted));
  const [only] = found;
  if (only === undefined)
    throw new RotateError('UnknownRotation', `there is no rotation ${text}`, {
      hint: '`rotate status` lists the rotations; older ones are in `rotate history SECRET`',
      details: { known: all.map(({ id }) => id) },
    });
  if (found.length > 1)
    throw new RotateError('Usage', `\`${text}\` fits ${found.length} rotations`, {
      hint: `give more of the id: ${found
        .slice(0, 5)
        .map(({ id }) => id)
        .join(', ')}`,
    });
  return only;
}

async function exists(session: Session, ref: RotationRef): Promise<boolean> {
  try {
    await call(session, (client) => client.workflow.getHandle(ref.workflowId).describe());
    return true;
  } catch (error) {
    if (error instanceof RotateError && error.type === 'UnknownRotation') return false;
    throw error;
  }
}

async function listRefs(session: Session): Promise<RotationRef[]> {
  const refs = new Map<string, RotationRef>();
  await call(
    session,
    async () => {
      for await (const { workflowId } of session.connection.lister.workflow.list({ query: rotationsQuery })) {
        const ref = refOf(workflowId);
        if (ref !== undefined) refs.set(workflowId, ref);
      }
    },
    { deadlineMs: 30_000 },
  );
  return [...refs.values()];
}
