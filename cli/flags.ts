/** The flags of an option, read once: parser, help, completion and man pages write them each in their own way. */
import type { OptionSpec } from './command.js';

export interface Flags {
  /** `-y` */
  short?: string;
  /** `--reason` */
  long: string;
  /** What the value is called, where one is needed: `text` of `--reason <text>`. */
  value?: string;
}

/** @throws TypeError for flags that are not written as {@link OptionSpec} wants them */
export function readFlags({ flags }: Pick<OptionSpec, 'flags'>): Flags {
  const match = /^(?:(-[A-Za-z]), )?(--[a-z][a-z-]*)(?: <([a-z][a-z-]*)>)?$/.exec(flags);
  const [, short, long, value] = match ?? [];
  if (long === undefined) throw new TypeError(`\`${flags}\` are no flags such as \`-r, --reason <text>\``);
  return { ...(short === undefined ? {} : { short }), long, ...(value === undefined ? {} : { value }) };
}

/** The option that `word` begins or is: `--env`, `--env=prod`, `-y`. */
export function findOption<T extends OptionSpec>(options: readonly T[], word: string): T | undefined {
  const [flag] = word.split('=', 1);
  return options.find((option) => {
    const { short, long } = readFlags(option);
    return flag === long || word === short;
  });
}
