/** Makes the new key. The vendor knows no attempts: what an earlier one has left is deleted first. */
import type { Credential } from '../../domain/credential.js';
import { RotateError } from '../../domain/failure.js';
import type { Given, KindContext } from '../kind.js';
import { credentialOf, keyIdOf } from './key-id.js';
import { createKey, deleteKey, listKeys } from './keys.js';
import { labelOf, leftovers } from './leftovers.js';
import type { HttpSettings } from './schema.js';
import type { Vendor } from './vendor.js';

/** The label of this rotation's keys; undefined where the vendor shows none. */
export function ownLabel({ secret, rotation }: KindContext, { list }: HttpSettings): string | undefined {
  if (list.labels === undefined) return undefined;
  if (rotation === undefined) throw new RotateError('Internal', 'http: a key is made outside of a rotation');
  return labelOf(secret, rotation);
}

/** Deletes what attempts have left whose answer was lost. */
export async function deleteLeftovers(
  context: KindContext,
  vendor: Vendor,
  { existing, keep }: { existing: readonly string[] | undefined; keep: readonly string[] },
): Promise<boolean> {
  const label = ownLabel(context, vendor.settings);
  const keys = await listKeys(vendor);
  let changed = false;
  for (const id of leftovers(keys.values(), { label, existing, keep }))
    changed = (await deleteKey(vendor, id)) || changed;
  return changed;
}

export async function generateKey(
  context: KindContext,
  vendor: Vendor,
  current: Credential,
  { existing }: Given,
): Promise<Credential> {
  const old = await keyIdOf(vendor, current);
  await deleteLeftovers(context, vendor, { existing, keep: [old] });
  const made = await createKey(vendor, ownLabel(context, vendor.settings));
  if (made.id === old || existing?.includes(made.id) === true)
    throw new RotateError('IssuerMisconfigured', `the vendor made no new key: ${made.id} was there before`, {
      hint: 'see http.create: a request that returns what is there already makes nothing',
    });
  if (made.value.equals(current.value))
    throw new RotateError('IssuerMisconfigured', `the new key ${made.id} has the value that is in use`, {
      hint: 'see http.create.value',
    });
  return credentialOf(vendor, current, made);
}
