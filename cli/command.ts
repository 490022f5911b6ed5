/** A command is data and a handler: one file each in commands/, listed in registry.ts. */
import type { Context } from './context.js';
import type { ExitCode } from './exit-codes.js';
import type { Screen } from './screen.js';

export interface ArgumentSpec {
  name: string;
  description: string;
  optional?: true;
  variadic?: true;
}

export interface OptionSpec {
  /** As commander reads them: `--reason <text>`. */
  flags: string;
  description: string;
  /** May be given several times. */
  repeats?: true;
}

export interface Example {
  command: string;
  does: string;
}

export interface CommandSpec {
  name: string;
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
  options: Options;
  /** Positional arguments; missing optional ones are absent. */
  args: readonly string[];
}

/** Options of the command and of the program, by their long name without dashes. */
export interface Options {
  flag(name: string): boolean;
  text(name: string): string | undefined;
  list(name: string): readonly string[];
}

/** @param values as commander hands them over, keys in camel case */
export function readOptions(values: Readonly<Record<string, unknown>>): Options {
  const find = (name: string): unknown =>
    values[name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())];
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
