/** Credentials as they leave an activity: sealed JSON. */
import type { Credential } from '../domain/credential.js';
import { RotateError } from '../domain/failure.js';
import { SecretValue } from '../domain/secret-value.js';
import type { Services } from './ports.js';

interface SealedForm {
  account?: string;
  /** base64 */
  value: string;
  /** base64 */
  verifier?: string;
  /** base64 */
  previous?: string[];
}

export async function sealCredential(services: Services, credential: Credential): Promise<string> {
  const form: SealedForm = {
    ...(credential.account === undefined ? {} : { account: credential.account }),
    value: Buffer.from(credential.value.bytes()).toString('base64'),
    ...(credential.verifier === undefined
      ? {}
      : { verifier: Buffer.from(credential.verifier.bytes()).toString('base64') }),
    ...(credential.previous === undefined
      ? {}
      : { previous: credential.previous.map((value) => Buffer.from(value.bytes()).toString('base64')) }),
  };
  return services.sealer.seal(new TextEncoder().encode(JSON.stringify(form)));
}

/** @throws RotateError CannotOpen when the worker has lost the identity */
export async function openCredential(services: Services, sealed: string): Promise<Credential> {
  const form: unknown = JSON.parse(new TextDecoder().decode(await services.sealer.open(sealed)));
  if (!isSealedForm(form)) throw new RotateError('Internal', 'a sealed value has another shape than ours');
  return {
    ...(form.account === undefined ? {} : { account: form.account }),
    value: new SecretValue(Buffer.from(form.value, 'base64')),
    ...(form.verifier === undefined
      ? {}
      : { verifier: new SecretValue(Buffer.from(form.verifier, 'base64')) }),
    ...(form.previous === undefined
      ? {}
      : { previous: form.previous.map((value) => new SecretValue(Buffer.from(value, 'base64'))) }),
  };
}

function isSealedForm(form: unknown): form is SealedForm {
  return (
    typeof form === 'object' &&
    form !== null &&
    'value' in form &&
    typeof form.value === 'string' &&
    (!('account' in form) || typeof form.account === 'string') &&
    (!('verifier' in form) || typeof form.verifier === 'string') &&
    (!('previous' in form) ||
      (Array.isArray(form.previous) && form.previous.every((value) => typeof value === 'string')))
  );
}
