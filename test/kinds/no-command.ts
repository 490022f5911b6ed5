/** For contexts of kinds that run no command on the worker. */
import { RotateError } from '../../domain/failure.js';

export async function noCommand(name: string): Promise<never> {
  throw new RotateError('BadConfig', `worker.yaml has no command \`${name}\``);
}
