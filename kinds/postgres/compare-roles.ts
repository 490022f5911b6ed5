/** Says in what two roles differ, with the SQL that makes the spare like the one in use: pure. */
import type { SurveyedDatabase, SurveyedRole } from './survey.js';
import { ident, literal } from './sql.js';

export interface Problem {
  message: string;
  hint: string;
}

/** What `ALTER ROLE` says of each attribute. */
const attributes = [
  ['superuser', 'SUPERUSER'],
  ['inherit', 'INHERIT'],
  ['createRole', 'CREATEROLE'],
  ['createDatabase', 'CREATEDB'],
  ['replication', 'REPLICATION'],
  ['bypassRls', 'BYPASSRLS'],
] as const;

/** Differences in what the whole server knows of the roles. */
export function compareRoles(current: SurveyedRole, spare: SurveyedRole): Problem[] {
  const problems: Problem[] = [];
  const alter = `ALTER ROLE ${ident(spare.name)}`;
  for (const [key, word] of attributes)
    if (current[key] !== spare[key])
      problems.push({
        message: `${current.name} is ${current[key] ? '' : 'NO'}${word}, ${spare.name} is ${spare[key] ? '' : 'NO'}${word}`,
        hint: `run: ${alter} ${current[key] ? '' : 'NO'}${word};`,
      });
  if (current.connectionLimit !== spare.connectionLimit)
    problems.push({
      message: `the connection limits differ: ${current.name} has ${limit(current)}, ${spare.name} ${limit(spare)}`,
      hint: `run: ${alter} CONNECTION LIMIT ${current.connectionLimit};`,
    });
  problems.push(...compareSettings(current, spare));
  problems.push(...compareMemberships(current, spare));
  return problems;
}

function limit(role: SurveyedRole): string {
  return role.connectionLimit === -1 ? 'none' : String(role.connectionLimit);
}

function compareSettings(current: SurveyedRole, spare: SurveyedRole): Problem[] {
  const statement = (entry: { database: string | null; setting: string }, reset: boolean): string => {
    const [name = '', ...value] = entry.setting.split('=');
    const where = entry.database === null ? '' : ` IN DATABASE ${ident(entry.database)}`;
    const what = reset ? `RESET ${name}` : `SET ${name} TO ${settingValue(name, value.join('='))}`;
    return `ALTER ROLE ${ident(spare.name)}${where} ${what};`;
  };
  const { missing, extra } = difference(current.settings, spare.settings, (entry) =>
    JSON.stringify([entry.database, entry.setting]),
  );
  const reset = extra.filter(
    (entry) => !missing.some((other) => other.database === entry.database && nameOf(other) === nameOf(entry)),
  );
  const words = [...missing.map(sentence(current.name)), ...extra.map(sentence(spare.name))];
  if (words.length === 0) return [];
  const sql = [
    ...missing.map((entry) => statement(entry, false)),
    ...reset.map((entry) => statement(entry, true)),
  ];
  return [{ message: `the role settings differ: ${some(words)}`, hint: `run: ${sql.join(' ')}` }];

  function nameOf(entry: { setting: string }): string | undefined {
    return entry.setting.split('=')[0];
  }
  function sentence(role: string) {
    return (entry: { database: string | null; setting: string }): string =>
      `${role} has ${entry.setting}${entry.database === null ? '' : ` in ${entry.database}`}`;
  }
}

/** Settings that are lists of names are stored quoted already. */
const listSettings = new Set([
  'search_path',
  'temp_tablespaces',
  'local_preload_libraries',
  'session_preload_libraries',
]);

function settingValue(name: string, value: string): string {
  return listSettings.has(name) && value !== '' ? value : literal(value);
}

function compareMemberships(current: SurveyedRole, spare: SurveyedRole): Problem[] {
  const problems: Problem[] = [];
  const key = (entry: { role: string; options: string }) => `${entry.role}\0${entry.options}`;
  const grants = difference(current.memberOf, spare.memberOf, key);
  const granted = difference(
    current.members.filter((member) => member.role !== spare.name),
    spare.members.filter((member) => member.role !== current.name),
    key,
  );
  for (const { role, options } of grants.missing)
    problems.push({
      message: `${current.name} is a member of ${role}${withOptions(options)}, ${spare.name} is not`,
      hint: `run: GRANT ${ident(role)} TO ${ident(spare.name)}${grantOptions(options)};`,
    });
  for (const { role, options } of grants.extra)
    problems.push({
      message: `${spare.name} is a member of ${role}${withOptions(options)}, ${current.name} is not`,
      hint: `run: REVOKE ${ident(role)} FROM ${ident(spare.name)}; (and grant it again as ${current.name} has it)`,
    });
  for (const { role, options } of granted.missing)
    problems.push({
      message: `${role} is a member of ${current.name}${withOptions(options)}, but not of ${spare.name}`,
      hint: `run: GRANT ${ident(spare.name)} TO ${ident(role)}${grantOptions(options)};`,
    });
  for (const { role, options } of granted.extra)
    problems.push({
      message: `${role} is a member of ${spare.name}${withOptions(options)}, but not of ${current.name}`,
      hint: `run: REVOKE ${ident(spare.name)} FROM ${ident(role)};`,
    });
  return problems;
}

function withOptions(options: string): string {
  return options === '' ? '' : ` (${options})`;
}

function grantOptions(options: string): string {
  if (options === '') return '';
  // before 16 there is only this one, and only in this form
  if (options === 'ADMIN OPTION') return ' WITH ADMIN OPTION';
  return ` WITH ${options.replace('ADMIN OPTION', 'ADMIN TRUE')}`;
}

/** Differences in the database that consumers use. */
export function compareDatabase(
  database: string,
  owner: string,
  current: string,
  spare: string,
  survey: SurveyedDatabase,
): Problem[] {
  const problems: Problem[] = [];
  for (const role of [current, spare]) {
    const objects = survey.owned.filter((entry) => entry.role === role).map((entry) => entry.object);
    if (objects.length > 0)
      problems.push({
        message: `${role} owns objects in ${database} itself, which the other role may not use: ${some(objects)}`,
        hint:
          `run in ${database}: REASSIGN OWNED BY ${ident(role)} TO ${ident(owner)}; and, so that new ones belong to ` +
          `${owner}: ALTER ROLE ${ident(role)} SET role TO ${ident(owner)};`,
      });
    if (survey.schemas.includes(role))
      problems.push({
        message: `the schema ${role} in ${database} is found by the role ${role} alone ("$user" in search_path)`,
        hint: `rename it (ALTER SCHEMA ${ident(role)} RENAME TO …), or set search_path explicitly for both roles and rename it then`,
      });
  }
  const grantsOf = (role: string) => survey.grants.filter((entry) => entry.role === role);
  const grants = difference(grantsOf(current), grantsOf(spare), (entry) =>
    JSON.stringify([entry.prefix, entry.privilege, entry.grantable]),
  );
  const words = (entries: typeof grants.missing) =>
    some(entries.map((entry) => `${entry.prefix}${entry.privilege}`));
  if (grants.missing.length > 0)
    problems.push({
      message: `in ${database} ${current} has privileges of its own that ${spare} lacks: ${words(grants.missing)}`,
      hint: `run in ${database}: ${few(
        grants.missing.map(
          ({ prefix, privilege, grantable }) =>
            `${prefix}GRANT ${privilege} TO ${ident(spare)}${grantable ? ' WITH GRANT OPTION' : ''};`,
        ),
      )} (better: grant to ${owner})`,
    });
  if (grants.extra.length > 0)
    problems.push({
      message: `in ${database} ${spare} has privileges of its own that ${current} lacks: ${words(grants.extra)}`,
      hint: `run in ${database}: ${few(
        grants.extra.map(({ prefix, privilege }) => `${prefix}REVOKE ${privilege} FROM ${ident(spare)};`),
      )} (better: grant to ${owner})`,
    });
  const policiesOf = (role: string) => survey.policies.filter((entry) => entry.role === role);
  const policies = difference(policiesOf(current), policiesOf(spare), (entry) => entry.policy);
  const unequal = [...policies.missing, ...policies.extra].map((entry) => `${entry.policy} (${entry.role})`);
  if (unequal.length > 0)
    problems.push({
      message: `in ${database} row security policies name only one of the two roles: ${some(unequal)}`,
      hint: `run in ${database}, for each: ALTER POLICY … TO ${ident(owner)};`,
    });
  return problems;
}

/** What only `first` has, and what only `second` has. */
function difference<T>(
  first: readonly T[],
  second: readonly T[],
  key: (entry: T) => string,
): { missing: T[]; extra: T[] } {
  const one = new Set(first.map(key));
  const two = new Set(second.map(key));
  return {
    missing: first.filter((entry) => !two.has(key(entry))),
    extra: second.filter((entry) => !one.has(key(entry))),
  };
}

function some(words: readonly string[]): string {
  const shown = words.slice(0, 5).join(', ');
  return words.length > 5 ? `${shown} and ${words.length - 5} more` : shown;
}

function few(statements: readonly string[]): string {
  const shown = statements.slice(0, 20).join(' ');
  return statements.length > 20 ? `${shown} … (${statements.length - 20} more)` : shown;
}
