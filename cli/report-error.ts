/** The one place where an error becomes text, JSON and an exit code. */
import { RotateError, asRotateError } from '../domain/failure.js';
import type { Context } from './context.js';
import { exitCodeOfFailure, type ExitCode } from './exit-codes.js';
import type { Screen } from './screen.js';
import { printable } from './render/text.js';

export function reportError(error: unknown, context: Context, screen: Screen, debug: boolean): ExitCode {
  const known = asRotateError(error) ?? unexpected(error);
  // One line, as `watch --json` is made of lines.
  if (screen.json) screen.jsonLine({ error: known.toReason() });
  const { stderr } = context;
  const what = known.type === 'Interrupted' ? '' : `${screen.paintErr('red', 'error:')} `;
  stderr.write(`rotate: ${what}${printable(known.message)}\n`);
  if (known.hint !== undefined) screen.hint(known.hint);
  if (debug) stderr.write(`${printable(stackOf(error))}\n`);
  return exitCodeOfFailure(known.type);
}

function unexpected(error: unknown): RotateError {
  const message = error instanceof Error ? error.message : String(error);
  return new RotateError('Internal', `something went wrong that should not: ${message}`, {
    hint: 'run it again with --debug and report what it prints',
    cause: error,
  });
}

function stackOf(error: unknown): string {
  const parts: string[] = [];
  for (let e: unknown = error; e instanceof Error; e = e.cause) parts.push(e.stack ?? e.message);
  return parts.join('\ncaused by: ');
}
