/** Preflight at the server: where it is, and what would make a rotation unsafe. Changes nothing. */
import { RotateError } from '../../domain/failure.js';
import { formatFence } from '../../domain/fence.js';
import type { SecretRef } from '../../domain/spec.js';
import type { IssuerState } from '../kind.js';
import type { AdminSession } from './admin-session.js';
import { type Problem, compareDatabase, compareRoles } from './compare-roles.js';
import { readFenceTag } from './fence-tag.js';
import type { PostgresSettings } from './schema.js';
import { ident } from './sql.js';
import { type SurveyedRole, type SurveyedServer, surveyDatabase, surveyServer } from './survey.js';

/** SCRAM came with 10, sha256() with 11, the settings that silence sampling with 12 and 13. */
const oldestVersion = 120_000;

/** @param account role of the value in use */
export async function inspectServer(
  session: AdminSession,
  secret: SecretRef,
  settings: PostgresSettings,
  account: string | undefined,
): Promise<IssuerState> {
  const server = await surveyServer(session, settings);
  if (server.versionNumber < oldestVersion)
    throw new RotateError('IssuerMisconfigured', `${session.server}: version ${server.version} is too old`, {
      hint: 'PostgreSQL 12 and newer are supported',
    });
  const fence = readFenceTag(server.comment ?? undefined, secret);
  const spare = account === undefined ? undefined : settings.roles.find((role) => role !== account);
  const problems = judge(session, settings, server, account, spare);
  const current = server.roles.find((role) => role.name === account);
  const other = server.roles.find((role) => role.name === spare);
  if (current !== undefined && other !== undefined && !server.inRecovery) {
    problems.push(...compareRoles(current, other));
    if (server.databaseExists) {
      const survey = await surveyDatabase(session, settings);
      problems.push(...compareDatabase(settings.database, settings.owner, current.name, other.name, survey));
    }
  }
  return {
    fence,
    facts: {
      PostgreSQL: server.version,
      'administered as': server.admin,
      ...(account === undefined ? {} : { 'role in use': account }),
      ...(spare === undefined ? {} : { 'spare role': spare }),
      ...(current === undefined ? {} : { 'sessions of the role in use': String(current.sessions) }),
      fence: formatFence(fence),
      ...(server.loud.length === 0
        ? {}
        : { 'statement logging': `statement logging cannot be silenced (${server.loud.join(', ')})` }),
    },
    problems,
  };
}

function judge(
  session: AdminSession,
  settings: PostgresSettings,
  server: SurveyedServer,
  account: string | undefined,
  spare: string | undefined,
): Problem[] {
  const problems: Problem[] = [];
  const add = (message: string, hint: string) => problems.push({ message, hint });
  const { owner, database, roles } = settings;
  const part = (name: string): Part => (name === spare ? 'spare' : name === account ? 'in use' : 'neither');
  if (server.inRecovery)
    add(
      `${session.server} is a replica: roles can only be changed on the primary`,
      'name the primary in postgres.admin',
    );
  if (!server.databaseExists)
    add(`the database ${database} does not exist`, 'correct postgres.database, or create it');
  if (!server.ownerExists && !roles.includes(owner))
    add(
      `the owner role ${owner} does not exist`,
      `run: CREATE ROLE ${ident(owner)} NOLOGIN; and make both roles its members`,
    );
  if (account === undefined || !roles.includes(account))
    add(
      account === undefined
        ? 'the file does not say which role is in use'
        : `the role in use, ${account}, is not one of postgres.roles (${roles.join(', ')})`,
      'list the role in use and its spare in postgres.roles',
    );
  for (const name of roles) {
    const role = server.roles.find((found) => found.name === name);
    if (role === undefined)
      add(
        `the role ${name} does not exist`,
        `run: CREATE ROLE ${ident(name)} NOLOGIN IN ROLE ${ident(owner)}; see docs/kinds/postgres.md`,
      );
    else problems.push(...judgeRole(settings, server, role, part(name)));
  }
  if (!server.adminMayEndSessions)
    add(
      `the admin login ${server.admin} may not end sessions of the roles`,
      `run as a superuser: GRANT pg_signal_backend TO ${ident(server.admin)};`,
    );
  if (server.ownerExists && !server.adminMayComment)
    add(
      `the admin login ${server.admin} may not set the comment on ${owner}, which keeps the fence`,
      `run as a superuser: ALTER ROLE ${ident(server.admin)} CREATEROLE; and, from PostgreSQL 16, GRANT ${ident(owner)} TO ${ident(server.admin)} WITH ADMIN OPTION;`,
    );
  return problems;
}

/** What a role is now; `neither` where the file does not tell. */
type Part = 'in use' | 'spare' | 'neither';

function judgeRole(
  { owner, database }: PostgresSettings,
  server: SurveyedServer,
  role: SurveyedRole,
  part: Part,
): Problem[] {
  const problems: Problem[] = [];
  const add = (message: string, hint: string) => problems.push({ message, hint });
  const name = ident(role.name);
  if (part === 'in use' && !role.canLogin)
    add(`the role in use, ${role.name}, may not log in`, `run: ALTER ROLE ${name} LOGIN;`);
  if (part === 'spare' && role.sessions > 0)
    add(
      `the spare role ${role.name} is in use: ${role.sessions} sessions`,
      'find out who uses it (pg_stat_activity) and move them to the role in use',
    );
  if (role.validUntil !== null)
    add(
      role.expired
        ? `the password of ${role.name} expired at ${role.validUntil}`
        : `the password of ${role.name} will expire at ${role.validUntil}, whatever it is by then`,
      `run: ALTER ROLE ${name} VALID UNTIL 'infinity';`,
    );
  if (owner !== role.name && server.ownerExists && !role.memberOfOwner)
    add(`${role.name} is not a member of ${owner}`, `run: GRANT ${ident(owner)} TO ${name};`);
  if (server.databaseExists && !role.mayConnect)
    add(
      `${role.name} may not connect to ${database}`,
      `run: GRANT CONNECT ON DATABASE ${ident(database)} TO ${ident(owner)};`,
    );
  if (!role.adminMayAlter)
    add(
      `the admin login ${server.admin} may not change ${role.name}`,
      `run as a superuser: ALTER ROLE ${ident(server.admin)} CREATEROLE; and, from PostgreSQL 16, GRANT ${name} TO ${ident(server.admin)} WITH ADMIN OPTION;`,
    );
  return problems;
}
