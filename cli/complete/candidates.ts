/** What can stand where the cursor is. Decides only; names come from the sources. */
import { branchesAt } from '../command-tree.js';
import type { ArgumentSpec, CommandSpec, Completes, OptionSpec, ValueSpec } from '../command.js';
import { findOption, readFlags } from '../flags.js';
import { nameOf, optionsFor, type Line } from '../words.js';

export interface Candidate {
  text: string;
  /** A few words for shells that show them. */
  description?: string;
  /** What it stands for, where one thing has several names. */
  means?: string;
}

/** Names of things that exist, where the line says where to look. */
export type Sources = Readonly<
  Record<Exclude<Completes, 'command' | 'file'>, (line: Line) => Promise<readonly Candidate[]>>
>;

export interface Candidates {
  found: readonly Candidate[];
  /** The shell knows more about files. */
  files: boolean;
}

const files: Candidates = { found: [], files: true };
const none: Candidates = { found: [], files: false };

/**
 * @param line what stands before the word at the cursor
 * @param partial that word up to the cursor; a candidate replaces all of it
 * @returns in the order in which they are of interest, also those that do not begin with `partial`
 */
export async function candidates(
  line: Line,
  partial: string,
  commands: readonly CommandSpec[],
  sources: Sources,
): Promise<Candidates> {
  if (line.wants !== undefined) return valuesOfOption(line.wants, line, commands, sources);
  if (!line.argumentsOnly && partial.startsWith('-')) {
    const flag = /^--[^=]+=/.exec(partial)?.[0];
    if (flag === undefined) return { found: options(line), files: false };
    const option = findOption(optionsFor(line.command), flag);
    if (option === undefined || readFlags(option).value === undefined) return none;
    const values = await valuesOfOption(option, line, commands, sources);
    return { ...values, found: values.found.map((each) => ({ ...each, text: `${flag}${each.text}` })) };
  }
  if (line.lost) return none;
  if (line.command === undefined) return { found: words(commands, line.path), files: false };
  const argument = argumentAt(line.command.arguments, line.args.length);
  if (argument !== undefined)
    return notAgain(await valuesOf(argument, line, commands, sources), argument.variadic, line.args);
  return partial === '' && !line.argumentsOnly ? { found: options(line), files: false } : none;
}

function argumentAt(list: readonly ArgumentSpec[], index: number): ArgumentSpec | undefined {
  const last = list.at(-1);
  return list[index] ?? (last?.variadic === true ? last : undefined);
}

function words(commands: readonly CommandSpec[], path: readonly string[]): Candidate[] {
  return branchesAt(commands, path).map(({ word, summary }) => ({ text: word, description: summary }));
}

/** By their long names; without those that were given and mean nothing a second time. */
function options({ command, given }: Line): Candidate[] {
  return optionsFor(command)
    .filter((option) => option.repeats === true || !given.has(nameOf(option)))
    .map((option) => ({ text: readFlags(option).long, description: option.description }));
}

async function valuesOfOption(
  option: OptionSpec,
  line: Line,
  commands: readonly CommandSpec[],
  sources: Sources,
): Promise<Candidates> {
  const values = await valuesOf(option, line, commands, sources);
  return notAgain(values, option.repeats, line.given.get(nameOf(option)) ?? []);
}

async function valuesOf(
  { values, completes }: ValueSpec,
  line: Line,
  commands: readonly CommandSpec[],
  sources: Sources,
): Promise<Candidates> {
  if (values !== undefined) return { found: values.map((text) => ({ text })), files: false };
  if (completes === undefined) return none;
  if (completes === 'file') return files;
  if (completes === 'command') return { found: words(commands, line.args), files: false };
  return { found: await sources[completes](line), files: false };
}

/** Without what the line already has, whatever name it was given by there. */
function notAgain(values: Candidates, several: true | undefined, typed: readonly string[]): Candidates {
  if (several !== true) return values;
  const meanings = new Set(
    values.found.filter(({ text }) => typed.includes(text)).map(({ text, means }) => means ?? text),
  );
  return { ...values, found: values.found.filter(({ text, means }) => !meanings.has(means ?? text)) };
}
