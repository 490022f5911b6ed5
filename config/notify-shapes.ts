/** The keys of `notify` in `worker.yaml`. As everywhere in that file, no message repeats a value. */
import { z } from 'zod';
import { channelEvents } from '../domain/notification.js';
import { lineSchema, nameSchema } from './scalars.js';

/** What is ours to set, or would change how the request is read. */
const ownHeaders = [
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'user-agent',
  'webhook-id',
  'webhook-signature',
  'webhook-timestamp',
];

/** RFC 9110, 5.1 (token). */
const headerPattern = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;

const headerName = z
  .string()
  .refine((name) => headerPattern.test(name), {
    error: 'is not the name of a header',
    params: { hint: 'for example `Authorization`' },
  })
  .refine((name) => !ownHeaders.includes(name.toLowerCase()), {
    error: 'is a header that rotate sets itself',
    params: { hint: 'remove it' },
  })
  .meta({ pattern: headerPattern.source });

/** Printable ASCII: other bytes mean different things to different receivers. */
export function isHeaderValue(text: string): boolean {
  return /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(text);
}

const headerValue = z.union(
  [
    z.string().refine(isHeaderValue, {
      error: 'must be one line of printable ASCII',
      params: { hint: 'remove other characters, and space around it' },
    }),
    z.strictObject({ file: lineSchema.describe('A file on the worker that holds the value.') }),
  ],
  { error: 'must be text, or `{ file: PATH }`' },
);

export const webhookShape = {
  url: lineSchema.optional().describe('Where notifications are posted to. https, or http on loopback.'),
  urlFile: lineSchema
    .optional()
    .describe('A file on the worker that holds the URL, for one that is a secret itself.'),
  secretFile: lineSchema
    .optional()
    .describe(
      'A file on the worker with the secrets that sign, one a line, newest first: `whsec_` and base64, or taken as it is.',
    ),
  format: z
    .enum(['json', 'slack'])
    .prefault('json')
    .describe('What is posted: the notification, or `{text}` as Slack and its likes take it.'),
  headers: z
    .record(headerName, headerValue)
    .optional()
    .describe('More headers, by name; a value that is a secret as `{ file: PATH }`.'),
  insecure: z
    .boolean()
    .prefault(false)
    .describe('Let http:// leave this machine. Certificates of https:// are checked in any case.'),
  events: z
    .array(z.enum(channelEvents))
    .min(1)
    .optional()
    .describe('What this channel is told of. Default: everything.'),
  environments: z
    .array(nameSchema)
    .min(1)
    .optional()
    .describe('Environments that this channel is told of. Default: all.'),
};
