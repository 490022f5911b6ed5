/** Credentials as they leave an activity: sealed JSON. */
import type { Credential } from '../domain/credential.js';
import { decodeCredential, encodeCredential } from '../domain/credential-form.js';
import { RotateError } from '../domain/failure.js';
import type { Services } from './ports.js';

export async function sealCredential(
  services: Pick<Services, 'sealer'>,
  credential: Credential,
): Promise<string> {
  return services.sealer.seal(encodeCredential(credential));
}

/** @throws RotateError CannotOpen when the worker has lost the identity */
export async function openCredential(
  services: Pick<Services, 'sealer'>,
  sealed: string,
): Promise<Credential> {
  const credential = decodeCredential(await services.sealer.open(sealed));
  if (credential === undefined)
    throw new RotateError('Internal', 'a sealed value has another shape than ours');
  return credential;
}
