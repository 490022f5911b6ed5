/** The failure of a delivery, and everything that could be printed of it. */
import { inspect } from 'node:util';
import { RotateError } from '../../domain/failure.js';

export async function failureOf(act: Promise<unknown>): Promise<RotateError> {
  try {
    await act;
  } catch (error) {
    if (error instanceof RotateError) return error;
    throw error;
  }
  throw new Error('it was delivered');
}

/** An error with its causes as JSON and as Node prints it, hidden properties included. */
export function everythingOf(error: unknown): string {
  const texts: string[] = [inspect(error, { depth: null, showHidden: true })];
  for (let e: unknown = error; e instanceof Error; e = e.cause) {
    const fields = Object.fromEntries(
      Object.getOwnPropertyNames(e).map((key) => [key, Object.getOwnPropertyDescriptor(e, key)?.value]),
    );
    texts.push(JSON.stringify({ ...fields, cause: undefined }), String(e));
  }
  return texts.join('\n');
}
