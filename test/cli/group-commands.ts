/** Commands that the registry may have one day: groups, fixed values, repeated options, all that completes. */
import type { CommandSpec, Completes } from '../../cli/command.js';

function command(name: string, more: Partial<CommandSpec> = {}): CommandSpec {
  return {
    name,
    summary: `does ${name}`,
    description: `Does ${name}.`,
    arguments: [],
    options: [],
    examples: [{ command: `rotate ${name}`, does: 'it' }],
    run: async () => 0,
    ...more,
  };
}

export const groupCommands: readonly CommandSpec[] = [
  command('list'),
  command('schedule apply', { options: [{ flags: '--prune', description: 'delete the others' }] }),
  command('schedule pause', {
    group: 'schedules of rotate.yaml',
    arguments: [{ name: 'names', description: 'which', variadic: true, completes: 'schedule' }],
  }),
  command('key add', {
    arguments: [{ name: 'type', description: 'of the key', values: ['age', 'ssh'] }],
    options: [
      { flags: '--tag <name>', description: 'of secrets', repeats: true, completes: 'tag' },
      { flags: '--as <what>', description: 'how', repeats: true, values: ['reader', 'writer'] },
    ],
  }),
];

const kinds: readonly Completes[] = [
  'environment',
  'file',
  'host',
  'open-rotation',
  'policy',
  'rotation',
  'schedule',
  'secret',
  'tag',
];

/** A command for each kind of value, named like it. */
export const completingCommands: readonly CommandSpec[] = kinds.map((completes) =>
  command(completes, { arguments: [{ name: 'value', description: 'any', completes }] }),
);
