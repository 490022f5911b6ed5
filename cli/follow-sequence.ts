/** Shows rotations that follow one another, each until it ends or asks for a person. */
import type { Session } from '../client/session.js';
import { whenStarted, type SequenceRef } from '../client/start-sequence.js';
import { RotateError } from '../domain/failure.js';
import type { RotationStatus } from '../domain/status.js';
import type { Invocation } from './command.js';
import { exitCodes, type ExitCode } from './exit-codes.js';
import { follow, type FollowOptions } from './follow.js';

/**
 * @param output `status`: an array with the status of each that was started
 * @returns the exit code of the last that was started
 * @throws RotateError as {@link follow}
 */
export async function followSequence(
  invocation: Invocation,
  session: Session,
  sequence: SequenceRef,
  output: FollowOptions['output'],
): Promise<ExitCode> {
  const { screen } = invocation;
  const { rotations } = sequence;
  const ends: RotationStatus[] = [];
  const ended = (status: RotationStatus): void => void ends.push(status);
  let code: ExitCode = exitCodes.done;
  for (const [i, ref] of rotations.entries()) {
    if (!(await whenStarted(session, sequence, ref)))
      throw new RotateError('Internal', `rotation ${ref.id} was not started`, {
        hint: "`rotate status` lists what was; the worker's log says why it went no further",
      });
    screen.note(`rotation ${ref.id}, ${i + 1} of ${rotations.length}`);
    code = await follow(invocation, session, ref, { output, ended });
    if (code === exitCodes.done) continue;
    const rest = rotations.length - i - 1;
    if (rest > 0) screen.note(restWords(rest, ends.at(-1)?.state === 'needs-attention'));
    break;
  }
  if (output === 'status') screen.object(ends);
  return code;
}

function restWords(rest: number, waits: boolean): string {
  const them = rest === 1 ? 'the one behind it' : `the ${rest} behind it`;
  return waits ? `${them} will start when it is done` : `${them} will not be started`;
}
