/**
 * A place that plaintext could leak into, and the search of many: each search has to find a decoy that was
 * planted in its place, or it proves nothing.
 */
import { randomBytes } from 'node:crypto';
import { type Needle } from './forms.js';
import type { Hit } from './inspector.js';

export type { Hit } from './inspector.js';

export interface Place {
  /** One line of a table, such as `journal of web-1`. */
  name: string;
  /** Searches the place as it is now. Throws when it could not search all of it. */
  search(needles: readonly Needle[], signal?: AbortSignal): Promise<Hit[]>;
  /**
   * Puts `decoy` there in the way in which a real leak would get there, and returns where the search must find
   * it: each text is part of the `where` of some hit, each expression matches one.
   */
  plant(decoy: string): Promise<readonly (string | RegExp)[]>;
  /** Removes what `plant` left, where that can be done. */
  clean?(): Promise<void>;
}

/** What the search of one place showed. */
export interface Finding {
  place: string;
  /** The search found its own decoy everywhere where it had been planted. Without this the hits mean nothing. */
  proven: boolean;
  /** Where the needles were found; none is good. */
  hits: Hit[];
  /** Why it is not proven. */
  problem?: string;
  /** How long it took, in milliseconds. */
  ms: number;
}

export interface SearchOptions {
  /** Places at once; default 2. */
  parallel?: number;
  /** For one place, decoy included; default 5 minutes. */
  timeoutMs?: number;
}

const decoyName = 'decoy';

/** A value like those that are rotated, for one place. Starts with a letter, so that no program takes it as an option. */
export function newDecoy(): string {
  return `D${randomBytes(24).toString('base64url')}`;
}

/** Plants a decoy in `place` and searches it for the decoy and for `needles`. */
export async function searchPlace(
  place: Place,
  needles: readonly Needle[],
  timeoutMs = 300_000,
): Promise<Finding> {
  const started = performance.now();
  const signal = AbortSignal.timeout(timeoutMs);
  const decoy = newDecoy();
  const finding = (rest: Omit<Finding, 'place' | 'ms'>): Finding => ({
    place: place.name,
    ms: Math.round(performance.now() - started),
    ...rest,
  });
  let result: Finding;
  try {
    const expected = await withSignal(place.plant(decoy), signal);
    const all = await withSignal(
      place.search([...needles, { name: decoyName, value: decoy }], signal),
      signal,
    );
    const decoys = all.filter((hit) => hit.needle === decoyName);
    const hits = all.filter((hit) => hit.needle !== decoyName);
    const missed = expected.filter((where) => !decoys.some((hit) => isAt(hit, where)));
    const proven = decoys.length > 0 && missed.length === 0;
    const problem = `the decoy was not found in ${missed.join(', ') || place.name}`;
    result = finding({ proven, hits, ...(proven ? {} : { problem }) });
  } catch (error) {
    result = finding({ proven: false, hits: [], problem: messageOf(error) });
  }
  try {
    await place.clean?.();
    return result;
  } catch (error) {
    return { problem: `a decoy is still there: ${messageOf(error)}`, ...result, proven: false };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function isAt(hit: Hit, where: string | RegExp): boolean {
  return typeof where === 'string' ? hit.where.includes(where) : where.test(hit.where);
}

/** Rejects when `signal` fires before `work` has settled. */
async function withSignal<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return await new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(new Error('the search took too long', { cause: signal.reason }));
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

/** Searches all places, a few at once; findings come in the order of `places`. */
export async function searchAll(
  places: readonly Place[],
  needles: readonly Needle[],
  options: SearchOptions = {},
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const queue = places.entries();
  async function work(): Promise<void> {
    for (const [index, place] of queue)
      findings[index] = await searchPlace(place, needles, options.timeoutMs);
  }
  await Promise.all(Array.from({ length: options.parallel ?? 2 }, work));
  return findings;
}
