/** What is asked for again and again and does not change, kept in memory. */

/**
 * What `cache` has of `key`, or what `make` makes. Past `limit` the oldest is forgotten. A failure is not kept: it may
 * have been the machine's.
 */
export async function cached<T>(
  cache: Map<string, Promise<T>>,
  limit: number,
  key: string,
  make: () => Promise<T>,
): Promise<T> {
  const known = cache.get(key);
  if (known !== undefined) return known;
  const made = make();
  cache.set(key, made);
  const [oldest] = cache.keys();
  if (cache.size > limit && oldest !== undefined) cache.delete(oldest);
  made.catch(() => cache.delete(key));
  return made;
}
