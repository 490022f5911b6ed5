/**
 * Batches: which secrets may go through one rotation, and in which order batches follow on one another. A batch has
 * one plan, so its secrets share environment, policy, overlap and the way in which old values end; and none of them
 * is to be rotated after another, directly or over others.
 */
import { RotateError } from './failure.js';
import { type SecretRef, formatSecretRef } from './spec.js';

export interface Mixable {
  environment: string;
  /** Its name. */
  policy: string;
  overlap: 'dual' | 'swap';
  retire: 'issuer' | 'deploy';
  /** With `retire: deploy`, milliseconds. */
  keepOldMs?: number;
  /** Where the issuer makes new values, and whether one that is lost is known from those of others there. */
  pool?: ValuePool | undefined;
}

/** A place at an issuer that makes values: what several secrets of one rotation get there, they get at the same time. */
export interface ValuePool {
  /** The same for all who share it. */
  id: string;
  /** Each value says for which secret it was made. */
  marked: boolean;
}

export interface Ordered extends SecretRef {
  /** Secrets of the same environment that are rotated before this one. */
  after: readonly string[];
}

/** Why `a` and `b` cannot be one batch, whatever their order; undefined when they can. */
export function mixProblem(a: Mixable, b: Mixable): string | undefined {
  if (a.environment !== b.environment) return 'they belong to different environments';
  if (a.policy !== b.policy)
    return `their policies differ (${a.policy} and ${b.policy}), and a batch has one`;
  if (a.overlap !== b.overlap) return 'one is swapped at once on all hosts, the other goes in waves';
  if (a.retire !== b.retire) return 'one is revoked at its issuer, the other by a second deploy';
  if (a.keepOldMs !== b.keepOldMs) return 'their old values are kept in the file for different times';
  const together = a.pool !== undefined && a.pool.id === b.pool?.id;
  if (together && !(a.pool?.marked === true && b.pool?.marked === true))
    return 'their new values are made at one place, where that of one could be taken for what the other has left';
  return undefined;
}

/** Whether `secret` is rotated after `other`, directly or over those of `all`. */
export function comesAfter(all: readonly Ordered[], secret: Ordered, other: Ordered): boolean {
  return predecessors(orderOf(all), secret).has(formatSecretRef(other));
}

/**
 * Splits `members` into batches, in an order that respects `after`: when a batch is begun, all that its secrets come
 * after are in batches before it. The same members give the same batches, in whatever order they are given.
 * @param others secrets that are not rotated now; `after` leads over them too
 * @throws RotateError `BadConfig` when secrets come after one another in a circle, which `config` refuses
 */
export function batchesOf<T extends Mixable & Ordered>(
  members: readonly T[],
  others: readonly Ordered[] = [],
): T[][] {
  let waiting = members.toSorted((a, b) => (formatSecretRef(a) < formatSecretRef(b) ? -1 : 1));
  const order = orderOf([...others, ...members]);
  const before = new Map(waiting.map((member) => [member, predecessors(order, member)]));
  const batches: T[][] = [];
  while (waiting.length > 0) {
    const left = waiting.map(formatSecretRef);
    const ready = waiting.filter((member) => left.every((ref) => before.get(member)?.has(ref) !== true));
    const batch = fullest(ready, waiting);
    if (batch.length === 0) {
      throw new RotateError('BadConfig', `${left.join(', ')} come after one another in a circle`, {
        hint: 'take a name out of `after`',
      });
    }
    batches.push(batch);
    waiting = waiting.filter((member) => !batch.includes(member));
  }
  return batches;
}

/**
 * Of each batch, the places of those before it that it comes after: that one of its secrets comes after one of theirs,
 * directly or over others, also over secrets that are not rotated now.
 * @param batches in their order
 * @param all secrets that `after` may lead over
 */
export function placesBefore(
  batches: readonly (readonly SecretRef[])[],
  all: readonly Ordered[],
): number[][] {
  const order = orderOf(all);
  const before = batches.map((batch) => {
    const refs = new Set(batch.map(formatSecretRef));
    return new Set(
      all.filter((s) => refs.has(formatSecretRef(s))).flatMap((s) => [...predecessors(order, s)]),
    );
  });
  return before.map((wanted, i) =>
    batches
      .slice(0, i)
      .flatMap((batch, place) => (batch.some((s) => wanted.has(formatSecretRef(s))) ? [place] : [])),
  );
}

/**
 * Of what can be rotated now, those that go together and of whose like nothing has to wait; else the most that go
 * together. So few batches come of it, though not always the fewest. Two that each go with a third need not go with
 * one another, so all of a group are asked.
 */
function fullest<T extends Mixable & Ordered>(ready: readonly T[], waiting: readonly T[]): T[] {
  const groups: T[][] = [];
  for (const member of ready) {
    const group = groups.find((others) => others.every((each) => mixProblem(each, member) === undefined));
    if (group === undefined) groups.push([member]);
    else group.push(member);
  }
  const whole = groups.find((group) =>
    waiting.every((member) => group.includes(member) || group.some((each) => mixProblem(each, member))),
  );
  return whole ?? groups.toSorted((a, b) => b.length - a.length)[0] ?? [];
}

/** `environment/name` of each, and of what stands in its `after`. */
type Order = ReadonlyMap<string, readonly string[]>;

function orderOf(all: readonly Ordered[]): Order {
  return new Map(all.map((each) => [formatSecretRef(each), directly(each)]));
}

function directly({ environment, after }: Ordered): string[] {
  return after.map((name) => formatSecretRef({ environment, name }));
}

function predecessors(order: Order, secret: Ordered): ReadonlySet<string> {
  const found = new Set(directly(secret));
  // a set that grows while it is walked gives what was added, too
  for (const ref of found) for (const next of order.get(ref) ?? []) found.add(next);
  return found;
}
