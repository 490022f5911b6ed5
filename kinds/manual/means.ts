/** By what an effect takes place, or a value is tried: a block of the settings, read once more as one of four forms. */
import { RotateError } from '../../domain/failure.js';
import { places, type CheckBlock, type EffectBlock } from './blocks.js';
import { defaultTimeouts, millisecondsOf } from './times.js';

/** A command on the host, as a list of arguments. */
export interface HostCommand {
  by: 'host';
  host: string;
  argv: readonly string[];
  as: string;
  timeoutMs: number;
}

/** A command that worker.yaml declares. */
export interface WorkerCommand {
  by: 'worker';
  name: string;
}

export type Command = HostCommand | WorkerCommand;

export interface Person {
  by: 'person';
  checklist: string;
}

/** A command on whichever host it is asked for. */
export type ConsumersCommand = Omit<HostCommand, 'by' | 'host'> & { by: 'consumers' };

/** @throws RotateError BadConfig for what the schema refuses */
export function effectOf(block: EffectBlock): Command | Person {
  const { checklist, command, on } = block;
  if (checklist !== undefined) return { by: 'person', checklist };
  if (command === undefined || on === undefined) throw unfit();
  const means = commandOf({ ...block, command, on }, defaultTimeouts.effect);
  if (means.by === 'consumers') throw unfit();
  return means;
}

/** @throws RotateError BadConfig for what the schema refuses */
export function checkOf(block: CheckBlock): Command | ConsumersCommand {
  return commandOf(block, defaultTimeouts.check);
}

function commandOf(block: CheckBlock, fallback: string): Command | ConsumersCommand {
  const { command, on, as = 'root', timeout = fallback } = block;
  if (on === places.worker) {
    if (typeof command !== 'string') throw unfit();
    return { by: 'worker', name: command };
  }
  if (typeof command === 'string') throw unfit();
  const parts = { argv: command, as, timeoutMs: millisecondsOf(timeout) };
  return on === places.consumers ? { by: 'consumers', ...parts } : { by: 'host', host: on, ...parts };
}

function unfit(): RotateError {
  return new RotateError('BadConfig', 'manual: a block is not as its schema wants it');
}

/** `smtp-set`: what a command is called in messages. */
export function nameOf(command: Command | ConsumersCommand): string {
  return command.by === 'worker' ? command.name : (command.argv[0] ?? '');
}

/** `smtp-set on mail-1`. */
export function toldOf(command: Command): string {
  return `${nameOf(command)} on ${command.by === 'host' ? command.host : 'the worker'}`;
}
