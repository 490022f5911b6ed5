/** The `postgres:` block of a secret in `rotate.yaml`. Light: config imports it, without the kind. */
import { z } from 'zod';
import { parseEndpoint } from './endpoint.js';

/** PostgreSQL cuts longer names silently (NAMEDATALEN - 1), so that they would name something else. */
const maxNameBytes = 63;

function name(what: string): z.ZodString {
  return z
    .string({ error: `${what} must be a string` })
    .min(1, `${what} must not be empty`)
    .refine((text) => !text.includes('\0'), `${what} must not contain a NUL`)
    .refine(
      (text) => new TextEncoder().encode(text).length <= maxNameBytes,
      `${what} is longer than ${maxNameBytes} bytes, which PostgreSQL would cut`,
    );
}

const viaHost = z.strictObject({
  host: z.string().min(1, 'admin.host must name a host of this file'),
  as: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_.-]*\$?$/, 'admin.as must be a system user on that host, e.g. postgres'),
  port: z.int().min(1).max(65_535).optional().describe('port of the server, where several run on that host'),
});

const viaLogin = z.strictObject({
  login: z.string().min(1, 'admin.login must name a login of the worker’s configuration'),
});

export const postgresSchema = z
  .strictObject({
    roles: z
      .array(name('a role'), { error: 'roles must be a list of one or two role names' })
      .min(1, 'roles must name one role (swap) or two (dual)')
      .max(2, 'roles must name one role (swap) or two (dual), not more')
      .describe('login roles that take turns; one role means that there is no overlap'),
    owner: name('owner')
      .optional()
      .describe('group role of both; its comment carries the fence. Default with one role: the role itself'),
    database: name('database').describe('database that consumers connect to'),
    admin: z
      .union([viaHost, viaLogin], {
        error: 'admin must be { host, as } (psql over SSH) or { login } (a URL that the worker has)',
      })
      .describe('how the server is administered'),
    endpoints: z
      .array(
        z.string().refine((text) => parseEndpoint(text) !== undefined, {
          error: (issue) =>
            `${JSON.stringify(issue.input)} is not an endpoint: write host:port, e.g. db-1:5432`,
        }),
        { error: 'endpoints must be a list of host:port' },
      )
      .min(1, 'endpoints must list what consumers connect through, e.g. ["db-1:5432"]')
      .describe('everything that consumers connect through: servers, poolers, replicas'),
  })
  .superRefine((settings, context) => {
    const [first, second] = settings.roles;
    if (first !== undefined && first === second)
      context.addIssue({ code: 'custom', path: ['roles', 1], message: 'the two roles must differ' });
    if (second !== undefined && settings.owner === undefined)
      context.addIssue({
        code: 'custom',
        path: ['owner'],
        message: 'owner must name the role that both roles are members of',
      });
    if (second !== undefined && settings.owner !== undefined && settings.roles.includes(settings.owner))
      context.addIssue({
        code: 'custom',
        path: ['owner'],
        message: 'owner must be a third role that both roles are members of',
      });
    for (const [i, endpoint] of settings.endpoints.entries())
      if (settings.endpoints.indexOf(endpoint) < i)
        context.addIssue({ code: 'custom', path: ['endpoints', i], message: `${endpoint} is listed twice` });
  })
  .transform((settings) => ({ ...settings, owner: settings.owner ?? settings.roles[0] ?? '' }))
  .describe('a password that applications log in to PostgreSQL with');

export type PostgresSettings = z.infer<typeof postgresSchema>;
