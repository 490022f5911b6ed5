/**
 * Lines that can mean one thing only, read without the parser, which takes longer to load than many a command to run:
 * a command's name, then its arguments and known long options. Help, short options, slips and all else is for the
 * parser (program.ts), which has the last word; a test compares both.
 */
import { optionKey, readOptions, type CommandSpec, type OptionSpec, type Parsed } from './command.js';
import { readFlags } from './flags.js';
import { helpOption, versionOption } from './global-options.js';
import { nameOf, optionsFor, readLine } from './words.js';

/**
 * @param argv what was typed after `rotate`
 * @returns undefined: ask the parser
 */
export function parsePlain(argv: readonly string[], commands: readonly CommandSpec[]): Parsed | undefined {
  const { path, command, args, given, wants } = readLine(argv, commands);
  if (command === undefined || wants !== undefined) return undefined;
  if (!path.every((word, i) => word === argv[i]) || !takes(command, args)) return undefined;
  const options = optionsFor(command).filter((option) => option !== helpOption && option !== versionOption);
  const known = new Map(options.map((option) => [readFlags(option).long, option]));
  if (!argv.filter((word) => word.startsWith('-')).every((word) => isWhole(word, known))) return undefined;
  const values: Record<string, unknown> = {};
  for (const option of options) {
    const typed = given.get(nameOf(option));
    if (typed === undefined) continue;
    // Behind an option, what begins with a dash may be the next option.
    if (!typed.every((value) => option.values?.includes(value) ?? !value.startsWith('-'))) return undefined;
    values[optionKey(nameOf(option))] = valueOf(option, typed);
  }
  return { spec: command, args, options: readOptions(values) };
}

/** Whether they are as many as it takes, and each is one that it knows. */
function takes({ arguments: places }: CommandSpec, args: readonly string[]): boolean {
  const most = places.some(({ variadic }) => variadic) ? Infinity : places.length;
  const least = places.filter(({ optional }) => optional !== true).length;
  return (
    args.length >= least &&
    args.length <= most &&
    args.every((arg, i) => (places[i] ?? places.at(-1))?.values?.includes(arg) ?? true)
  );
}

/** `--json`, `--env` or `--env=prod`. A value that begins with a dash is none of these, nor is `--`. */
function isWhole(word: string, known: ReadonlyMap<string, OptionSpec>): boolean {
  const [long = ''] = word.split('=', 1);
  const option = known.get(long);
  // What says no is stored under another name.
  if (option === undefined || long.startsWith('--no-')) return false;
  return long === word || readFlags(option).value !== undefined;
}

/** As {@link readOptions} wants it. */
function valueOf(option: OptionSpec, typed: readonly string[]): unknown {
  if (option.repeats === true) return typed;
  return readFlags(option).value === undefined ? true : typed.at(-1);
}
