/** Names of commands as a tree: `schedule apply` and `schedule list` are two commands of the group `schedule`. */
import type { CommandSpec } from './command.js';

export interface Branch {
  /** The word that leads to it. */
  word: string;
  summary: string;
  /** Absent for a group. */
  command?: CommandSpec;
}

/** What can follow the words of `path`, in the order of the help. */
export function branchesAt(commands: readonly CommandSpec[], path: readonly string[]): Branch[] {
  const branches = new Map<string, Branch>();
  for (const command of commands) {
    const words = command.name.split(' ');
    const word = words[path.length];
    if (word === undefined || !path.every((each, i) => each === words[i])) continue;
    if (words.length === path.length + 1) branches.set(word, { word, summary: command.summary, command });
    else if (!branches.has(word))
      branches.set(word, { word, summary: groupSummary(commands, [...path, word]) });
  }
  return [...branches.values()];
}

/** Every group, outermost first. */
export function groupsOf(commands: readonly CommandSpec[], path: readonly string[] = []): string[][] {
  return branchesAt(commands, path)
    .filter(({ command }) => command === undefined)
    .flatMap(({ word }) => [[...path, word], ...groupsOf(commands, [...path, word])]);
}

/** In its own words, or the names of what is in it. */
function groupSummary(commands: readonly CommandSpec[], path: readonly string[]): string {
  const inside = commands.filter(({ name }) => name.startsWith(`${path.join(' ')} `));
  const said = inside.find(({ group }) => group !== undefined)?.group;
  return (
    said ??
    branchesAt(inside, path)
      .map(({ word }) => word)
      .join(', ')
  );
}
