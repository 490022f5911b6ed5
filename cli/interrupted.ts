/** Ctrl-C, however deep it was felt. */
import { RotateError } from '../domain/failure.js';

export function interruptedBy(cause: unknown): RotateError {
  return new RotateError('Interrupted', 'interrupted', { cause });
}
