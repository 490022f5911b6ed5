/** One request to the vendor, as `rotate.yaml` describes it. Light: config imports it, without the kind. */
import { z } from 'zod';
import { type Placeholder, parseTemplate, placeholdersIn, textsIn } from './template.js';

export const verbs = ['get', 'post', 'put', 'patch', 'delete'] as const;
export type Verb = (typeof verbs)[number];

/** What all requests have in common; each kind of request allows some of the verbs. */
export interface RequestSettings extends Partial<Record<Verb, string | undefined>> {
  headers?: Record<string, string> | undefined;
  basic?: string | undefined;
  body?: Record<string, unknown> | undefined;
}

/** The verb and the path; a request that the schema has passed has exactly one. */
export function lineOf(request: RequestSettings): { verb: Verb; path: string } | undefined {
  return verbs.flatMap((verb) => {
    const path = request[verb];
    return path === undefined ? [] : [{ verb, path }];
  })[0];
}

export const template = z.string().superRefine((source, context) => {
  const parsed = parseTemplate(source);
  if ('problem' in parsed) context.addIssue({ code: 'custom', message: parsed.problem });
});

/** Whatever `new URL` would change or cut off is refused, so that a message names what is really asked for. */
const path = template
  .regex(/^\/(?!\/)[\x21-\x7e]*$/, 'a path begins with one `/` and has no spaces')
  .regex(/^[^#\\"<>^`|]*$/, 'a path has none of # \\ " < > ^ ` |; write them percent-encoded')
  .refine(
    (text) => !/\/(?:\.|%2e){1,2}(?:[/?]|$)/i.test(text),
    'a path has no segments `.` or `..`: write it out',
  );

/** Set by what carries the request. */
const ownHeaders = new Set(['host', 'content-length', 'transfer-encoding', 'connection', 'accept-encoding']);

export const headersSchema = z
  .record(
    z
      .string()
      .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'is no name of a header')
      .refine((name) => !ownHeaders.has(name.toLowerCase()), 'is set by rotate itself'),
    template.regex(/^[\t\x20-\x7e]*$/, 'a header is one line of ASCII'),
  )
  .refine(
    (headers) =>
      new Set(Object.keys(headers).map((name) => name.toLowerCase())).size === Object.keys(headers).length,
    'a header is named twice',
  );

export const basicSchema = template.refine(
  (text) => text.includes(':') || /^\{\w+\}$/.test(text),
  'basic is `user:password`, or one placeholder where that holds both',
);

const common = {
  headers: headersSchema.optional().describe('Headers; in their values stand placeholders.'),
  basic: basicSchema
    .optional()
    .describe('`user:password` with placeholders, sent as HTTP Basic authentication.'),
  body: z
    .record(z.string(), z.unknown(), { error: 'body must be a mapping, which is sent as JSON' })
    .optional()
    .describe('Sent as JSON; in its texts stand placeholders.'),
};

/** Keys of a request that reads. */
export const reading = {
  get: path.optional().describe('The path behind `base`, with its query.'),
  post: path.optional().describe('The path behind `base`, where the vendor wants POST.'),
  ...common,
};

/** Keys of a request that changes something. */
export const changing = {
  post: path.optional().describe('The path behind `base`, for POST.'),
  put: path.optional().describe('The path behind `base`, for PUT.'),
  patch: path.optional().describe('The path behind `base`, for PATCH.'),
  delete: path.optional().describe('The path behind `base`, for DELETE.'),
  ...common,
};

/** The placeholders that a request uses anywhere. */
export function usedIn(request: Omit<RequestSettings, Verb> & Partial<Record<Verb, unknown>>): Placeholder[] {
  const paths = verbs.map((verb) => request[verb]).filter((text) => typeof text === 'string');
  const headers = Object.values(request.headers ?? {});
  return [...paths, ...headers, request.basic ?? '', ...textsIn(request.body)].flatMap(placeholdersIn);
}

/**
 * What a request as a whole must keep to.
 * @param allowed placeholders that mean something in it
 * @param needed one that it is pointless without
 */
export function checkRequest(
  request: RequestSettings,
  context: z.RefinementCtx,
  { name, allowed, needed }: { name: string; allowed: readonly Placeholder[]; needed?: Placeholder },
): void {
  const add = (place: string[], message: string) =>
    context.addIssue({ code: 'custom', path: [name, ...place], message });
  const given = verbs.filter((verb) => request[verb] !== undefined);
  const [first, second] = given;
  if (first === undefined) add([], `${name} must have a verb with a path, e.g. \`${example(name)}\``);
  if (second !== undefined) add([second], `${first} and ${second} exclude each other`);
  for (const text of textsIn(request.body)) {
    const parsed = parseTemplate(text);
    if ('problem' in parsed) add(['body'], parsed.problem);
  }
  const used = usedIn(request);
  for (const strange of new Set(used.filter((placeholder) => !allowed.includes(placeholder))))
    add(
      [],
      `{${strange}} has no place in ${name}; what has: ${allowed.map((each) => `{${each}}`).join(', ')}`,
    );
  if (needed !== undefined && !used.includes(needed)) add([], `${name} must say {${needed}} somewhere`);
  if (first === 'get' && request.body !== undefined) add(['body'], 'a GET has no body');
  const named = Object.keys(request.headers ?? {}).some((header) => header.toLowerCase() === 'authorization');
  if (named && request.basic !== undefined)
    add(['basic'], '`basic` and an authorization header exclude each other');
}

function example(name: string): string {
  if (name === 'list') return 'get: /keys';
  if (name === 'create') return 'post: /keys';
  if (name === 'delete') return 'delete: "/keys/{id}"';
  return name === 'check' || name === 'identify' ? 'get: /whoami' : 'patch: "/keys/{id}"';
}
