/** The program on a real pseudo-terminal, following a rotation on a real server: its size, and every way out. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { displayWidth } from '../../cli/render/width.js';
import { startTestFleet, type TestFleet } from './fleet.js';
import { ctrlC, startOnTerminal, type PseudoTerminal, type ScreenSize } from '../support/pseudo-terminal.js';
import { program } from '../support/program.js';
import { screenOf } from './terminal-screen.js';
import { rotate } from './world.js';

const wide = { columns: 100, rows: 20 };

let fleet: TestFleet;
/** Of a rotation that builds until it is let go. */
let id: string;

beforeAll(async () => {
  fleet = await startTestFleet();
  await fleet.startWorker();
  fleet.held.add('build');
  const { stdout } = await rotate('start db-password --yes --detach'.split(' '), {
    cwd: fleet.repo,
    env: fleet.env,
  });
  id = stdout.trim();
}, 120_000);
afterAll(() => fleet?.stop(), 60_000);

function watch(size: ScreenSize, ...flags: string[]): PseudoTerminal {
  const env = { ...process.env, HOME: fleet.repo, ...fleet.env };
  return startOnTerminal([...program, 'watch', id, '--no-color', ...flags], size, { cwd: fleet.repo, env });
}

/** What was written since the last time that the drawing began. */
function lastDrawing(raw: string): string[] {
  // oxlint-disable-next-line no-control-regex
  const [drawing = ''] = raw.split(/\u001B\[\d+A\r/).slice(-1);
  // oxlint-disable-next-line no-control-regex
  return drawing.replaceAll(/\r|\u001B\[[\d;?]*[a-zA-Z]/g, '').split('\n');
}

const building = (raw: string): boolean => /web-2 .*building/.test(lastDrawing(raw).join('\n'));

/** Hidden once or more, and shown after the last time. */
function givesCursorBack(raw: string): boolean {
  const hidden = raw.lastIndexOf('\u001B[?25l');
  return hidden >= 0 && raw.lastIndexOf('\u001B[?25h') > hidden;
}

describe('rotate watch on a terminal', () => {
  test('draws a table, and draws it in place', async () => {
    const terminal = watch(wide);
    await terminal.until(building);
    await terminal.until((raw) => raw.split('\u001B[J').length > 4);
    const { lines, cursorHidden } = screenOf(terminal.raw(), wide);
    expect(cursorHidden).toBe(true);
    expect(lines.filter((line) => line.startsWith('prod/db-password  running'))).toHaveLength(1);
    const header = lines.findIndex((line) => line.startsWith('          generate  encrypt'));
    expect(lines.slice(header + 3).map((line) => line.replaceAll(/\d+s/g, '0s'))).toEqual([
      'web-1     done               running                             0s building',
      'web-2     done               running                             0s building',
    ]);
    terminal.type(ctrlC);
    expect(await terminal.ended).toBe(130);
  });

  test('draws anew when the size is another: a list where a table has no room, and a table again', async () => {
    const terminal = watch(wide);
    await terminal.until(building);
    terminal.resize({ columns: 42, rows: 9 });
    await terminal.until((raw) =>
      lastDrawing(raw).some((line) => /^web-1 {2}deploy running \d+s/.test(line)),
    );
    const narrow = lastDrawing(terminal.raw());
    expect(narrow.filter((line) => displayWidth(line) > 41)).toEqual([]);
    expect(narrow.length).toBeLessThanOrEqual(9);
    terminal.resize(wide);
    await terminal.until((raw) => lastDrawing(raw).some((line) => line.startsWith('rotation  done')));
    terminal.type(ctrlC);
    expect(await terminal.ended).toBe(130);
    expect(givesCursorBack(terminal.raw())).toBe(true);
  });

  test('gives the cursor back on Ctrl-C, and says how to come back below the drawing', async () => {
    const terminal = watch(wide);
    await terminal.until(building);
    terminal.type(ctrlC);
    expect(await terminal.ended).toBe(130);
    const { lines, cursorHidden } = screenOf(terminal.raw(), wide);
    expect(cursorHidden).toBe(false);
    expect(lines.slice(-3).join('\n')).toContain(`rotate: rotation ${id} goes on without being watched`);
    expect(lines.some((line) => line.startsWith('web-2     done'))).toBe(true);
  });

  test.each(['SIGTERM', 'SIGHUP', 'SIGQUIT'] as const)('gives the cursor back on %s', async (signal) => {
    const terminal = watch(wide);
    await terminal.until(building);
    process.kill(terminal.pid(), signal);
    expect(await terminal.ended).not.toBe(0);
    expect(givesCursorBack(terminal.raw())).toBe(true);
  });

  test('gives the cursor back while it is stopped, and draws on when it goes on', async () => {
    const terminal = watch(wide);
    await terminal.until(building);
    process.kill(terminal.pid(), 'SIGTSTP');
    await terminal.until(givesCursorBack);
    const before = terminal.raw().length;
    process.kill(terminal.pid(), 'SIGCONT');
    await terminal.until((raw) => raw.indexOf('\u001B[?25l', before) >= 0 && building(raw.slice(before)));
    // Below what was there: nothing goes up before the first drawing.
    // oxlint-disable-next-line no-control-regex
    const [first = ''] = terminal.raw().slice(before).split('\u001B[J');
    // oxlint-disable-next-line no-control-regex
    expect(first).not.toMatch(/\u001B\[\d+A/);
    terminal.type(ctrlC);
    expect(await terminal.ended).toBe(130);
    expect(givesCursorBack(terminal.raw())).toBe(true);
  });

  test('moves no cursor with --plain, and says each line in full', async () => {
    const terminal = watch(wide, '--plain');
    await terminal.until((raw) => raw.includes('web-2  running  building'));
    terminal.type(ctrlC);
    expect(await terminal.ended).toBe(130);
    expect(terminal.raw()).not.toContain('\u001B');
    expect(terminal.raw()).toMatch(
      new RegExp(`^\\S+Z {2}${id} {2}deploy {2}web-2 {2}running {2}building\\r$`, 'm'),
    );
  });
});

test('rotate watch gives the cursor back at the end of the rotation', async () => {
  const terminal = watch(wide);
  await terminal.until(building);
  fleet.held.clear();
  expect(await terminal.ended).toBe(0);
  const { lines, cursorHidden } = screenOf(terminal.raw(), wide);
  expect(cursorHidden).toBe(false);
  expect(lines.at(-1)).toBe('prod/db-password is rotated, and the old value is proven dead');
  expect(
    lines.some((line) => line.startsWith('rotation  done      done     done     done     done     done')),
  ).toBe(true);
});
