/**
 * The statements that surround a change of a role: nothing of it is logged, one
 * attempt at a time, and only with a fence that is not lower than the stored one.
 *
 * The verifier stands in the text of ALTER ROLE, and PostgreSQL logs texts in many
 * ways. Each way is switched off for our own transaction, in messages of their own
 * before the one with the verifier: a message is judged by the settings at its start.
 */
import { doBlock, ident, literal, textArray } from './sql.js';
import { ownCodes } from './sqlstate.js';

/** Settings under which no statement is logged or recorded. Those that the server does not know are skipped. */
export const silentSettings = {
  log_statement: 'none',
  log_duration: 'off',
  log_min_duration_statement: '-1',
  log_min_duration_sample: '-1',
  log_min_error_statement: 'panic',
  debug_print_parse: 'off',
  debug_print_raw_parse: 'off',
  debug_print_rewritten: 'off',
  track_activities: 'off',
  'pg_stat_statements.track': 'none',
  'pg_stat_statements.track_utility': 'off',
} as const;

/**
 * Before BEGIN: whether all statements of a transaction are sampled into the log is decided where it begins.
 * The only setting that is changed for the session.
 */
export const silenceSampling = doBlock(`
BEGIN
  IF current_setting('log_transaction_sample_rate', true)::float > 0 THEN
    PERFORM set_config('log_transaction_sample_rate', '0', false);
  END IF;
EXCEPTION WHEN insufficient_privilege THEN NULL;
END`);

/** Inside the transaction. What a managed server refuses is left as it is; {@link loudSettings} tells. */
export const silence = doBlock(`
DECLARE
  wanted text[] := ${textArray(Object.entries(silentSettings).flat())};
  i int;
BEGIN
  FOR i IN 1 .. array_length(wanted, 1) BY 2 LOOP
    BEGIN
      IF current_setting(wanted[i], true) IS NOT NULL THEN
        PERFORM set_config(wanted[i], wanted[i + 1], true);
      END IF;
    EXCEPTION WHEN insufficient_privilege THEN NULL;
    END;
  END LOOP;
END`);

/** One row: a JSON array of the settings under which statements would be logged even so. */
export const loudSettings = `
SELECT coalesce(json_agg(s.name), '[]')
FROM pg_settings s
WHERE (s.name = 'log_statement' AND s.setting IN ('ddl', 'mod', 'all'))
   OR (s.name IN ('log_min_duration_statement', 'log_min_duration_sample') AND s.setting <> '-1')
   OR (s.name = 'log_transaction_sample_rate' AND s.setting::float > 0)
   OR (s.name = 'pg_stat_statements.track_utility' AND s.setting = 'on'
       AND current_setting('pg_stat_statements.track') <> 'none')`;

export const begin = 'BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE';
export const beginReadOnly = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY';
export const commit = 'COMMIT';
export const rollback = 'ROLLBACK';

/** Our own transaction may not hold others up, least of all an emergency, when its client is frozen. */
export const limits = `
SELECT set_config('lock_timeout', '10s', true), set_config('statement_timeout', '20s', true),
       set_config('idle_in_transaction_session_timeout', '15s', true)`;

/** Released by the end of the transaction. Secrets that share an owner share its comment, hence the lock. */
export function lockOwner(owner: string): string {
  return `SELECT pg_advisory_xact_lock(hashtextextended(${literal(`rotate:${owner}`)}, 0))`;
}

/**
 * Goes on only where the comment is what it was when the fence was read; else the reader has to read again.
 * @param comment as read; undefined: there was none
 */
export function requireComment(owner: string, comment: string | undefined): string {
  const expected = comment === undefined ? 'NULL' : literal(comment);
  return doBlock(`
BEGIN
  IF (SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = ${literal(owner)})
     IS DISTINCT FROM ${expected} THEN
    RAISE EXCEPTION 'rotate: the comment on the owner role changed' USING ERRCODE = '${ownCodes.commentChanged}';
  END IF;
END`);
}

export function setComment(owner: string, comment: string): string {
  return `COMMENT ON ROLE ${ident(owner)} IS ${literal(comment)}`;
}

/** Which sessions are to end: of roles that may not log in, or of one that may, those that were opened before a time. */
export type Doomed = { roles: readonly string[] } | { role: string; before: string };

/** A role that a later attempt has made valid again is left alone. */
function doomedSessions(doomed: Doomed): string {
  const condition =
    'roles' in doomed
      ? `r.rolname = ANY (${textArray(doomed.roles)}) AND NOT r.rolcanlogin`
      : `r.rolname = ${literal(doomed.role)} AND s.backend_start < ${literal(doomed.before)}::timestamptz`;
  return `
FROM pg_stat_activity s JOIN pg_roles r ON r.oid = s.usesysid
WHERE ${condition} AND s.pid <> pg_backend_pid()`;
}

/**
 * Ends sessions. One row: a JSON array of the process ids that were told to end.
 *
 * MATERIALIZED is what keeps it to these sessions: as a plain condition, pg_terminate_backend may be evaluated
 * before the others, for every session of the server.
 */
export function endSessions(doomed: Doomed): string {
  return `
WITH doomed AS MATERIALIZED (SELECT s.pid ${doomedSessions(doomed)}),
told AS MATERIALIZED (SELECT pid, pg_terminate_backend(pid) AS sent FROM doomed)
SELECT coalesce(json_agg(pid) FILTER (WHERE sent), '[]') FROM told`;
}

/** One row: how many sessions that are to end are left. */
export function countSessions(doomed: Doomed): string {
  return `SELECT count(*) ${doomedSessions(doomed)}`;
}

/** One row: the server's time, RFC 3339 in UTC. */
export const serverTime = `SELECT json_build_array(to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))`;
