/** Gathers what there is to know of a secret and prints it: what is known here at once, what a worker says after it. */
import type { KindEntry } from '../../config/registries.js';
import { RotateError, asRotateError } from '../../domain/failure.js';
import type { SecretSpec } from '../../domain/spec.js';
import type { Invocation } from '../command.js';
import { exitCodes, type ExitCode } from '../exit-codes.js';
import { interruptedBy } from '../interrupted.js';
import { explanationText, workerText } from '../render/explanation-text.js';
import type { Workspace } from '../workspace.js';
import { explainSecret, type Known } from './explain-secret.js';
import type { ExplainedByWorker } from './explanation.js';

/** Reading a plan takes the worker longer than saying that it is there; what is known here is shown meanwhile. */
const patience = { reachMs: 2_000, planMs: 20_000 };

export async function explain(invocation: Invocation): Promise<ExitCode> {
  const { context, options, screen, args } = invocation;
  const [{ requireWorkspace, readConfig }, { resolveSecret }, { readLog }] = await Promise.all([
    import('../workspace.js'),
    import('../../config/resolve-names.js'),
    import('../read-log.js'),
  ]);
  const offline = options.flag('offline');
  const workspace = requireWorkspace(context, options);
  const config = await readConfig(context, workspace);
  const secret = resolveSecret(config, args[0] ?? '', options.text('env'));
  const { environment, name } = secret;
  const [traits, records] = await Promise.all([
    traitsOf(secret),
    readLog(invocation, workspace, { environment, secret: name, offline }),
  ]);
  const now = new Date();
  const explanation = explainSecret({ config, secret, traits, records, now: now.toISOString() });
  const format = { columns: screen.columns, paint: screen.paint, now: now.getTime() };
  if (!screen.json) screen.data(explanationText(explanation, format));
  if (offline) {
    if (screen.json) screen.object(explanation);
    return exitCodes.done;
  }
  const answer = await askWorker(invocation, workspace, secret);
  if (screen.json)
    screen.object({
      ...explanation,
      ...(answer instanceof RotateError ? { workerMissing: answer.toReason() } : { worker: answer }),
    });
  else if (answer instanceof RotateError) {
    screen.note(`without recipients, holders and what is under way: ${answer.message}`);
    screen.hint(answer.hint ?? '`rotate doctor` says what is wrong; --offline does not ask');
  } else screen.data(`\n${workerText(answer, format)}`);
  return exitCodes.done;
}

/** Only the kind knows; its drivers are loaded here, and used for nothing else. */
async function traitsOf({ kind: id, settings }: SecretSpec): Promise<Known['traits']> {
  const [{ kindRegistry }, { kinds }] = await Promise.all([
    import('../../config/registries.js'),
    // oxlint-disable-next-line no-restricted-imports -- behind import(), as the import table allows
    import('../../kinds/registry.js'),
  ]);
  const kind = kinds.get(id);
  if (kind === undefined) throw new RotateError('Internal', `the kind ${id} is not in the registry`);
  const retirement = kind.retirement(settings);
  return {
    about: aboutOf(kindRegistry.get(id)) ?? `a secret of kind ${id}`,
    overlap: kind.overlap(settings),
    kill: kind.kill,
    source: kind.source,
    canDisable: kind.canDisable(settings),
    retire: retirement.by,
    ...(retirement.by === 'deploy' ? { keepOldMs: retirement.keepOldMs } : {}),
    effects: kind.describe(settings, undefined),
    endpoints: kind.endpoints(settings),
  };
}

function aboutOf(entry: KindEntry | undefined): string | undefined {
  return entry?.schema.description;
}

/** What a worker says, or why none did. @throws RotateError Interrupted */
async function askWorker(
  invocation: Invocation,
  workspace: Workspace,
  { environment, name }: SecretSpec,
): Promise<ExplainedByWorker | RotateError> {
  const { context } = invocation;
  try {
    const { sessionOptions } = await import('../open-session.js');
    const openOptions = await sessionOptions(invocation, workspace);
    const { glance } = await import('../../client/glance.js');
    const { plan, underWay } = await glance(openOptions, { environment, secrets: [name] }, patience);
    const { commit, waves, notes, secrets } = plan.plan;
    const planned = secrets.find((each) => each.name === name);
    return {
      commit,
      ...(planned?.account === undefined ? {} : { account: planned.account }),
      recipients: planned?.recipients ?? [],
      holders: waves.flat().map((host) => host.name),
      notes,
      underWay: underWay.map(({ id, state, startedAt }) => ({ id, state, startedAt })),
    };
  } catch (error) {
    if (context.signal.aborted) throw interruptedBy(error);
    const known = asRotateError(error);
    if (known === undefined) throw error;
    return known;
  }
}
