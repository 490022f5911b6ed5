/** What the system said no with, in words: nobody should have to know what ENOENT is. */

/** Codes of Node, which are those of the kernel and of its resolver. */
const words: ReadonlyMap<string, string> = new Map([
  ['EACCES', 'permission denied'],
  ['EPERM', 'permission denied'],
  ['ENOENT', 'there is no such file'],
  ['EISDIR', 'it is a folder'],
  ['ENOTDIR', 'what should be a folder on the way is a file'],
  ['ELOOP', 'its links lead in a circle'],
  ['ENAMETOOLONG', 'its name is too long'],
  ['EROFS', 'it is read-only there'],
  ['ENOSPC', 'no space is left there'],
  ['EDQUOT', 'the quota is used up'],
  ['EIO', 'the disk cannot be read or written'],
  ['EMFILE', 'too many files are open'],
  ['ENOEXEC', 'it is no program for this machine'],
  ['ECONNREFUSED', 'connection refused'],
  ['ECONNRESET', 'the other side broke the connection off'],
  ['EPIPE', 'the other side broke the connection off'],
  ['ETIMEDOUT', 'no answer'],
  ['EHOSTUNREACH', 'no way leads to that host'],
  ['ENETUNREACH', 'no way leads to that network'],
  ['ENOTFOUND', 'no such host name is known'],
  ['EAI_AGAIN', 'the name server does not answer'],
]);

/**
 * `there is no such file (ENOENT)`: why a call of the system failed, for the end of a message. Another error's
 * text is not repeated, as it may quote anything.
 */
export function systemReason(error: unknown): string {
  const code = systemCode(error);
  if (code === undefined) return 'unknown error';
  const known = words.get(code);
  return known === undefined ? code : `${known} (${code})`;
}

/** `ENOENT` and the like, of `error` or of what caused it. */
export function systemCode(error: unknown): string | undefined {
  for (let e: unknown = error; e instanceof Error; e = e.cause)
    if ('code' in e && typeof e.code === 'string' && /^[A-Z][A-Z0-9_]*$/.test(e.code)) return e.code;
  return undefined;
}
