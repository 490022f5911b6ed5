/** The `RotateError` that something throws; anything else fails the test. */
import { RotateError } from '../../domain/failure.js';

export function errorOf(act: () => unknown): RotateError {
  try {
    act();
  } catch (error) {
    return asRotate(error);
  }
  throw new Error('nothing was thrown');
}

export async function rejectionOf(act: Promise<unknown>): Promise<RotateError> {
  try {
    await act;
  } catch (error) {
    return asRotate(error);
  }
  throw new Error('nothing was thrown');
}

function asRotate(error: unknown): RotateError {
  if (error instanceof RotateError) return error;
  throw error;
}
