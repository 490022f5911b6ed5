/** Converges the vendor to a target. There is no transaction, so the order keeps a value valid at every moment. */
import type { Target } from '../../domain/credential.js';
import { asRotateError, RotateError } from '../../domain/failure.js';
import type { Applied, Credentials, KindContext } from '../kind.js';
import { deleteLeftovers } from './generate.js';
import { keyIdOf } from './key-id.js';
import { deleteKey, disableKey, enableKey, listKeys } from './keys.js';
import type { Vendor } from './vendor.js';

export async function applyTarget(
  context: KindContext,
  vendor: Vendor,
  credentials: Credentials,
  target: Target,
): Promise<Applied> {
  const old = await keyIdOf(vendor, credentials.old);
  const fresh = credentials.new === undefined ? undefined : await keyIdOf(vendor, credentials.new);
  if (fresh === old)
    throw new RotateError('IssuerMisconfigured', `the old and the new value are both of the key ${old}`);
  const spared = { existing: credentials.existing, keep: [old] };
  let changed = false;
  const note = (did: boolean): void => {
    changed ||= did;
  };
  // the old one first: where the new one is to go, it has to be there
  if (target.old === 'valid') note(await makeValid(vendor, { old, fresh }, credentials.purpose));
  if (target.new === 'absent') {
    if (fresh !== undefined) note(await deleteKey(vendor, fresh));
    if (fresh === undefined || hasLabels(vendor)) note(await deleteLeftovers(context, vendor, spared));
  } else if (fresh === undefined) throw new RotateError('Internal', 'there is no new value to apply');
  else if (target.old === 'disabled') note(await disableKey(vendor, old));
  else if (target.old === 'destroyed') {
    note(await deleteKey(vendor, old));
    // of an attempt that was given up, and whose request arrived after it
    if (hasLabels(vendor)) note(await deleteLeftovers(context, vendor, { ...spared, keep: [old, fresh] }));
  }
  return { changed, endedSessions: 0 };
}

/**
 * A key that is gone cannot be made again; then the new one must not go as well. Only on the way back may it have been
 * disabled, and when the new one is withdrawn it has been enabled before. On the way there the new one is looked for as
 * well, before hosts get it: somebody may have taken it for a key that nobody uses.
 */
async function makeValid(
  vendor: Vendor,
  { old, fresh }: { old: string; fresh: string | undefined },
  purpose: Credentials['purpose'],
): Promise<boolean> {
  const mayBeDisabled = purpose === undefined || purpose === 'reenable';
  if (vendor.settings.enable === undefined || !mayBeDisabled) {
    const keys = await listKeys(vendor);
    if (!keys.has(old)) throw isGone(old);
    if (purpose === 'provision' && fresh !== undefined && !keys.has(fresh)) throw isMissing(fresh);
    return false;
  }
  try {
    return await enableKey(vendor, old);
  } catch (error) {
    const status = asRotateError(error)?.details?.['status'];
    throw status === 404 || status === 410 ? isGone(old) : error;
  }
}

function isGone(id: string): RotateError {
  return new RotateError('IssuerMisconfigured', `the vendor does not know the key ${id} any more`, {
    hint: 'someone has deleted it, and no vendor makes it again: go on with the new value',
  });
}

/** To be tried again: a list may show a new key only later. */
function isMissing(id: string): RotateError {
  return new RotateError('IssuerBusy', `the vendor does not list the new key ${id}`, {
    hint: 'was it deleted by somebody, or by another rotation of keys without labels? then start once more when nobody else makes keys',
  });
}

function hasLabels({ settings }: Vendor): boolean {
  return settings.list.labels !== undefined;
}
