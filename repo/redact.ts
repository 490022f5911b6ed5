/**
 * Text from git and from remotes made fit for a person: no credentials, no
 * terminal control characters, at most 4 KiB.
 */

const limit = 4096;

/** `text` without the user and password of web addresses, and without the password of others. */
export function redactUrls(text: string): string {
  return text
    .replace(/\b(https?:\/\/)[^\s/'"]*@/gi, '$1[redacted]@')
    .replace(/\b([a-z][a-z0-9+.-]*:\/\/[^\s/:@'"]*):[^\s/'"]*@/gi, '$1:[redacted]@');
}

/** What git printed, redacted, in one line, cut to 4 KiB. */
export function tellOutput(text: string): string {
  const line = redactUrls(text)
    .split(/[\r\n]+/)
    .map((part) => part.replace(/\p{Cc}/gu, ' ').trim())
    .filter((part) => part !== '')
    .join('; ');
  return line.length <= limit ? line : `${line.slice(0, limit - 1)}…`;
}
