/** What an argument or option is for, whole, as help and man pages say it alike. */
import type { ArgumentSpec, OptionSpec } from './command.js';

export function describe(spec: ArgumentSpec | OptionSpec): string {
  const { description, values } = spec;
  return [
    values === undefined ? description : `${description}: ${listed(values)}`,
    ...('repeats' in spec ? ['may be given several times'] : []),
  ].join('; ');
}

/** As usage lines write it: `<secrets...>`. */
export function placeOf({ name, optional, variadic }: ArgumentSpec): string {
  const dots = variadic === true ? '...' : '';
  return optional === true ? `[${name}${dots}]` : `<${name}${dots}>`;
}

/** `a, b or c` */
export function listed(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} or ${last}`;
}
