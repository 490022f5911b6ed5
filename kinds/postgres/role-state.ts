/** Reads what the server has stored for the roles, without a verifier ever leaving it. */
import { z } from 'zod';
import { RotateError } from '../../domain/failure.js';
import { type AdminSession } from './admin-session.js';
import { doBlock, literal, textArray } from './sql.js';
import { beginReadOnly, rollback } from './statements.js';

const passwordSchema = z.object({
  /** Hex SHA-256 of what is stored. */
  fingerprint: z.string(),
  /** SCRAM only. */
  iterations: z.coerce.number().optional(),
  salt: z.string().optional(),
});

const roleSchema = z.object({ canLogin: z.boolean() });

export interface RoleState {
  canLogin: boolean;
  /** `hidden`: the admin login may not read pg_authid. */
  password: 'none' | 'hidden' | z.infer<typeof passwordSchema>;
}

export interface ServerState {
  /** Comment of the owner role. */
  comment: string | undefined;
  /** By name; a role that does not exist is absent. */
  roles: ReadonlyMap<string, RoleState>;
}

const answerSchema = z.object({
  owner: z.boolean(),
  comment: z.string().nullable(),
  roles: z.record(z.string(), roleSchema),
});
const passwordsSchema = z.record(z.string(), passwordSchema).nullable();

/** @throws RotateError IssuerMisconfigured when the owner role does not exist; what the session throws */
export async function readServer(
  session: AdminSession,
  owner: string,
  roles: readonly string[],
): Promise<ServerState> {
  const results = await session.run([
    beginReadOnly,
    readPasswords(roles),
    `SELECT current_setting('rotate.passwords')`,
    `SELECT json_build_object(
      'owner', EXISTS (SELECT FROM pg_roles WHERE rolname = ${literal(owner)}),
      'comment', (SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = ${literal(owner)}),
      'roles', (SELECT coalesce(json_object_agg(rolname, json_build_object('canLogin', rolcanlogin)), '{}')
                FROM pg_roles WHERE rolname = ANY (${textArray(roles)})))`,
    rollback,
  ]);
  const passwords = readJson(results[2], passwordsSchema, session);
  const answer = readJson(results[3], answerSchema, session);
  if (!answer.owner)
    throw new RotateError(
      'IssuerMisconfigured',
      `${session.server}: the owner role ${owner} does not exist`,
      {
        hint: 'create it, and make both roles its members: see docs/kinds/postgres.md',
      },
    );
  const found = Object.entries(answer.roles).map(([name, { canLogin }]): [string, RoleState] => [
    name,
    { canLogin, password: passwords === null ? 'hidden' : (passwords[name] ?? 'none') },
  ]);
  return { comment: answer.comment ?? undefined, roles: new Map(found) };
}

/**
 * Puts salts and fingerprints of the roles' passwords into the setting rotate.passwords, `null` where pg_authid may
 * not be read. In a block, because a statement that names pg_authid fails there as a whole.
 */
function readPasswords(roles: readonly string[]): string {
  return doBlock(`
DECLARE
  answer text;
BEGIN
  SELECT coalesce(json_object_agg(rolname, json_strip_nulls(json_build_object(
    'fingerprint', encode(sha256(convert_to(rolpassword, 'UTF8')), 'hex'),
    'iterations', substring(rolpassword from '^SCRAM-SHA-256[$](\\d+):'),
    'salt', substring(rolpassword from '^SCRAM-SHA-256[$]\\d+:([^$]+)[$]')))), '{}')
  INTO answer
  FROM pg_authid WHERE rolpassword IS NOT NULL AND rolname = ANY (${textArray(roles)});
  PERFORM set_config('rotate.passwords', answer, true);
EXCEPTION WHEN insufficient_privilege THEN
  PERFORM set_config('rotate.passwords', 'null', true);
END`);
}

/** The one JSON value of a statement's only row. */
export function readJson<T>(rows: string[] | undefined, schema: z.ZodType<T>, session: AdminSession): T {
  const row = rows?.[0];
  if (row === undefined || rows?.length !== 1)
    throw new RotateError(
      'Internal',
      `${session.server}: a statement gave ${rows?.length ?? 0} rows, not one`,
    );
  return schema.parse(JSON.parse(row));
}
