/** Preflight at the vendor: which keys there are, and whether the one in use is among them. Changes nothing. */
import type { Credential } from '../../domain/credential.js';
import { noFence } from '../../domain/fence.js';
import { SecretValue } from '../../domain/secret-value.js';
import type { IssuerState, KindContext } from '../kind.js';
import { parseBase } from './base-url.js';
import { keyIdOf } from './key-id.js';
import { type Key, listKeys } from './keys.js';
import { labelPrefix } from './leftovers.js';
import { usedIn } from './request-schema.js';
import { needsAccount } from './schema.js';
import type { Vendor } from './vendor.js';

export async function inspectVendor(
  context: KindContext,
  vendor: Vendor,
  current: Credential,
): Promise<IssuerState> {
  const { settings } = vendor;
  const keys = await listKeys(vendor);
  const facts = {
    vendor: parseBase(settings.base)?.origin ?? settings.base,
    'administered as': settings.auth.login,
    keys: String(keys.size),
  };
  const existing = [...keys.keys()];
  const silent = accountProblem(vendor, current);
  if (silent !== undefined) return { fence: noFence, facts, existing, problems: [silent] };
  const id = await keyIdOf(vendor, current);
  const left = [...keys.values()].filter((key) => isLeft(key, labelPrefix(context.secret), id));
  return {
    fence: noFence,
    existing,
    facts: {
      ...facts,
      'key in use': id,
      ...(left.length === 0 ? {} : { 'keys of earlier rotations': left.map((key) => key.id).join(', ') }),
    },
    problems: keys.has(id)
      ? []
      : [
          {
            message: `the key in use, ${id}, is not among the ${keys.size} that the vendor lists`,
            hint: 'see http.list, and whether the file says the id of the key as {role}',
          },
        ],
    // told while the value is accepted, see keyIdOf
    ...(needsAccount(settings) ? {} : { verifier: SecretValue.fromText(id) }),
  };
}

/** What a rotation of this secret once made is of no use any more when it is not the one in use. */
function isLeft({ id, label }: Key, prefix: string, inUse: string): boolean {
  return id !== inUse && label?.includes(prefix) === true;
}

function accountProblem(
  { settings }: Vendor,
  { account }: Credential,
): { message: string; hint: string } | undefined {
  const asked = [settings.check, settings.identify ?? {}].some((request) =>
    usedIn(request).includes('account'),
  );
  if (account !== undefined || (!needsAccount(settings) && !asked)) return undefined;
  return {
    message: needsAccount(settings)
      ? 'the file does not say the id of its key'
      : 'the file does not say the account, which http.check or http.identify asks for',
    hint: 'add a `template` with {role} and {password} to `format`',
  };
}
