/** Runs the command line of this process: the real world as a Context, and signals. */
import { systemReason } from '../domain/system-error.js';
import type { Context, Input } from './context.js';
import { exitCodes } from './exit-codes.js';
import { makeInput } from './input.js';
import { makeOutput } from './output.js';
import { run } from './run.js';

export async function runProcess(): Promise<void> {
  const stderr = makeOutput(
    2,
    () => process.stderr,
    () => {
      // Where not even errors can be told, the exit code is all that is left.
      process.exitCode ??= exitCodes.failed;
    },
  );
  const stdout = makeOutput(
    1,
    () => process.stdout,
    (error) => {
      // `rotate list | head`: nobody reads any more, which is no failure of ours.
      if (error.code === 'EPIPE') process.exit(exitCodes.done);
      stderr.write(`rotate: error: cannot write to stdout: ${systemReason(error)}\n`);
      process.exit(exitCodes.failed);
    },
  );

  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      // The second time, whatever hangs is left hanging.
      if (interruption.signal.aborted) process.exit(exitCodes.interrupted);
      interruption.abort(signal);
    });

  let input: Input | undefined;
  const context: Context = {
    stdout,
    stderr,
    // Made when something is read: most commands read nothing.
    get stdin() {
      return (input ??= makeInput(process.stdin));
    },
    env: process.env,
    cwd: process.cwd(),
    signal: interruption.signal,
  };

  process.exitCode = await run(process.argv.slice(2), context);

  // Whatever is still being waited for (a server that does not answer) is not worth a person's time. And to end at once
  // is quicker than to let Node take itself apart.
  await Promise.all([stdout.flushed(), stderr.flushed()]);
  process.exit();
}
