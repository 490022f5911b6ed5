/** The commands of registry.ts as a commander program. Commander only parses and prints help; it never exits. */
import { Argument, Command, CommanderError, Option } from 'commander';

import { RotateError } from '../domain/failure.js';
import { readOptions, type CommandSpec, type Options, type OptionSpec } from './command.js';
import type { Context } from './context.js';
import { version } from './version.js';

export interface Parsed {
  spec: CommandSpec;
  args: readonly string[];
  options: Options;
}

const globalOptions: readonly OptionSpec[] = [
  { flags: '--config <file>', description: 'rotate.yaml (default: searched upward from here)' },
  {
    flags: '--codec-key <file>',
    description: "the worker's codec key (default: $ROTATE_CODEC_KEY_FILE, or what `rotate dev` made)",
    repeats: true,
  },
  { flags: '--env <name>', description: 'the environment' },
  { flags: '--json', description: 'print JSON on stdout' },
  { flags: '--debug', description: 'print the stack trace of an error' },
  { flags: '--no-color', description: 'no colour; so does NO_COLOR' },
];

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
  const program = makeProgram(context);
  for (const spec of commands) {
    const command = program.command(spec.name).summary(spec.summary).description(spec.description);
    for (const { name, description, optional, variadic } of spec.arguments) {
      const dots = variadic === true ? '...' : '';
      command.addArgument(
        new Argument(optional === true ? `[${name}${dots}]` : `<${name}${dots}>`, description),
      );
    }
    for (const option of spec.options) command.addOption(toOption(option));
    command.addHelpText('after', examples(spec));
    command.action(() => {
      parsed = { spec, args: command.args, options: readOptions(command.optsWithGlobals()) };
    });
  }
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    throw usage(error);
  }
  return parsed;
}

function makeProgram(context: Context): Command {
  const program = new Command('rotate')
    .description('Rotates the secrets of a NixOS fleet: makes, encrypts, deploys, verifies and revokes them.')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
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
  program.addHelpText(
    'after',
    '\nExit codes: 0 done; 1 refused, rolled back, or findings; 2 usage or configuration; 3 failed, or asking\nfor a person; 4 Temporal or its worker cannot be reached, or not allowed; 130 interrupted.',
  );
  return program;
}

function toOption({ flags, description, repeats }: OptionSpec): Option {
  const option = new Option(flags, description);
  if (repeats === true)
    option.argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value]);
  return option;
}

function examples({ examples: list }: CommandSpec): string {
  if (list.length === 0) return '';
  return `\nExamples:\n${list.map(({ command, does }) => `  $ ${command}\n      ${does}`).join('\n')}`;
}

/** Commander's words, as ours. */
function usage(error: CommanderError): RotateError {
  // `rotate` alone: the help was printed.
  if (error.code === 'commander.help')
    return new RotateError('Usage', 'no command was given', { hint: 'the commands are listed above' });
  const [message = '', suggestion] = error.message.replace(/^error: /, '').split('\n');
  const near = suggestion === undefined ? undefined : /^\(Did you mean (.*)\?\)$/.exec(suggestion)?.[1];
  return new RotateError('Usage', message.replaceAll("'", '`'), {
    hint: near === undefined ? '`rotate --help` shows what there is' : `did you mean \`${near}\`?`,
    cause: error,
  });
}
