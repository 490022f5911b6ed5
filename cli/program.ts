/** The commands of registry.ts as a commander program. Commander only parses and prints help; it never exits. */
import { Argument, Command, CommanderError, Option } from 'commander';

import { nearest } from '../config/nearest.js';
import { RotateError } from '../domain/failure.js';
import { branchesAt } from './command-tree.js';
import { readOptions, type ArgumentSpec, type CommandSpec, type OptionSpec, type Parsed } from './command.js';
import type { Context } from './context.js';
import { describe, listed, placeOf } from './describe.js';
import { exitCodeMeanings } from './exit-codes.js';
import { readFlags } from './flags.js';
import { globalOptions, helpOption, versionOption } from './global-options.js';
import { wrap } from './render/text.js';
import { version } from './version.js';
import { optionsFor, readLine } from './words.js';

export const programDescription =
  'Rotates the secrets of a NixOS fleet: makes, encrypts, deploys, verifies and revokes them.';

/**
 * What was typed; undefined when it was a wish for help or the version, which has been printed.
 * @param argv without node and script
 * @throws RotateError Usage
 */
export async function parse(
  argv: readonly string[],
  commands: readonly CommandSpec[],
  context: Context,
): Promise<Parsed | undefined> {
  let parsed: Parsed | undefined;
  const specs = new Map<Command, CommandSpec>();
  const program = makeProgram(context, specs);
  addBranches(program, [], commands, specs, (spec, command) => {
    parsed = { spec, args: command.args, options: readOptions(command.optsWithGlobals()) };
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    throw usage(error, argv, commands);
  }
  return parsed;
}

function makeProgram(context: Context, specs: ReadonlyMap<Command, CommandSpec>): Command {
  const program = new Command('rotate')
    .description(programDescription)
    .version(version(), versionOption.flags, versionOption.description)
    .helpOption(helpOption.flags, helpOption.description)
    .exitOverride()
    .configureHelp({
      showGlobalOptions: true,
      subcommandTerm: (command) => usageOf(command, specs.get(command)),
      // They are whole already; Commander would add to them.
      argumentDescription: ({ description }) => description,
      optionDescription: ({ description }) => description,
    })
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
      // Errors are ours to print.
      outputError: () => {},
      getOutHelpWidth: () => context.stdout.columns ?? 80,
      getErrHelpWidth: () => context.stderr.columns ?? 80,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
  for (const option of globalOptions) program.addOption(toOption(option));
  const codes = exitCodeMeanings.map(([code, meaning]) => `${code} ${meaning}`).join('; ');
  program.addHelpText('after', `\n${wrap(`Exit codes: ${codes}.`, 80).join('\n')}`);
  return program;
}

/** A command in the list of commands. */
function usageOf(command: Command, spec: CommandSpec | undefined): string {
  if (spec === undefined) return command.name();
  const options = spec.options.length > 0 ? ['[options]'] : [];
  return [command.name(), ...options, ...spec.arguments.map(placeOf)].join(' ');
}

/**
 * Adds what can follow the words of `path`, of which `parent` is the last. What each is made of is added when it is
 * the one that was typed: most of the time of `--help` would go into what it does not print.
 */
function addBranches(
  parent: Command,
  path: readonly string[],
  commands: readonly CommandSpec[],
  specs: Map<Command, CommandSpec>,
  typed: (spec: CommandSpec, command: Command) => void,
): void {
  for (const { word, summary, command: spec } of branchesAt(commands, path)) {
    const command = parent.command(word).summary(summary);
    if (spec !== undefined) specs.set(command, spec);
    else command.description(sentence(summary));
  }
  parent.hook('preSubcommand', (_, command) => {
    const spec = specs.get(command);
    if (spec === undefined) addBranches(command, [...path, command.name()], commands, specs, typed);
    else fill(command, spec).action(() => typed(spec, command));
  });
  const known = branchesAt(commands, path).map(({ word }) => word);
  parent.helpCommand(false);
  parent.on('command:*', ([word = '']: readonly string[]) => {
    throw unknownCommand(path, word, known);
  });
  // `rotate strat --help` is a slip too, and no wish for this help.
  parent.addHelpText('beforeAll', ({ command }) => {
    const [word] = command.args;
    if (command === parent && word !== undefined && !word.startsWith('-'))
      throw unknownCommand(path, word, known);
    return '';
  });
}

function fill(command: Command, spec: CommandSpec): Command {
  command.description(spec.description);
  for (const argument of spec.arguments) command.addArgument(toArgument(argument));
  for (const option of spec.options) command.addOption(toOption(option));
  return command.addHelpText('after', examples(spec));
}

function toArgument(spec: ArgumentSpec): Argument {
  const argument = new Argument(placeOf(spec), describe(spec));
  return spec.values === undefined ? argument : argument.choices(spec.values);
}

function toOption(spec: OptionSpec): Option {
  const option = new Option(spec.flags, describe(spec));
  if (spec.values !== undefined) option.choices(spec.values);
  if (spec.repeats !== true) return option;
  const check = option.parseArg;
  return option.argParser((value: string, before: readonly string[] | undefined) => {
    check?.(value, undefined);
    return [...(before ?? []), value];
  });
}

function examples({ examples: list }: CommandSpec): string {
  return `\nExamples:\n${list.map(({ command, does }) => `  $ ${command}\n      ${does}`).join('\n')}`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function unknownCommand(path: readonly string[], word: string, known: readonly string[]): RotateError {
  const whole = (last: string): string => [...path, last].join(' ');
  return new RotateError('Usage', `unknown command \`${whole(word)}\``, {
    hint: didYouMean(nearest(word, known).map(whole)) ?? `\`rotate ${whole('--help')}\` shows what there is`,
  });
}

function didYouMean(near: readonly string[]): string | undefined {
  return near.length === 0 ? undefined : `did you mean ${listed(near.map((each) => `\`${each}\``))}?`;
}

/** Commander's words, as ours. */
function usage(
  error: CommanderError,
  argv: readonly string[],
  commands: readonly CommandSpec[],
): RotateError {
  const { path, command } = readLine(argv, commands);
  const help = `\`rotate ${[...path, '--help'].join(' ')}\` shows what there is`;
  // `rotate` or the name of a group alone: the help was printed.
  if (error.code === 'commander.help')
    return new RotateError('Usage', 'no command was given', { hint: 'the commands are listed above' });
  const [message = ''] = error.message.replace(/^error: /, '').split('\n');
  const near = didYouMean(nearTo(message, command));
  const told = inOurWords(message, command);
  return new RotateError('Usage', told.message, { hint: near ?? told.hint ?? help, cause: error });
}

/** Of commander's sentences those that are long, or speak of commander's own things. */
function inOurWords(message: string, command: CommandSpec | undefined): { message: string; hint?: string } {
  const [, argument] = /^missing required argument '(.*)'$/.exec(message) ?? [];
  if (argument !== undefined && command !== undefined)
    return {
      message: `missing argument \`${argument}\` of \`rotate ${command.name}\``,
      hint: `type \`rotate ${[command.name, ...command.arguments.map(placeOf)].join(' ')}\``,
    };
  const [, most, given] = /^too many arguments.* Expected (\d+) arguments? but got (\d+)/.exec(message) ?? [];
  if (most !== undefined && command !== undefined)
    return {
      message: `too many arguments for \`rotate ${command.name}\`: it takes ${most === '0' ? 'none' : most}, given: ${given}`,
    };
  const [, flags, value, allowed] =
    /^option '(.*)' argument '(.*)' is invalid\..* Allowed choices are (.*)\.$/.exec(message) ?? [];
  if (flags !== undefined && allowed !== undefined)
    return {
      message: `\`${value}\` is no value of \`${flags}\``,
      hint: `give ${listed(allowed.split(', '))}`,
    };
  const [, typed, name, choices] =
    /^command-argument value '(.*)' is invalid for argument '(.*)'\. Allowed choices are (.*)\.$/.exec(
      message,
    ) ?? [];
  if (typed !== undefined && choices !== undefined)
    return { message: `\`${typed}\` is no ${name}`, hint: `give ${listed(choices.split(', '))}` };
  const [, lacking] = /^option '(.*)' argument missing$/.exec(message) ?? [];
  if (lacking !== undefined) return { message: `\`${lacking}\` needs a value` };
  return { message: message.replaceAll("'", '`') };
}

/** What may be meant by the word that commander's message does not know. */
function nearTo(message: string, command: CommandSpec | undefined): string[] {
  const option = /^unknown option '(--[^=']+)/.exec(message)?.[1];
  if (option !== undefined)
    return nearest(
      option,
      optionsFor(command).map((each) => readFlags(each).long),
    );
  const [, value, allowed] = /'([^']*)' is invalid.* Allowed choices are (.*)\.$/.exec(message) ?? [];
  return value === undefined || allowed === undefined ? [] : nearest(value, allowed.split(', '));
}
