#!/usr/bin/env node
/** The `rotate` program: the real world as a Context, and signals. */
import * as nodeModule from 'node:module';

import type { Context, Output } from './context.js';
import { systemReason } from '../domain/system-error.js';
import { exitCodes } from './exit-codes.js';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 12)) {
  const message = `Node ${process.versions.node} is too old for rotate`;
  const hint = 'put Node 22.12 or newer first in PATH';
  if (process.argv.includes('--json'))
    process.stdout.write(`${JSON.stringify({ error: { type: 'BadConfig', message, hint } })}\n`);
  process.stderr.write(`rotate: error: ${message}\nrotate: hint: ${hint}\n`);
  process.exit(exitCodes.usage);
}

// Start-up is dominated by loading modules; the cache is in Node's own folder.
nodeModule.enableCompileCache?.();

const { run } = await import('./run.js');
const { makeInput } = await import('./input.js');
const { attend } = await import('./terminal.js');

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
