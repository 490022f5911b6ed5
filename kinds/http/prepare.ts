/** A request of `rotate.yaml` with its placeholders filled in, ready to be sent. */
import { RotateError } from '../../domain/failure.js';
import { lineOf, type RequestSettings } from './request-schema.js';
import type { HttpSettings } from './schema.js';
import { fillBody, fillTemplate, type Values } from './template.js';

export interface PreparedRequest {
  /** For messages: `DELETE https://api.vendor.example/v1/keys/{id}`, as configured and without the query. */
  title: string;
  method: string;
  url: URL;
  /** By their names in lower case. */
  headers: Readonly<Record<string, string>>;
  body?: string;
}

/** `https://api.vendor.example/v1/whoami`: where a request goes, as configured and without the query. */
export function placeOf({ base }: Pick<HttpSettings, 'base'>, request: RequestSettings): string {
  const path = lineOf(request)?.path ?? '';
  return `${base.replace(/\/+$/, '')}${path.replace(/\?.*$/, '')}`;
}

export function titleOf(settings: Pick<HttpSettings, 'base'>, request: RequestSettings): string {
  return `${(lineOf(request)?.verb ?? 'get').toUpperCase()} ${placeOf(settings, request)}`;
}

/**
 * @param auth headers of all requests that administer keys; the request's own win
 * @throws RotateError IssuerMisconfigured when a value cannot stand where it is to stand; never tells the value
 */
export function prepare(
  settings: Pick<HttpSettings, 'base'>,
  request: RequestSettings,
  values: Values,
  auth: Pick<RequestSettings, 'headers' | 'basic'> = {},
): PreparedRequest {
  const title = titleOf(settings, request);
  const { verb, path } = lineOf(request) ?? { verb: 'get', path: '/' };
  const filled = fillTemplate(path, values, encodeURIComponent);
  // `new URL` would take such a segment away, and with it the one before
  if (/\/(?:\.|%2e){1,2}(?:[/?]|$)/i.test(filled))
    throw new RotateError('IssuerMisconfigured', `${title}: a value is a path of its own`);
  return {
    title,
    method: verb.toUpperCase(),
    url: new URL(`${settings.base.replace(/\/+$/, '')}${filled}`),
    headers: {
      accept: 'application/json',
      'user-agent': 'rotate',
      ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...fillHeaders(auth, values, title),
      ...fillHeaders(request, values, title),
    },
    ...(request.body === undefined ? {} : { body: JSON.stringify(fillBody(request.body, values)) }),
  };
}

function fillHeaders(
  { headers = {}, basic }: Pick<RequestSettings, 'headers' | 'basic'>,
  values: Values,
  title: string,
): Record<string, string> {
  const filled = Object.entries(headers).map(([name, template]): [string, string] => {
    const value = fillTemplate(template, values);
    if (!/^[\t\x20-\x7e]*$/.test(value))
      throw new RotateError(
        'IssuerMisconfigured',
        `${title}: what would stand in the header ${name} is not one line of ASCII`,
        { hint: 'see what the login or the file of the secret holds' },
      );
    return [name.toLowerCase(), value];
  });
  // RFC 7617
  if (basic !== undefined)
    filled.push(['authorization', `Basic ${Buffer.from(fillTemplate(basic, values)).toString('base64')}`]);
  return Object.fromEntries(filled);
}
