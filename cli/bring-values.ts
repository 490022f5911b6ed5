/** Asks a person for the values that only he has, or takes one from standard input. */
import { toBring } from '../client/bring.js';
import { RotateError } from '../domain/failure.js';
import type { DigestedPlan } from '../domain/plan.js';
import { SecretValue } from '../domain/secret-value.js';
import type { Context } from './context.js';
import type { Invocation } from './command.js';

/** More than any credential has; a slip such as a disk image ends here. */
const largest = 1024 * 1024;

/** By environment and name. */
export type Brought = ReadonlyMap<string, ReadonlyMap<string, SecretValue>>;

/**
 * Finds out, before anything is asked, whether the values can be had.
 * @throws RotateError Usage
 */
export function checkBringing({ context, options }: Invocation, plans: readonly DigestedPlan[]): void {
  const names = allToBring(plans);
  if (options.flag('value-stdin')) {
    const [only, another] = names;
    if (only === undefined)
      throw new RotateError(
        'Usage',
        `--value-stdin brings a value, and ${namesOf(plans).join(', ')} takes none from a person`,
        { hint: 'leave --value-stdin out: the new value is made for you' },
      );
    if (another !== undefined)
      throw new RotateError('Usage', `--value-stdin is one value, and ${names.join(', ')} each need one`, {
        hint: 'start them one by one, each with its value',
      });
    if (context.stdin.isTTY)
      throw new RotateError('Usage', '--value-stdin reads a pipe or a file, and this is a terminal', {
        hint: 'leave it out to be asked for the value, which is not shown then',
      });
  } else if (names.length > 0 && !(context.stdin.isTTY && context.stderr.isTTY))
    throw new RotateError('Usage', `a person has to bring the value of ${names.join(', ')}`, {
      hint: 'give it on standard input with --value-stdin --yes, or start it on a terminal',
    });
}

/** @throws RotateError Usage, Interrupted */
export async function bringValues(invocation: Invocation, plans: readonly DigestedPlan[]): Promise<Brought> {
  const brought = new Map<string, Map<string, SecretValue>>();
  for (const plan of plans) {
    const { environment } = plan.plan;
    for (const name of toBring(plan)) {
      const values = brought.get(environment) ?? new Map<string, SecretValue>();
      brought.set(environment, values.set(name, await valueOf(invocation, `${environment}/${name}`)));
    }
  }
  return brought;
}

function namesOf(plans: readonly DigestedPlan[]): string[] {
  return plans.flatMap(({ plan }) => plan.secrets.map(({ name }) => `${plan.environment}/${name}`));
}

function allToBring(plans: readonly DigestedPlan[]): string[] {
  return plans.flatMap((plan) => toBring(plan).map((name) => `${plan.plan.environment}/${name}`));
}

async function valueOf({ context, options }: Invocation, name: string): Promise<SecretValue> {
  if (options.flag('value-stdin')) return fromInput(context, name);
  const { stdin, stderr, signal } = context;
  const show = (text: string): void => stderr.write(text);
  return stdin.withHidden(signal, show, async (ask) => {
    const answer = async (question: string): Promise<SecretValue> => {
      const bytes = await ask(question);
      if (bytes === undefined)
        throw new RotateError('Usage', `the input ended before the value of ${name} was given`, {
          hint: 'start it again and type or paste the value, or pipe it in with --value-stdin --yes',
        });
      return taken(bytes);
    };
    for (;;) {
      const value = await answer(`New value of ${name}: `);
      if (value.equals(await answer('Again: '))) return value;
      show('rotate: the two are not the same; once more\n');
    }
  });
}

/** All of it but one line end, which editors, `echo` and `age -d` leave behind. */
async function fromInput({ stdin, signal }: Context, name: string): Promise<SecretValue> {
  const bytes = await stdin.readAll(signal, largest);
  if (bytes === undefined)
    throw new RotateError(
      'Usage',
      `standard input has more than ${largest} bytes, which cannot be the value of ${name}`,
      { hint: 'pipe in the value alone' },
    );
  const end = bytes.at(-1) === 0x0a ? (bytes.at(-2) === 0x0d ? 2 : 1) : 0;
  if (bytes.length === end)
    throw new RotateError('Usage', `standard input is empty: there is no value for ${name}`, {
      hint: 'pipe the value in, e.g. `age -d value.age | rotate start … --value-stdin --yes`',
    });
  const value = taken(bytes.subarray(0, bytes.length - end));
  bytes.fill(0);
  return value;
}

function taken(bytes: Uint8Array): SecretValue {
  const value = new SecretValue(bytes);
  bytes.fill(0);
  return value;
}
