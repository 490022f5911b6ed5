/** Who is logged in as a role. */
import { z } from 'zod';
import type { CredentialUser } from '../../domain/credential.js';
import type { AdminSession } from './admin-session.js';
import { probeName } from './probe.js';
import { readJson } from './role-state.js';
import { literal } from './sql.js';

const sessionsSchema = z.array(
  z.object({
    pid: z.number(),
    address: z.string().nullable(),
    application: z.string().nullable(),
    since: z.string().nullable(),
    state: z.string().nullable(),
  }),
);

/** Our own probes last at most 10 s; older sessions that only use their name are listed. */
const sessionsOf = (role: string, since: string | undefined): string => `
SELECT coalesce(json_agg(json_build_object(
  'pid', s.pid, 'address', host(s.client_addr), 'application', s.application_name, 'state', s.state,
  'since', to_char(s.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')) ORDER BY s.pid), '[]')
FROM pg_stat_activity s JOIN pg_roles r ON r.oid = s.usesysid
WHERE r.rolname = ${literal(role)} AND s.pid <> pg_backend_pid()
  AND s.backend_type IN ('client backend', 'walsender')
  AND NOT (s.application_name = ${literal(probeName)} AND s.backend_start > now() - interval '30 seconds')
  ${since === undefined ? '' : `AND s.backend_start < ${literal(since)}::timestamptz`}`;

/**
 * Sessions that were opened as `role`, whatever SET ROLE made of them since.
 * @param before only those that were opened earlier, by the server's clock
 */
export async function readUsers(
  session: AdminSession,
  role: string,
  before?: string,
): Promise<CredentialUser[]> {
  const results = await session.run([sessionsOf(role, before)]);
  return readJson(results[0], sessionsSchema, session).map(({ pid, address, application, since, state }) => ({
    description: [
      `${role} from ${address ?? 'the server itself'}`,
      `(pid ${pid}${application ? `, ${printable(application)}` : ''}${state === null ? '' : `, ${state}`})`,
    ].join(' '),
    ...(address === null ? {} : { address }),
    ...(since === null ? {} : { since }),
  }));
}

/** The application names itself; it shall not draw on a terminal. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}
