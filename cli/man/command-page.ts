/** The page of a command, and of a group of commands: what its help says, as roff. */
import { branchesAt } from '../command-tree.js';
import type { ArgumentSpec, CommandSpec, Example, OptionSpec } from '../command.js';
import { describe, placeOf } from '../describe.js';
import { readFlags } from '../flags.js';
import { globalOptions, helpOption, versionOption } from '../global-options.js';
import { bold, escape, example, italic, item, head, paragraph, prose, section } from './roff.js';

/** `rotate-schedule-apply` of `schedule apply`. */
export function pageName(command: string): string {
  return ['rotate', ...command.split(' ')].join('-');
}

/** @param commands all of them, for what to see also */
export function commandPage(command: CommandSpec, commands: readonly CommandSpec[], version: string): string {
  const { name, summary, description, arguments: args, options, examples } = command;
  return page(
    head(pageName(name), version),
    section('NAME', `${escape(pageName(name))} \\- ${prose(summary)}`),
    section(
      'SYNOPSIS',
      [
        bold(`rotate ${name}`),
        '[' + italic('options') + ']',
        ...args.map((each) => italic(placeOf(each))),
      ].join(' '),
    ),
    section('DESCRIPTION', paragraph(description)),
    ...(args.length === 0 ? [] : [section('ARGUMENTS', ...args.map(argumentItem))]),
    section('OPTIONS', ...[...options, helpOption].map(optionItem)),
    section('GLOBAL OPTIONS', ...[...globalOptions, versionOption].map(optionItem)),
    section('EXIT STATUS', `The same for all commands, see ${reference('rotate')}.`),
    examplesSection(examples),
    seeAlso(name, commands),
  );
}

export function groupPage(
  path: readonly string[],
  commands: readonly CommandSpec[],
  version: string,
): string {
  const name = path.join(' ');
  const parent = branchesAt(commands, path.slice(0, -1)).find(({ word }) => word === path.at(-1));
  const inside = commandsOf(name, commands);
  return page(
    head(pageName(name), version),
    section('NAME', `${escape(pageName(name))} \\- ${prose(parent?.summary ?? name)}`),
    section('SYNOPSIS', [bold(`rotate ${name}`), italic('command'), '[' + italic('options') + ']'].join(' ')),
    section('COMMANDS', ...inside.map(commandItem)),
    seeAlso(name, commands),
  );
}

export function page(...parts: readonly string[]): string {
  return `${parts.join('\n')}\n`;
}

export function commandItem({ name, summary }: CommandSpec): string {
  return item(reference(pageName(name)), prose(summary));
}

export function optionItem(option: OptionSpec): string {
  const { short, long, value } = readFlags(option);
  const names = [short, long].filter((name) => name !== undefined).map(bold);
  const term = `${names.join(', ')}${value === undefined ? '' : ` ${italic(`<${value}>`)}`}`;
  return item(term, paragraph(describe(option)));
}

export function examplesSection(examples: readonly Example[]): string {
  return section(
    'EXAMPLES',
    ...examples.map(
      ({ command, does }, i) => `${i === 0 ? '' : '.PP\n'}${prose(does)}:\n${example(command)}`,
    ),
  );
}

/** `rotate-start(1)` */
export function reference(name: string): string {
  return `${bold(name)}(1)`;
}

function argumentItem(argument: ArgumentSpec): string {
  return item(italic(placeOf(argument)), paragraph(describe(argument)));
}

/** Its group and what is in that, and the overview. */
function seeAlso(name: string, commands: readonly CommandSpec[]): string {
  const group = name.includes(' ') ? name.slice(0, name.lastIndexOf(' ')) : undefined;
  const near = group === undefined ? [] : [group, ...commandsOf(group, commands).map((each) => each.name)];
  const pages = near.filter((each) => each !== name).map(pageName);
  return section('SEE ALSO', ['rotate', ...pages].map(reference).join(', '));
}

function commandsOf(group: string, commands: readonly CommandSpec[]): CommandSpec[] {
  return commands.filter((command) => command.name.startsWith(`${group} `));
}
