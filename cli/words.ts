/**
 * What a line means as far as it was typed. It judges nothing: the parser has the last word, but it knows
 * only whole lines, and completion and suggestions are about lines that are not whole or not right.
 */
import { branchesAt } from './command-tree.js';
import type { CommandSpec, Options, OptionSpec } from './command.js';
import { findOption, readFlags } from './flags.js';
import { globalOptions, helpOption, versionOption } from './global-options.js';

export interface Line {
  /** The words of the command's name so far. */
  path: readonly string[];
  /** Absent until its name is whole. */
  command: CommandSpec | undefined;
  /** A word stands where a command should, and is none. */
  lost: boolean;
  args: readonly string[];
  /** Values of the options that were given, by long name without dashes; without a value, the empty list. */
  given: ReadonlyMap<string, readonly string[]>;
  /** The option whose value comes next. */
  wants: OptionSpec | undefined;
  /** After `--`. */
  argumentsOnly: boolean;
}

/** Options of the command, where there is one, and of every command. */
export function optionsFor(command: CommandSpec | undefined): readonly OptionSpec[] {
  return [...(command?.options ?? []), ...globalOptions, versionOption, helpOption];
}

/** @param words what was typed after `rotate` */
export function readLine(words: readonly string[], commands: readonly CommandSpec[]): Line {
  const path: string[] = [];
  const args: string[] = [];
  const given = new Map<string, string[]>();
  let command: CommandSpec | undefined;
  let wants: OptionSpec | undefined;
  let [lost, argumentsOnly] = [false, false];
  for (const word of words) {
    if (wants !== undefined) {
      given.get(nameOf(wants))?.push(word);
      wants = undefined;
    } else if (!argumentsOnly && word === '--') argumentsOnly = true;
    else if (!argumentsOnly && /^-./.test(word)) wants = readOption(word, optionsFor(command), given);
    else if (command !== undefined || lost) args.push(word);
    else {
      const branch = branchesAt(commands, path).find((each) => each.word === word);
      if (branch !== undefined) path.push(word);
      command = branch?.command;
      lost = branch === undefined;
    }
  }
  return { path, command, lost, args, given, wants, argumentsOnly };
}

/** The options of a line, as a command reads them. */
export function givenOptions({ given }: Pick<Line, 'given'>): Options {
  return {
    flag: (name) => given.has(name),
    text: (name) => given.get(name)?.at(-1),
    list: (name) => given.get(name) ?? [],
  };
}

/** The long name without dashes. */
export function nameOf(option: OptionSpec): string {
  return readFlags(option).long.slice(2);
}

/** Notes the option of `word`; returns it when its value is the next word. */
function readOption(
  word: string,
  options: readonly OptionSpec[],
  given: Map<string, string[]>,
): OptionSpec | undefined {
  const option = findOption(options, word);
  // A slip; what follows it is read as if it had no value.
  if (option === undefined) return undefined;
  const values = given.get(nameOf(option)) ?? [];
  given.set(nameOf(option), values);
  if (readFlags(option).value === undefined) return undefined;
  const equals = word.indexOf('=');
  if (equals < 0) return option;
  values.push(word.slice(equals + 1));
  return undefined;
}
