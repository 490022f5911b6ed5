/** Runs the command line of this process: the real world as a Context, and signals. */
import { systemReason } from '../domain/system-error.js';
import type { Context, Output } from './context.js';
import { exitCodes } from './exit-codes.js';
import { makeInput } from './input.js';
import { run } from './run.js';
import { attend } from './terminal.js';

export async function runProcess(): Promise<void> {
  // `rotate list | head`: nobody reads any more, which is no failure of ours.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(exitCodes.done);
    process.stderr.write(`rotate: error: cannot write to stdout: ${systemReason(error)}\n`);
    process.exit(exitCodes.failed);
  });
  // Where not even errors can be told, the exit code is all that is left.
  process.stderr.on('error', () => {
    process.exitCode ??= exitCodes.failed;
  });

  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      // The second time, whatever hangs is left hanging.
      if (interruption.signal.aborted) process.exit(exitCodes.interrupted);
      interruption.abort(signal);
    });

  const context: Context = {
    stdout: outputOf(process.stdout),
    stderr: outputOf(process.stderr),
    stdin: makeInput(process.stdin),
    env: process.env,
    cwd: process.cwd(),
    signal: interruption.signal,
  };

  process.exitCode = await run(process.argv.slice(2), context);

  // Whatever is still being waited for (a server that does not answer) is not worth a person's time.
  if (interruption.signal.aborted || process.argv[2] === '__complete')
    process.stdout.write('', () => process.stderr.write('', () => process.exit()));
}

/** A terminal whose size nobody has set says 0. */
function sizeOf(size: number): number | undefined {
  return size > 0 ? size : undefined;
}

function outputOf(stream: NodeJS.WriteStream): Output {
  return {
    write: (text) => void stream.write(text),
    get isTTY() {
      return stream.isTTY;
    },
    get columns() {
      return stream.isTTY ? sizeOf(stream.columns) : undefined;
    },
    get rows() {
      return stream.isTTY ? sizeOf(stream.rows) : undefined;
    },
    attend: (attention) => attend(stream, attention),
  };
}
