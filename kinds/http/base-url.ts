/** The address of a vendor's API, as configured. Light: the schema reads it. */

/** Undefined for what is no http or https URL, or has a login, a query or a fragment. */
export function parseBase(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return undefined;
  const plain = url.username === '' && url.password === '' && !/[?#]/.test(text);
  return plain ? url : undefined;
}

/** Whether what is sent to `url` leaves the machine that sends it. */
export function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d+){3}$/.test(hostname);
}

/** Host of a URL as sockets take it: an IPv6 address without its brackets. */
export function addressOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '');
}
