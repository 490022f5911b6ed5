/** The blocks `provision`, `revoke`, `undo` and `check`: a checklist for a person, or a command and where it runs. */
import { z } from 'zod';
import { durationPattern, parseDuration } from '../../domain/duration.js';
import { defaultTimeouts } from './times.js';

/** Words that stand for no host of the file. */
export const places = { worker: 'worker', consumers: 'consumers' } as const;

export interface Mistake {
  path: string[];
  message: string;
  hint: string;
}

/** What is missing may stand there under a misspelt key, which is told already: then nothing else is. */
export function report(context: z.RefinementCtx, mistakes: readonly Mistake[]): void {
  const misspelt = context.issues.some(
    ({ code, path = [] }) => code === 'unrecognized_keys' && path.length === 0,
  );
  if (misspelt) return;
  for (const { path, message, hint } of mistakes)
    context.addIssue({ code: 'custom', path, message, params: { hint } });
}

const argument = z
  .string({ error: 'an argument is text; put it in quotes' })
  .regex(/^\P{Cc}+$/u, 'an argument is one line of text, and not empty');

const command = z
  .union([argument, z.array(argument).min(1, 'a command has at least the name of its program')], {
    error: 'must be a list of arguments (on a host), or the name of a command of worker.yaml (`on: worker`)',
  })
  .describe(
    'On a host: a list of arguments, for no shell. On the worker: the name of a command of worker.yaml. It reads the value from its standard input.',
  );

const place = z.string({ error: 'must be the name of a host, or `worker`' }).min(1, 'must not be empty');

const as = z
  .string({ error: 'must be a system user of the host, e.g. root' })
  .regex(/^[A-Za-z_][A-Za-z0-9_.-]{0,31}\$?$/, 'must be a system user of the host, e.g. root')
  .optional()
  .describe('On a host: the system user that it runs as. Default: root.');

const durationText = 'must be a duration such as `10s`';
const timeout = (fallback: string) =>
  z
    .string({ error: durationText })
    .regex(durationPattern, durationText)
    .refine((text) => parseDuration(text) !== 0, 'must be more than nothing')
    .optional()
    .describe(`On a host: how long it may take. Default: ${fallback}.`);

const effectBlock = z.strictObject({
  checklist: z
    .string({ error: 'must be a text for the person who does it' })
    .regex(/\S/, 'must say what is to be done')
    .regex(/^[\P{Cc}\n]*$/u, 'must be plain text')
    .max(2000, 'must be at most 2000 characters')
    .optional()
    .describe('What a person has to do; the rotation waits until he has said `rotate confirm`.'),
  command: command.optional(),
  on: place.optional().describe('With `command`: a host of this file, or `worker`.'),
  as,
  timeout: timeout(defaultTimeouts.effect),
});
export type EffectBlock = z.infer<typeof effectBlock>;

const checkBlock = z.strictObject({
  command,
  on: place.describe('A host of this file, `consumers` (each host with a consumer), or `worker`.'),
  as,
  timeout: timeout(defaultTimeouts.check),
});
export type CheckBlock = z.infer<typeof checkBlock>;

/** An effect at the vendor. */
export const effectSchema = effectBlock
  .superRefine((block, context) => report(context, effectMistakes(block)))
  .meta({ oneOf: [{ required: ['checklist'] }, { required: ['command', 'on'] }] });

export const checkSchema = checkBlock.superRefine((block, context) =>
  report(context, commandMistakes(block)),
);

function effectMistakes(block: EffectBlock): Mistake[] {
  const { checklist, command: given, on } = block;
  if (checklist !== undefined) {
    const [other] = (['command', 'on', 'as', 'timeout'] as const).filter((key) => block[key] !== undefined);
    if (other === undefined) return [];
    const message = `\`checklist\` and \`${other}\` exclude each other`;
    return [{ path: [other], message, hint: 'either a person does it, or a command' }];
  }
  if (given === undefined)
    return [
      {
        path: [],
        message: 'says neither what a person has to do nor which command does it',
        hint: 'add `checklist: TEXT`, or `command` and `on`',
      },
    ];
  if (on === undefined)
    return [{ path: [], message: 'says nowhere to run the command', hint: 'add `on`: a host, or `worker`' }];
  if (on === places.consumers)
    return [
      {
        path: ['on'],
        message: '`consumers` is for `check`; an effect takes place once',
        hint: 'name one host, or `worker`',
      },
    ];
  return commandMistakes({ ...block, command: given, on });
}

/** What does not go together in a block with a command. */
function commandMistakes(block: CheckBlock): Mistake[] {
  const { command: given, on } = block;
  if (on !== places.worker)
    return typeof given === 'string'
      ? [
          {
            path: ['command'],
            message: 'a command on a host is a list of arguments',
            hint: 'write `[program, argument, …]`; a name alone is for `on: worker`',
          },
        ]
      : [];
  // What runs on the worker is the worker's to say: whoever can push to the repo could else run anything there.
  if (typeof given !== 'string')
    return [
      {
        path: ['command'],
        message: 'a command on the worker is only named here',
        hint: 'declare it under `commands` of worker.yaml, and give its name',
      },
    ];
  return (['as', 'timeout'] as const)
    .filter((key) => block[key] !== undefined)
    .map((key) => ({
      path: [key],
      message: `\`${key}\` is for a command on a host`,
      hint: `remove it: worker.yaml says how \`${given}\` runs`,
    }));
}
