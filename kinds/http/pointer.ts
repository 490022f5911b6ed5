/**
 * JSON pointers (RFC 6901), also with one segment `*` that stands for every entry of a list. Light: the schema reads
 * it. Only what a document itself holds is found, never what its prototype has.
 */

/** Segments of `/a/b~1c`; undefined for anything else. The whole document (the empty pointer) cannot be named. */
export function parsePointer(pointer: string): string[] | undefined {
  if (!/^(?:\/(?:[^~/]|~[01])*)+$/.test(pointer)) return undefined;
  return pointer
    .slice(1)
    .split('/')
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** The list that a pointer with one `*` goes through, and what leads from an entry of it to its goal. */
export function splitAtStar(pointer: string): { list: string[]; rest: string[] } | undefined {
  const segments = parsePointer(pointer);
  const star = segments?.indexOf('*') ?? -1;
  if (segments === undefined || star === -1 || segments.includes('*', star + 1)) return undefined;
  return { list: segments.slice(0, star), rest: segments.slice(star + 1) };
}

/** What stands at `segments`; undefined where nothing does. */
export function valueAt(document: unknown, segments: readonly string[]): unknown {
  return segments.reduce(childOf, document);
}

function childOf(node: unknown, segment: string): unknown {
  if (Array.isArray(node)) return /^(?:0|[1-9]\d*)$/.test(segment) ? node[Number(segment)] : undefined;
  if (typeof node !== 'object' || node === null) return undefined;
  return Object.getOwnPropertyDescriptor(node, segment)?.value;
}
