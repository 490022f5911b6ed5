/** What pause, resume, trigger and delete have in common: find the schedule, say it to the server. */
import type { ScheduleHandle } from '@temporalio/client';
import type { Invocation } from './command.js';
import { exitCodes, type ExitCode } from './exit-codes.js';
import { oneLine } from './render/text.js';
import { scheduleNamed } from './schedules-here.js';

type Said = 'pause' | 'resume' | 'trigger' | 'delete';

const done: Readonly<Record<Said, string>> = {
  pause: 'is paused',
  resume: 'goes on',
  trigger: 'looks now',
  delete: 'is removed from the server',
};

export async function saySchedule(invocation: Invocation, said: Said): Promise<ExitCode> {
  const { context, options, screen } = invocation;
  const [{ withSession }, { listSchedules, withSchedule }, { who }] = await Promise.all([
    import('./open-session.js'),
    import('../client/schedules.js'),
    import('./who.js'),
  ]);
  return withSession(invocation, async (session) => {
    const applied = await listSchedules(session, []);
    const named = await scheduleNamed(invocation, applied);
    const reason = options.text('reason');
    const note = `${reason === undefined ? '' : `${reason}, `}by ${who(context.env)}`;
    await withSchedule(session, named, (handle) => say(handle, said, note));
    const { environment, name } = named;
    if (screen.json) screen.object({ environment, name, said });
    else screen.data(`${oneLine(`${environment}/${name}`)} ${done[said]}\n`);
    if (said !== 'trigger') return exitCodes.done;
    if (applied.some((s) => s.environment === environment && s.name === name && s.looking))
      screen.note('a look is under way: the next one follows when it has ended');
    screen.hint('`rotate schedule list` shows what came of it');
    return exitCodes.done;
  });
}

async function say(handle: ScheduleHandle, said: Said, note: string): Promise<void> {
  switch (said) {
    case 'pause':
      return handle.pause(note);
    case 'resume':
      return handle.unpause(note);
    case 'trigger':
      // Beside one that is under way it would start what that one holds back.
      return handle.trigger('BUFFER_ONE');
    case 'delete':
      await handle.delete();
      return;
    default:
      return said satisfies never;
  }
}
