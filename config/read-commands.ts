/** Reads `commands` of `worker.yaml`: programs on the worker that `rotate.yaml` may name. */
import { isAbsolute } from 'node:path';
import type { Reader } from './fields.js';
import { checkName } from './read-fleet.js';
import { commandShape } from './worker-shapes.js';

/** A program of the worker's, with its arguments; no shell. */
export interface WorkerCommandSpec {
  /** The program first: an absolute path, or a name that is looked for on PATH. */
  argv: readonly string[];
  timeoutMs: number;
}

/** @param absolute makes a path of the file absolute */
export function readCommands(
  reader: Reader,
  absolute: (path: string) => string,
): Record<string, WorkerCommandSpec> {
  const commands: Record<string, WorkerCommandSpec> = {};
  for (const name of reader.keys(['commands'])) {
    const path = ['commands', name];
    checkName(reader, path);
    const { command, timeout } = reader.fields(commandShape, path);
    const [program, ...args] = command ?? [];
    if (program === undefined || timeout === undefined) continue;
    const isPath = program.includes('/') && !isAbsolute(program);
    commands[name] = { argv: [isPath ? absolute(program) : program, ...args], timeoutMs: timeout };
  }
  return commands;
}
