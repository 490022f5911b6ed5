/** Reads all that preflight judges: the server, the admin's rights, and what the roles have and may. */
import { z } from 'zod';
import type { AdminSession } from './admin-session.js';
import { readJson } from './role-state.js';
import type { PostgresSettings } from './schema.js';
import { literal, textArray } from './sql.js';
import * as sql from './statements.js';

const roleSchema = z.object({
  name: z.string(),
  superuser: z.boolean(),
  inherit: z.boolean(),
  createRole: z.boolean(),
  createDatabase: z.boolean(),
  canLogin: z.boolean(),
  replication: z.boolean(),
  bypassRls: z.boolean(),
  /** -1: none. */
  connectionLimit: z.number(),
  /** As PostgreSQL writes it; null: for ever. */
  validUntil: z.string().nullable(),
  expired: z.boolean(),
  memberOfOwner: z.boolean(),
  mayConnect: z.boolean(),
  sessions: z.number(),
  /** Each `ALTER ROLE … SET`, its database (null: all) and the statement that sets it for another role. */
  settings: z.array(z.object({ database: z.string().nullable(), setting: z.string() })),
  /** Roles that it is a member of, with the grant's options. */
  memberOf: z.array(z.object({ role: z.string(), options: z.string() })),
  /** Roles that are members of it. */
  members: z.array(z.object({ role: z.string(), options: z.string() })),
  adminMayAlter: z.boolean(),
});
export type SurveyedRole = z.infer<typeof roleSchema>;

const serverSchema = z.object({
  version: z.string(),
  versionNumber: z.number(),
  inRecovery: z.boolean(),
  databaseExists: z.boolean(),
  ownerExists: z.boolean(),
  comment: z.string().nullable(),
  adminMayEndSessions: z.boolean(),
  adminMayComment: z.boolean(),
  admin: z.string(),
  roles: z.array(roleSchema),
});
export type SurveyedServer = z.infer<typeof serverSchema> & {
  /** Settings under which statements are logged although we asked for silence. */
  loud: string[];
};

/** Membership options by name, whatever the version has (inherit and set came with 16). */
const options = `concat_ws(', ',
  CASE WHEN bool_or(m.admin_option) THEN 'ADMIN OPTION' END,
  CASE WHEN NOT bool_or(coalesce((to_jsonb(m) ->> 'inherit_option')::bool, true)) THEN 'INHERIT FALSE' END,
  CASE WHEN NOT bool_or(coalesce((to_jsonb(m) ->> 'set_option')::bool, true)) THEN 'SET FALSE' END)`;

const membership = (other: 'roleid' | 'member', self: 'roleid' | 'member'): string => `
  (SELECT coalesce(json_agg(json_build_object('role', g.name, 'options', g.options) ORDER BY g.name), '[]')
   FROM (SELECT o.rolname AS name, ${options} AS options
         FROM pg_auth_members m JOIN pg_roles o ON o.oid = m.${other}
         WHERE m.${self} = r.oid GROUP BY o.rolname) g)`;

function surveyStatement({ roles, owner, database }: PostgresSettings): string {
  return `
SELECT json_build_object(
  'version', current_setting('server_version'),
  'versionNumber', current_setting('server_version_num')::int,
  'inRecovery', pg_is_in_recovery(),
  'databaseExists', EXISTS (SELECT FROM pg_database WHERE datname = ${literal(database)}),
  'ownerExists', EXISTS (SELECT FROM pg_roles WHERE rolname = ${literal(owner)}),
  'comment', (SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = ${literal(owner)}),
  'admin', me.rolname,
  'adminMayEndSessions', me.rolsuper OR pg_has_role(me.oid, 'pg_signal_backend', 'USAGE')
    OR NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = ANY (${textArray(roles)})
                   AND NOT pg_has_role(me.oid, r.oid, 'USAGE')),
  'adminMayComment', me.rolsuper OR EXISTS (SELECT FROM pg_roles r WHERE r.rolname = ${literal(owner)}
    AND NOT r.rolsuper AND me.rolcreaterole
    AND (current_setting('server_version_num')::int < 160000
         OR pg_has_role(me.oid, r.oid, 'MEMBER WITH ADMIN OPTION'))),
  'roles', (SELECT coalesce(json_agg(json_build_object(
    'name', r.rolname, 'superuser', r.rolsuper, 'inherit', r.rolinherit, 'createRole', r.rolcreaterole,
    'createDatabase', r.rolcreatedb, 'canLogin', r.rolcanlogin, 'replication', r.rolreplication,
    'bypassRls', r.rolbypassrls, 'connectionLimit', r.rolconnlimit,
    'validUntil', nullif(r.rolvaliduntil::text, 'infinity'), 'expired', coalesce(r.rolvaliduntil <= now(), false),
    'memberOfOwner', EXISTS (SELECT FROM pg_roles o WHERE o.rolname = ${literal(owner)}
                             AND pg_has_role(r.oid, o.oid, 'MEMBER')),
    'mayConnect', EXISTS (SELECT FROM pg_database d WHERE d.datname = ${literal(database)}
                          AND has_database_privilege(r.oid, d.oid, 'CONNECT')),
    'sessions', (SELECT count(*) FROM pg_stat_activity s WHERE s.usesysid = r.oid
                 AND s.backend_type IN ('client backend', 'walsender')
                 AND NOT (s.application_name = 'rotate' AND s.backend_start > now() - interval '30 seconds')),
    'settings', (SELECT coalesce(json_agg(json_build_object('database', d.datname, 'setting', c.setting)
                   ORDER BY d.datname, c.setting), '[]')
                 FROM pg_db_role_setting s CROSS JOIN unnest(s.setconfig) AS c (setting)
                 LEFT JOIN pg_database d ON d.oid = s.setdatabase
                 WHERE s.setrole = r.oid),
    'memberOf', ${membership('roleid', 'member')},
    'members', ${membership('member', 'roleid')},
    'adminMayAlter', me.rolsuper OR (me.rolcreaterole AND NOT r.rolsuper
      AND (current_setting('server_version_num')::int < 160000
           OR pg_has_role(me.oid, r.oid, 'MEMBER WITH ADMIN OPTION'))))), '[]')
    FROM pg_roles r WHERE r.rolname = ANY (${textArray(roles)})))
FROM pg_roles me WHERE me.rolname = current_user`;
}

/** What the server says about itself and the roles; changes nothing (it is rolled back). */
export async function surveyServer(
  session: AdminSession,
  settings: PostgresSettings,
): Promise<SurveyedServer> {
  const results = await session.run([
    sql.silenceSampling,
    sql.beginReadOnly,
    sql.silence,
    sql.loudSettings,
    surveyStatement(settings),
    sql.rollback,
  ]);
  const loud = readJson(results[3], z.array(z.string()), session);
  return { ...readJson(results[4], serverSchema, session), loud };
}

const grantSchema = z.object({
  role: z.string(),
  /** `SELECT ON TABLE public.t`: what stands between GRANT and TO. */
  privilege: z.string(),
  /** `ALTER DEFAULT PRIVILEGES … ` before GRANT, for defaults; else empty. */
  prefix: z.string(),
  grantable: z.boolean(),
});

const databaseSchema = z.object({
  /** Objects that a role owns by itself. */
  owned: z.array(z.object({ role: z.string(), object: z.string() })),
  /** What is granted to a role directly, not through the owner. */
  grants: z.array(grantSchema),
  /** Row security policies that name a role. */
  policies: z.array(z.object({ role: z.string(), policy: z.string() })),
  /** Schemas that are called as a role: `"$user"` in search_path finds them for this role alone. */
  schemas: z.array(z.string()),
});
export type SurveyedDatabase = z.infer<typeof databaseSchema>;

/** Temporary objects go with their session. */
const lasting = (schema: string): string => `coalesce(${schema}, '') !~ '^pg_(toast_)?temp(_|$)'`;

function databaseStatement(roles: readonly string[]): string {
  return `
WITH wanted AS (SELECT oid, rolname FROM pg_roles WHERE rolname = ANY (${textArray(roles)})),
acls AS (
  SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END || c.oid::regclass AS object, NULL AS columns,
         '' AS prefix, c.relowner AS owner, c.relacl AS acl
  FROM pg_class c WHERE c.relpersistence <> 't'
  UNION ALL SELECT 'TABLE ' || c.oid::regclass, quote_ident(a.attname), '', c.relowner, a.attacl
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE NOT a.attisdropped AND c.relpersistence <> 't'
  UNION ALL SELECT 'SCHEMA ' || quote_ident(nspname), NULL, '', nspowner, nspacl FROM pg_namespace
  WHERE ${lasting('nspname')}
  UNION ALL SELECT CASE prokind WHEN 'p' THEN 'PROCEDURE ' ELSE 'FUNCTION ' END || oid::regprocedure, NULL, '',
         proowner, proacl FROM pg_proc
  UNION ALL SELECT 'TYPE ' || oid::regtype, NULL, '', typowner, typacl FROM pg_type
  UNION ALL SELECT 'LANGUAGE ' || quote_ident(lanname), NULL, '', lanowner, lanacl FROM pg_language
  UNION ALL SELECT 'DATABASE ' || quote_ident(datname), NULL, '', datdba, datacl FROM pg_database
  WHERE datname = current_database()
  UNION ALL SELECT 'FOREIGN DATA WRAPPER ' || quote_ident(fdwname), NULL, '', fdwowner, fdwacl
  FROM pg_foreign_data_wrapper
  UNION ALL SELECT 'FOREIGN SERVER ' || quote_ident(srvname), NULL, '', srvowner, srvacl FROM pg_foreign_server
  UNION ALL SELECT 'LARGE OBJECT ' || oid, NULL, '', lomowner, lomacl FROM pg_largeobject_metadata
  UNION ALL SELECT CASE defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS'
           WHEN 'T' THEN 'TYPES' WHEN 'n' THEN 'SCHEMAS' ELSE 'LARGE OBJECTS' END, NULL,
         'ALTER DEFAULT PRIVILEGES FOR ROLE ' || quote_ident(pg_get_userbyid(defaclrole))
           || coalesce(' IN SCHEMA ' || quote_ident(n.nspname), '') || ' ',
         defaclrole, defaclacl
  FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace),
grants AS (
  SELECT w.rolname AS role, x.privilege_type || coalesce(' (' || a.columns || ')', '') || ' ON ' || a.object AS privilege,
         a.prefix, bool_or(x.is_grantable) AS grantable
  FROM acls a CROSS JOIN aclexplode(a.acl) x JOIN wanted w ON w.oid = x.grantee
  WHERE x.grantee <> a.owner GROUP BY 1, 2, 3),
owned AS (
  SELECT w.rolname AS role, i.type || ' ' || i.identity AS object
  FROM pg_shdepend d JOIN wanted w ON w.oid = d.refobjid
  CROSS JOIN pg_identify_object(d.classid, d.objid, d.objsubid) i
  WHERE d.refclassid = 'pg_authid'::regclass AND d.deptype = 'o'
    AND (d.dbid = 0 OR d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database()))
    AND ${lasting('i.schema')} AND ${lasting('i.name')})
SELECT json_build_object(
  'owned', (SELECT coalesce(json_agg(owned ORDER BY role, object), '[]') FROM owned),
  'grants', (SELECT coalesce(json_agg(grants ORDER BY role, privilege), '[]') FROM grants),
  'policies', (SELECT coalesce(json_agg(json_build_object('role', w.rolname,
      'policy', quote_ident(p.polname) || ' ON ' || p.polrelid::regclass) ORDER BY w.rolname, p.polname), '[]')
    FROM pg_policy p JOIN wanted w ON w.oid = ANY (p.polroles)),
  'schemas', (SELECT coalesce(json_agg(nspname ORDER BY nspname), '[]') FROM pg_namespace
    WHERE nspname IN (SELECT rolname FROM wanted)))`;
}

/** What the roles own and may in the database that consumers use. */
export async function surveyDatabase(
  session: AdminSession,
  settings: PostgresSettings,
): Promise<SurveyedDatabase> {
  const results = await session.run(
    [sql.beginReadOnly, databaseStatement(settings.roles), sql.rollback],
    settings.database,
  );
  return readJson(results[1], databaseSchema, session);
}
