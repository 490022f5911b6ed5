/** From what a person types to a request that the worker understands: one environment, names in it. */
import type { PlanRequest } from '../client/inspect.js';
import { RotateError } from '../domain/failure.js';
import type { Invocation } from './command.js';
import type { Context } from './context.js';
import { readConfig, type Workspace } from './workspace.js';

/**
 * Names are checked here where a rotate.yaml is at hand, so that a slip is told at once; the worker, who has the
 * main branch, has the last word.
 * @throws RotateError UnknownSecret, AmbiguousSecret, BadConfig; Usage for several environments at once
 */
export async function selectSecrets(
  { context, args, options }: Pick<Invocation, 'context' | 'args' | 'options'>,
  workspace: Workspace | undefined,
): Promise<PlanRequest> {
  const asked = options.text('env');
  const refs = workspace === undefined ? args.map(split) : await resolve(args, asked, context, workspace);
  const environments = new Set(refs.map((ref) => ref.environment ?? asked));
  if (environments.size > 1)
    throw new RotateError(
      'Usage',
      `one rotation is of one environment, and these are of ${[...environments].map((name) => (name === undefined ? 'an unnamed one' : `\`${name}\``)).join(' and ')}`,
      { hint: 'start one for each environment' },
    );
  const [environment] = environments;
  const secrets = [...new Set(refs.map(({ name }) => name))];
  return { ...(environment === undefined ? {} : { environment }), secrets };
}

interface AskedSecret {
  environment?: string;
  name: string;
}

async function resolve(
  args: readonly string[],
  asked: string | undefined,
  context: Context,
  workspace: Workspace,
): Promise<AskedSecret[]> {
  const { resolveSecret } = await import('../config/resolve-names.js');
  const config = await readConfig(context, workspace);
  return args.map((name) => resolveSecret(config, name, asked));
}

/** `prod/db-password`, or a name alone. */
function split(arg: string): AskedSecret {
  const slash = arg.indexOf('/');
  return slash < 0 ? { name: arg } : { environment: arg.slice(0, slash), name: arg.slice(slash + 1) };
}
