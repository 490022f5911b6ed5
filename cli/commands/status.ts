/** `rotate status`: where rotations stand. */
import type { Retry } from '../../client/retries.js';
import type { RotationStatus } from '../../domain/status.js';
import { asTyped } from '../../domain/ulid.js';
import type { CommandSpec, Invocation } from '../command.js';
import { exitCodes, type ExitCode } from '../exit-codes.js';

export const statusCommand: CommandSpec = {
  name: 'status',
  summary: 'show rotations, or one of them',
  description:
    'Without an id, the rotations that Temporal still knows; with one, its steps and hosts, and its proof when it has ended.',
  arguments: [
    {
      name: 'id',
      description: 'its id, or the beginning or end of it',
      optional: true,
      completes: 'rotation',
    },
  ],
  options: [],
  examples: [
    { command: 'rotate status', does: 'all, newest first' },
    { command: 'rotate status 01JD --json', does: 'one, as the object that scripts rely on' },
  ],
  run: (invocation) => {
    const [id] = invocation.args;
    return id === undefined ? showAll(invocation) : showOne(invocation, id);
  },
};

async function showAll(invocation: Invocation): Promise<ExitCode> {
  const { options, screen } = invocation;
  const [{ sessionOptions, withSession }, { listRotations, requireReadable }, { quickList }] =
    await Promise.all([
      import('../open-session.js'),
      import('../../client/list-rotations.js'),
      import('../../client/quick-list.js'),
    ]);
  const environment = options.text('env');
  const filter = environment === undefined ? {} : { environment };
  const list =
    (await quickList(await sessionOptions(invocation), filter)) ??
    (await withSession(invocation, (session) => listRotations(session, filter)));
  requireReadable(list);
  if (screen.json) screen.object(list.rotations);
  else if (list.rotations.length > 0) {
    const { statusTable } = await import('../render/status-text.js');
    screen.data(
      statusTable(list.rotations, { columns: screen.columns, now: Date.now(), paint: screen.paint }),
    );
  } else screen.note('no rotations; older ones are in `rotate history SECRET`');
  if (list.unreadable.length > 0)
    screen.note(`${list.unreadable.length} more cannot be read: they are sealed with another codec key`);
  return exitCodes.done;
}

async function showOne(invocation: Invocation, id: string): Promise<ExitCode> {
  const { context, options, screen } = invocation;
  const { status, retries } = await read(invocation, id);
  if (screen.json) screen.object(status);
  else {
    const { statusText } = await import('../render/status-text.js');
    const { wantsPlain } = await import('../render/style.js');
    screen.data(
      statusText(status, {
        columns: screen.columns,
        rows: screen.rows,
        now: Date.now(),
        paint: screen.paint,
        retries,
        plain: wantsPlain(context.env, options.flag('plain')),
      }),
    );
  }
  return exitCodes.done;
}

interface Seen {
  status: RotationStatus;
  retries: readonly Retry[];
}

async function read(invocation: Invocation, id: string): Promise<Seen> {
  const { screen } = invocation;
  const [{ withSession }, { findFor }, { readRotation }, { findRetries }, { RotateError }, { isEndState }] =
    await Promise.all([
      import('../open-session.js'),
      import('../find-for.js'),
      import('../../client/rotation-status.js'),
      import('../../client/retries.js'),
      import('../../domain/failure.js'),
      import('../../domain/steps.js'),
    ]);
  try {
    return await withSession(invocation, async (session) => {
      const ref = await findFor(invocation, session, id);
      const { status, from } = await readRotation(session, ref);
      if (from === 'memo') screen.note('no worker answers: this is the last that is known');
      const open = !screen.json && !isEndState(status.state);
      return { status, retries: open ? await findRetries(session, ref) : [] };
    });
  } catch (error) {
    if (!(error instanceof RotateError) || error.type !== 'UnknownRotation') throw error;
    const recorded = await fromLog(invocation, id);
    if (recorded === undefined) throw error;
    screen.note('Temporal has forgotten it: this is its record');
    return { status: recorded, retries: [] };
  }
}

/** The status in a rotation's record, for when it is older than what Temporal keeps. */
async function fromLog(invocation: Invocation, id: string): Promise<RotationStatus | undefined> {
  const [{ findWorkspace }, { readLog, statusOfRecord }] = await Promise.all([
    import('../workspace.js'),
    import('../read-log.js'),
  ]);
  const workspace = findWorkspace(invocation.context, invocation.options);
  if (workspace === undefined) return undefined;
  const records = await readLog(invocation, workspace, {});
  const wanted = asTyped(id);
  const fitting = records.filter((r) => r.id.startsWith(wanted) || r.id.endsWith(wanted));
  return fitting.length === 1 && fitting[0] !== undefined ? statusOfRecord(fitting[0]) : undefined;
}
