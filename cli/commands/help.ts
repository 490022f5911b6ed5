/** `rotate help`: as `--help` behind the command. */
import type { CommandSpec } from '../command.js';
import { exitCodes } from '../exit-codes.js';

export const helpCommand: CommandSpec = {
  name: 'help',
  summary: 'show the help of a command',
  description: 'The same as `rotate COMMAND --help`; `man rotate-COMMAND` has it too, where it is installed.',
  arguments: [
    {
      name: 'command',
      description: 'its name; without one, the help of rotate',
      optional: true,
      variadic: true,
      completes: 'command',
    },
  ],
  options: [],
  examples: [{ command: 'rotate help start', does: 'what start does, its options, and examples' }],
  run: async ({ context, commands, args }) => {
    const { parse } = await import('../program.js');
    await parse([...args, '--help'], commands, context);
    return exitCodes.done;
  },
};
