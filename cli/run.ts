/** Runs one command line in a given world; all errors become exit codes here. */
import { RotateError } from '../domain/failure.js';
import type { Parsed } from './command.js';
import type { Context } from './context.js';
import { exitCodes, type ExitCode } from './exit-codes.js';
import { interruptedBy } from './interrupted.js';
import { parsePlain } from './plain-line.js';
import { commands } from './registry.js';
import { reportError } from './report-error.js';
import { makeScreen } from './screen.js';

/** @param argv what was typed after `rotate` */
export async function run(argv: readonly string[], context: Context): Promise<ExitCode> {
  if (argv[0] === '__complete') {
    const { complete } = await import('./complete/answer.js');
    return complete(argv.slice(1), commands, context);
  }
  // Known before parsing, which may fail.
  const before = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;
  const debug = before.includes('--debug');
  const screen = makeScreen(context, {
    json: before.includes('--json'),
    colour: !before.includes('--no-color'),
  });
  try {
    const parsed = parsePlain(argv, commands) ?? (await parse(argv, context));
    if (parsed === undefined) return exitCodes.done;
    const { spec, args, options } = parsed;
    return await spec.run({ context, screen, commands, options, args });
  } catch (error) {
    return reportError(context.signal.aborted ? asInterruption(error) : error, context, screen, debug);
  }
}

/** Loaded when it is needed: most lines are plain. */
async function parse(argv: readonly string[], context: Context): Promise<Parsed | undefined> {
  const program = await import('./program.js');
  return program.parse(argv, commands, context);
}

/** After Ctrl-C everything that fails, fails because of it; what says so itself says it better. */
function asInterruption(error: unknown): unknown {
  return error instanceof RotateError && error.type === 'Interrupted' ? error : interruptedBy(error);
}
