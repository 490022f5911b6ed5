/** Which secrets a command is about: those that are named, or all that a tag, an environment or their age picks. */
import type { PlansRequest } from '../client/inspect.js';
import { RotateError } from '../domain/failure.js';
import type { ArgumentSpec, Invocation, OptionSpec } from './command.js';

export const selectionArgument: ArgumentSpec = {
  name: 'secrets',
  description: 'names, or environment/name',
  variadic: true,
  optional: true,
  completes: 'secret',
};

export const selectionOptions: readonly OptionSpec[] = [
  {
    flags: '--tag <tag>',
    description: 'all secrets with it; may be repeated: with any of them',
    repeats: true,
    completes: 'tag',
  },
  { flags: '--due', description: 'all that a schedule or their age limit asks to be rotated' },
];

/** Undefined: secrets are named. @throws RotateError Usage when nothing says which, or two things do */
export function readSelection({
  args,
  options,
}: Pick<Invocation, 'args' | 'options'>): PlansRequest | undefined {
  const environment = options.text('env');
  const tags = options.list('tag');
  const due = options.flag('due');
  if (args.length > 0) {
    if (tags.length === 0 && !due) return undefined;
    throw new RotateError('Usage', `names and ${due ? '--due' : '--tag'} exclude each other`, {
      hint: 'give one of them',
    });
  }
  if (environment === undefined && tags.length === 0 && !due)
    throw new RotateError('Usage', 'nothing says which secrets are meant', {
      hint: 'name them, or choose with --tag, --due, or --env for all of an environment; `rotate list` shows them',
    });
  return {
    ...(environment === undefined ? {} : { environment }),
    ...(tags.length === 0 ? {} : { tags: [...tags] }),
    ...(due ? { due } : {}),
  };
}
