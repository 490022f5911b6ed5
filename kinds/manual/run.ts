/** Runs one command with a value on its standard input, on a host or on the worker. What it prints is never looked at. */
import { RotateError } from '../../domain/failure.js';
import type { SecretValue } from '../../domain/secret-value.js';
import type { KindContext } from '../kind.js';
import { type Command, type HostCommand, toldOf } from './means.js';

/**
 * `timeout` of coreutils ends the command on the host itself, so that one that hangs does not act after we have given
 * it up. What it prints stays on the host: it may hold the value.
 */
const script = 'limit=$1; shift; exec timeout -k 2 "$limit" "$@" >/dev/null 2>&1';
/** What `timeout` ends with: 124, or 137 (128 + KILL) when TERM was not enough. */
const timeoutCodes: readonly number[] = [124, 137];
/** `timeout` kills 2 s later; then the answer has to arrive. */
const marginMs = 4_000;

/**
 * @returns the exit code
 * @throws RotateError Timeout; BadConfig for a command that worker.yaml does not declare; what hosts throw
 */
export async function run(context: KindContext, command: Command, value: SecretValue): Promise<number> {
  context.signal.throwIfAborted();
  const input = value.bytes();
  try {
    if (command.by === 'worker') return (await context.command(command.name, input)).code;
    return await runOnHost(context, command, input);
  } finally {
    input.fill(0);
  }
}

async function runOnHost(context: KindContext, command: HostCommand, input: Uint8Array): Promise<number> {
  const { host, argv, as, timeoutMs } = command;
  const { code } = await context.hosts.host(host).run({
    script,
    args: [String(timeoutMs / 1000), ...argv],
    input,
    as,
    timeoutMs: timeoutMs + marginMs,
    signal: context.signal,
  });
  if (timeoutCodes.includes(code))
    throw new RotateError('Timeout', `${toldOf(command)} did not end within ${timeoutMs / 1000} s`, {
      host,
      hint: 'run it there by hand to see why, or raise its `timeout`',
    });
  return code;
}
