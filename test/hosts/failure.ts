/** The failure that a promise ends in; anything else than a RotateError fails the test. */
import { RotateError } from '../../domain/failure.js';

export async function failure(promise: Promise<unknown>): Promise<RotateError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof RotateError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}
