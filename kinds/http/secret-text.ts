/** A plaintext as the text that goes into a request; a request cannot carry other bytes. */
import { RotateError } from '../../domain/failure.js';
import type { SecretValue } from '../../domain/secret-value.js';

/**
 * @param what for the message, e.g. `the login vendor-admin`
 * @throws RotateError IssuerMisconfigured; without a cause, which could say which bytes
 */
export function secretText(value: SecretValue, what: string): string {
  try {
    return value.text();
  } catch {
    throw new RotateError('IssuerMisconfigured', `${what} is not valid UTF-8 text`);
  }
}
