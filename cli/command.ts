/** A command is data and a handler: one file each in commands/, listed in registry.ts. */
import type { Context } from './context.js';
import type { ExitCode } from './exit-codes.js';
import type { Screen } from './screen.js';

/** What a value names, for completion. A source of each is in complete/sources.ts. */
export type Completes =
  | 'command'
  | 'environment'
  | 'file'
  | 'host'
  | 'policy'
  | 'rotation'
  /** A rotation that has not ended, where one is known. */
  | 'open-rotation'
  | 'schedule'
  | 'secret'
  /** Of secrets. */
  | 'tag';

/** What stands in the place of an argument, or behind an option. At most one of the two. */
export interface ValueSpec {
  /** All that is allowed; anything else is refused. */
  values?: readonly string[];
  completes?: Completes;
}

export interface ArgumentSpec extends ValueSpec {
  name: string;
  description: string;
  optional?: true;
  variadic?: true;
}

export interface OptionSpec extends ValueSpec {
  /** As commander reads them: `-r, --reason <text>`; read here by flags.ts. */
  flags: string;
  description: string;
  /** May be given several times. */
  repeats?: true;
}

export interface Example {
  command: string;
  does: string;
}

/** All that a command is. Parser, help, completion and man pages are made from it, and need nothing else. */
export interface CommandSpec {
  /** A word, or the words of a group and its command: `schedule apply`. A group is no command itself. */
  name: string;
  /** What the group of a name of several words is for, a few words; one of its commands has to say it. */
  group?: string;
  /** Lowercase, a few words, for the list of commands. */
  summary: string;
  /** What a person has to know before using it. */
  description: string;
  arguments: readonly ArgumentSpec[];
  options: readonly OptionSpec[];
  examples: readonly Example[];
  run(invocation: Invocation): Promise<ExitCode>;
}

/** What was typed, and what there is to work with. */
export interface Invocation {
  context: Context;
  screen: Screen;
  /** All commands, in the order of the help. */
  commands: readonly CommandSpec[];
  options: Options;
  /** Positional arguments; missing optional ones are absent. */
  args: readonly string[];
}

/** What was typed, as the parser understands it. */
export interface Parsed {
  spec: CommandSpec;
  args: readonly string[];
  options: Options;
}

/** Options of the command and of the program, by their long name without dashes. */
export interface Options {
  flag(name: string): boolean;
  text(name: string): string | undefined;
  list(name: string): readonly string[];
}

/** @param values as commander hands them over, under their {@link optionKey} */
export function readOptions(values: Readonly<Record<string, unknown>>): Options {
  const find = (name: string): unknown => values[optionKey(name)];
  return {
    flag: (name) => find(name) === true,
    text: (name) => {
      const value = find(name);
      return typeof value === 'string' ? value : undefined;
    },
    list: (name) => {
      const value = find(name);
      return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
    },
  };
}

/** A name without dashes in camel case, as commander keeps it. */
export function optionKey(name: string): string {
  return name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
