/** All man pages, by the name of their file. */
import { groupsOf } from '../command-tree.js';
import type { CommandSpec } from '../command.js';
import { commandPage, groupPage, pageName } from './command-page.js';
import { overviewPage } from './overview-page.js';

export function manPages(commands: readonly CommandSpec[], version: string): ReadonlyMap<string, string> {
  return new Map([
    ['rotate.1', overviewPage(commands, version)],
    ...commands.map((command): [string, string] => [
      `${pageName(command.name)}.1`,
      commandPage(command, commands, version),
    ]),
    ...groupsOf(commands).map((path): [string, string] => [
      `${pageName(path.join(' '))}.1`,
      groupPage(path, commands, version),
    ]),
  ]);
}
