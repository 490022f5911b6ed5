/** Reads what the server has stored for a role, so that an undo can put exactly that back. */
import { z } from 'zod';
import { SecretValue } from '../../domain/secret-value.js';
import type { AdminSession } from './admin-session.js';
import { readJson } from './role-state.js';
import { doBlock, literal } from './sql.js';
import { beginReadOnly, rollback, silence, silenceSampling } from './statements.js';

/**
 * The verifier of `role`; undefined where it has none or the admin login may not read pg_authid (managed servers).
 * It comes as the result of a statement, which no server logs.
 */
export async function readVerifier(session: AdminSession, role: string): Promise<SecretValue | undefined> {
  const results = await session.run([
    silenceSampling,
    beginReadOnly,
    silence,
    doBlock(`
BEGIN
  PERFORM set_config('rotate.verifier', (SELECT coalesce(rolpassword, '') FROM pg_authid
    WHERE rolname = ${literal(role)}), true);
EXCEPTION WHEN insufficient_privilege THEN
  PERFORM set_config('rotate.verifier', '', true);
END`),
    `SELECT to_json(current_setting('rotate.verifier'))`,
    rollback,
  ]);
  const text = readJson(results[4], z.string(), session);
  return text === '' ? undefined : SecretValue.fromText(text);
}
