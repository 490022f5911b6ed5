/**
 * Where a webhook may go. The URL of a webhook is often a secret itself (whoever has
 * it can post), so nothing here repeats it.
 */

export interface UrlProblem {
  message: string;
  hint: string;
}

/**
 * Why `text` cannot be the URL of a webhook; undefined when it can.
 * @param insecure whether http:// may leave this machine
 */
export function webhookUrlProblem(text: string, insecure: boolean): UrlProblem | undefined {
  // The parser would take white space out without a word.
  if (/[\s\p{Cc}]/u.test(text) || !URL.canParse(text))
    return { message: 'is not a URL', hint: 'for example `https://ops.example/hooks/rotate`' };
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    return { message: 'must begin with https://', hint: 'a webhook is an HTTPS request' };
  if (url.username !== '' || url.password !== '')
    return {
      message: 'must not contain a login',
      hint: 'send it as a header: `headers: { Authorization: { file: PATH } }`',
    };
  if (url.protocol === 'http:' && !insecure && !isLoopback(url.hostname))
    return {
      message: 'must use https://, for everyone on the way can read it',
      hint: 'use https://, or add `insecure: true` where the network is trusted',
    };
  return undefined;
}

/** @param hostname as `URL` writes it: IPv4 in four decimal parts, IPv6 in brackets */
function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}
