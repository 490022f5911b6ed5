/** Which keys an attempt has left whose answer was lost. Pure. */
import { RotateError } from '../../domain/failure.js';
import type { SecretRef } from '../../domain/spec.js';
import type { Key } from './keys.js';

/** Begins the labels of all keys that rotations of this secret have made. */
export function labelPrefix({ environment, name }: SecretRef): string {
  return `rotate/${environment}/${name}/`;
}

/** Carried by each key that this rotation makes, and by no other. */
export function labelOf(secret: SecretRef, rotation: string): string {
  return `${labelPrefix(secret)}${rotation}`;
}

export interface Known {
  /** See {@link labelOf}; undefined where the vendor shows no labels. */
  label: string | undefined;
  /** Ids of what was there before the rotation; undefined where nobody has looked. */
  existing: readonly string[] | undefined;
  /** Ids of keys that stay, whatever else. */
  keep: readonly string[];
}

/**
 * With labels: what carries this rotation's own. Without: what was not there before the rotation, which is also what
 * others have made meanwhile; an attempt leaves one key, so that of several none is taken for it.
 * @throws RotateError IssuerMisconfigured when it cannot be told
 */
export function leftovers(keys: Iterable<Key>, { label, existing, keep }: Known): string[] {
  const spared = new Set([...(existing ?? []), ...keep]);
  const young = [...keys].filter(({ id }) => !spared.has(id));
  if (label !== undefined)
    return young.filter((key) => key.label?.includes(label) === true).map(({ id }) => id);
  const hint = 'look at the keys and delete what nobody uses; with list.labels rotate knows its own';
  if (existing === undefined)
    throw new RotateError('IssuerMisconfigured', 'nothing says which keys were there before', { hint });
  if (young.length > 1)
    throw new RotateError(
      'IssuerMisconfigured',
      `several keys have been made since the rotation began (${young.map(({ id }) => id).join(', ')}), and one of them may be its own`,
      { hint },
    );
  return young.map(({ id }) => id);
}
