/** The `http:` block of a secret in `rotate.yaml`. Light: config imports it, without the kind. */
import { z } from 'zod';
import { isLoopback, parseBase } from './base-url.js';
import { parsePointer, splitAtStar } from './pointer.js';
import { basicSchema, changing, checkRequest, headersSchema, reading, usedIn } from './request-schema.js';
import type { Placeholder } from './template.js';

const pointer = z
  .string()
  .refine(
    (text) => parsePointer(text) !== undefined,
    'must be a JSON pointer: each key behind a `/`, e.g. /data/secret',
  )
  .refine((text) => parsePointer(text)?.includes('*') !== true, 'one value is wanted: it has no `*`');

const listPointer = z
  .string()
  .refine(
    (text) => splitAtStar(text) !== undefined,
    'must be a JSON pointer with one `*` for the entries of the list, e.g. /data/*/id',
  );

/** Such an answer says nothing about a value: the vendor is busy, or has not looked at it. */
const sayingNothing = [408, 425, 429];

const statuses = z
  .array(
    z
      .int({ error: 'a status is a number of three digits' })
      .refine(
        (status) => (status >= 200 && status < 300) || (status >= 400 && status < 500),
        'only 2xx and 4xx are answers to what was asked',
      )
      .refine((status) => !sayingNothing.includes(status), 'such an answer says nothing: the vendor is busy'),
    { error: 'must be a list of HTTP statuses' },
  )
  .min(1, 'must list at least one HTTP status');

/** A key that is gone is deleted, and as good as disabled. */
const gone = [404, 410];
/** What vendors answer that do not switch off what is off. */
const conflict = 409;

export const httpSchema = z
  .strictObject({
    base: z
      .string({ error: 'base must be the URL of the API' })
      .refine(
        (text) => parseBase(text) !== undefined,
        'base must be an https URL without login, query and fragment, e.g. https://api.vendor.example/v1',
      )
      .describe('Where the API is; paths of requests stand behind it.'),
    insecure: z
      .boolean()
      .default(false)
      .describe('Allow http, without encryption, beyond this machine: for tests and closed networks.'),
    from: z
      .string()
      .min(1, 'from must name a host of this file')
      .optional()
      .describe('Host through whose SSH connection keys are administered. Default: from the worker itself.'),
    auth: z
      .strictObject({
        login: z
          .string()
          .min(1, 'auth.login must name a login of the worker’s configuration')
          .describe('Login of worker.yaml that keys are administered with: {admin} in requests.'),
        headers: headersSchema.optional().describe('Headers of every request that administers keys.'),
        basic: basicSchema.optional().describe('The same as HTTP Basic authentication: `user:{admin}`.'),
      })
      .describe('How requests that administer keys are authenticated.'),
    list: z
      .strictObject({
        ...reading,
        ids: listPointer.describe('Where the ids of the keys stand in the answer.'),
        labels: listPointer
          .optional()
          .describe('Where their labels stand, in the same list: by them rotate knows its own keys.'),
        next: z
          .union(
            [
              pointer,
              z.strictObject({
                at: pointer.describe('Where the mark of the next page stands.'),
                query: z
                  .string()
                  .regex(/^[\w.[\]-]+$/, 'must be the name of a query parameter')
                  .describe('Query parameter that it is sent back as.'),
              }),
            ],
            { error: 'next must be a JSON pointer, or { at: pointer, query: name }' },
          )
          .optional()
          .describe('Where the next page stands: its URL, or a mark that is sent back in the query.'),
      })
      .describe('Lists all keys that exist, 200 at most.'),
    create: z
      .strictObject({
        ...changing,
        value: pointer.describe('Where the new value stands in the answer.'),
        id: pointer.describe('Where its id stands.'),
      })
      .describe('Makes a key.'),
    check: z
      .strictObject({
        ...reading,
        accepted: statuses.default([200]).describe('Statuses that say: the value is right.'),
        refused: statuses
          .default([401])
          .describe('Statuses that say: the value is wrong, disabled or deleted.'),
      })
      .describe('Tries a value, as consumers use it.'),
    identify: z
      .strictObject({ ...reading, id: pointer.describe('Where the id of the key stands in the answer.') })
      .optional()
      .describe('Asks with a value which key it is; without it the format carries the id as {role}.'),
    disable: z
      .strictObject({
        ...changing,
        already: statuses.default([...gone, conflict]).describe('Statuses that say: it is disabled already.'),
      })
      .optional()
      .describe('Makes the vendor refuse a key until it is enabled again.'),
    enable: z
      .strictObject({
        ...changing,
        already: statuses.default([conflict]).describe('Statuses that say: it is enabled already.'),
      })
      .optional()
      .describe('Undoes `disable`.'),
    delete: z
      .strictObject({
        ...changing,
        already: statuses.default(gone).describe('Statuses that say: it is gone already.'),
      })
      .describe('Deletes a key for good.'),
  })
  .superRefine((settings, context) => {
    const add = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
    const { base, auth, list, create, check, disable, enable } = settings;
    const url = parseBase(base);
    if (url?.protocol === 'http:' && !settings.insecure && !isLoopback(url))
      add(['base'], 'secrets would travel in clear: use https, or say `insecure: true` in a closed network');
    for (const { name, ...rules } of requestRules) {
      const request = settings[name];
      if (request !== undefined) checkRequest(request, context, { name, ...rules });
    }
    const administering = [auth, list, create, settings.delete, disable ?? {}, enable ?? {}];
    if (!administering.some((request) => usedIn(request).includes('admin')))
      add(['auth'], 'the login is sent nowhere: add `headers: { authorization: "Bearer {admin}" }`');
    if (usedIn(auth).some((placeholder) => placeholder !== 'admin'))
      add(['auth'], 'only {admin} has a place in auth');
    if ((disable === undefined) !== (enable === undefined))
      add(
        [disable === undefined ? 'enable' : 'disable'],
        'disable and enable belong together: what cannot be undone is left to delete',
      );
    if (enable?.already.some((status) => gone.includes(status)) === true)
      add(['enable', 'already'], '404 and 410 say that the key is gone, not that it is enabled');
    checkLabels(list, usedIn(create).includes('label'), add);
    if (list.next !== undefined && list.get === undefined)
      add(['list', 'next'], 'pages are followed with `get` only');
    for (const status of check.refused)
      if (check.accepted.includes(status))
        add(['check', 'refused'], `${status} cannot both accept and refuse a value`);
  })
  .describe('a key of a vendor that has an HTTP API for its keys');

export type HttpSettings = z.infer<typeof httpSchema>;

/** Placeholders of each request: a value is tried alone, and what administers keys never sees one. */
const requestRules = [
  { name: 'list', allowed: ['admin'] },
  { name: 'create', allowed: ['admin', 'label'] },
  { name: 'check', allowed: ['value', 'account'], needed: 'value' },
  { name: 'identify', allowed: ['value', 'account'], needed: 'value' },
  { name: 'disable', allowed: ['admin', 'id'], needed: 'id' },
  { name: 'enable', allowed: ['admin', 'id'], needed: 'id' },
  { name: 'delete', allowed: ['admin', 'id'], needed: 'id' },
] as const satisfies readonly {
  name: keyof HttpSettings;
  allowed: readonly Placeholder[];
  needed?: Placeholder;
}[];

/** A label that is sent and not read again, or the other way round, would leave the careful way unused. */
function checkLabels(
  { ids, labels }: { ids: string; labels?: string | undefined },
  sent: boolean,
  add: (path: string[], message: string) => void,
): void {
  if (labels === undefined) {
    if (sent) add(['list'], 'create sends {label}: say in list.labels where the vendor shows it');
    return;
  }
  if (!sent) add(['create'], 'list.labels needs a create that sends {label}');
  if (splitAtStar(ids)?.list.join('/') !== splitAtStar(labels)?.list.join('/'))
    add(['list', 'labels'], 'labels must stand in the same list as ids');
}

/** Whether the file has to carry the id of its key. */
export function needsAccount({ identify }: HttpSettings): boolean {
  return identify === undefined;
}
