/**
 * Which key of the vendor a credential is. Either the file says it (`account`), or the vendor does, asked with the
 * value itself. That works only as long as the value is accepted, so the answer is kept with it: as the credential's
 * `verifier`, which preflight seals beside the value that is in use.
 */
import type { Credential } from '../../domain/credential.js';
import { SecretValue } from '../../domain/secret-value.js';
import { identifyKey } from './keys.js';
import { needsAccount } from './schema.js';
import type { Vendor } from './vendor.js';

/** @throws RotateError IssuerMisconfigured when nobody says it */
export async function keyIdOf(vendor: Vendor, credential: Credential): Promise<string> {
  const { account, verifier } = credential;
  if (verifier !== undefined) return verifier.text();
  if (account !== undefined && needsAccount(vendor.settings)) return account;
  return identifyKey(vendor, credential);
}

/** The credential of a key that was just made, in place of `current`. */
export function credentialOf(
  vendor: Vendor,
  current: Credential,
  { id, value }: { id: string; value: SecretValue },
): Credential {
  if (needsAccount(vendor.settings)) return { account: id, value };
  // the account is not the key's: a client, say, whose secrets take turns
  const account = current.account === undefined ? {} : { account: current.account };
  return { ...account, value, verifier: SecretValue.fromText(id) };
}
