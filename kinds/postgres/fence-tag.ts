/**
 * The fence in the owner role's comment: `<the user's text> [rotate prod/db-password 3.7]`.
 *
 * A comment on a role is stored once for the whole server and changes in the same
 * transaction as the role. Several secrets may share an owner: each has its own
 * tag, and the user's text and the others' tags are kept.
 */
import {
  type Fence,
  compareFences,
  formatFence,
  highestFence,
  noFence,
  parseFence,
} from '../../domain/fence.js';
import type { SecretRef } from '../../domain/spec.js';

const tagPattern = / ?\[rotate ([^\s[\]]+) (\d{1,15}\.\d{1,15})\]/g;

/** Percent-encoded, so that no name can look like the end of a tag. */
function key(ref: SecretRef): string {
  return `${encodeURIComponent(ref.environment)}/${encodeURIComponent(ref.name)}`;
}

/** The highest fence that `comment` has for `ref`, or {@link noFence}. */
export function readFenceTag(comment: string | undefined, ref: SecretRef): Fence {
  const fences = [...(comment ?? '').matchAll(tagPattern)]
    .filter((match) => match[1] === key(ref))
    .map((match) => parseFence(match[2] ?? '') ?? noFence);
  return highestFence(fences);
}

/** `comment` with the fence of `ref` raised to `fence`; never lowers it. */
export function writeFenceTag(comment: string | undefined, ref: SecretRef, fence: Fence): string {
  const stored = readFenceTag(comment, ref);
  const highest = compareFences(stored, fence) > 0 ? stored : fence;
  const tag = `[rotate ${key(ref)} ${formatFence(highest)}]`;
  let written = false;
  const replaced = (comment ?? '').replaceAll(tagPattern, (found: string, owner: string) => {
    if (owner !== key(ref)) return found;
    if (written) return '';
    written = true;
    return found.startsWith(' ') ? ` ${tag}` : tag;
  });
  if (written) return replaced;
  return replaced === '' ? tag : `${replaced} ${tag}`;
}
