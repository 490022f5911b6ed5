/** What an answer of the vendor means. Nothing of its body, its headers' texts or the query gets into a message. */
import type { IncomingHttpHeaders } from 'node:http';
import { type FailureType, RotateError } from '../../domain/failure.js';
import type { Answer } from './exchange.js';
import type { PreparedRequest } from './prepare.js';

/** With whose right a request is made, which decides what 401 and 403 mean. */
export type Asker = { login: string } | 'the value';

export function isRedirect(status: number): boolean {
  return status >= 300 && status < 400;
}

/** Where a redirect goes; undefined where the answer does not say. */
export function targetOf({ url }: PreparedRequest, { headers }: Answer): URL | undefined {
  const { location } = headers;
  return location !== undefined && URL.canParse(location, url.href) ? new URL(location, url.href) : undefined;
}

/** Only origins are told: a path may hold an id or a value. */
export function tellRedirect({ url }: PreparedRequest, target: URL | undefined): string {
  if (target === undefined) return 'redirects to nowhere';
  return target.origin === url.origin
    ? `redirects to another path of ${url.origin}`
    : `redirects from ${url.origin} to ${target.origin}, which is refused`;
}

/** The failure that an answer other than 2xx is; `details.status` is the answer's. */
export function refusal(prepared: PreparedRequest, answer: Answer, asker: Asker): RotateError {
  const { status } = answer;
  const [type, what, hint] = judge(prepared, answer, asker);
  return new RotateError(type, `${prepared.title}: ${status}, ${what}`, {
    ...(hint === undefined ? {} : { hint }),
    details: { status },
  });
}

function judge(
  prepared: PreparedRequest,
  answer: Answer,
  asker: Asker,
): [type: FailureType, what: string, hint?: string] {
  const { status, headers } = answer;
  if (isRedirect(status))
    return [
      'IssuerMisconfigured',
      tellRedirect(prepared, targetOf(prepared, answer)),
      'write into http.base and the path where the API really is',
    ];
  if (status === 429) return ['IssuerBusy', `too many requests${retryAfter(headers)}`];
  if (status >= 500 || status === 408 || status === 425)
    return ['IssuerUnreachable', `the vendor cannot answer now${retryAfter(headers)}`];
  if (status !== 401 && status !== 403)
    return [
      'IssuerMisconfigured',
      'the vendor does not take the request',
      'try the same request by hand; see docs/kinds/http.md',
    ];
  if (asker === 'the value') return ['IssuerMisconfigured', 'the vendor does not accept the value itself'];
  return [
    'IssuerAuthFailed',
    `the vendor does not accept the login ${asker.login}`,
    'see whether the login is still valid, and what it may do',
  ];
}

function retryAfter(headers: IncomingHttpHeaders): string {
  const seconds = headers['retry-after'];
  return seconds !== undefined && /^\d{1,6}$/.test(seconds) ? `; it asks to wait ${seconds} s` : '';
}

/** The JSON of an answer. @throws RotateError IssuerMisconfigured; without a cause, which would quote it */
export function readJson({ title }: PreparedRequest, { body }: Answer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw new RotateError('IssuerMisconfigured', `${title}: the answer is no JSON`, {
      hint: 'see whether the path is that of the API, and not of a page for people',
    });
  }
}
