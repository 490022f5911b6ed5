/** Kind `postgres`: two login roles that take turns, members of one owner role. See docs/kinds/postgres.md. */
import type { Credential } from '../../domain/credential.js';
import { RotateError } from '../../domain/failure.js';
import { formatSecretRef } from '../../domain/spec.js';
import type { Kind, KindContext } from '../kind.js';
import { applyTarget } from './apply.js';
import { inspectServer } from './inspect.js';
import { openAdminSession } from './open-admin-session.js';
import { newPassword } from './password.js';
import { probe } from './probe.js';
import { accountOf } from './role-credential.js';
import type { PostgresSettings } from './schema.js';
import { scramVerifier } from './scram.js';
import { readUsers } from './users.js';

export const postgres: Kind<PostgresSettings> = {
  id: 'postgres',
  kill: 'issuer',
  // NOLOGIN is looked at only after the password: a wrong one gets 28P01. PgBouncer has one code for everything
  disabledCodes: ['28000', '08P01'],
  overlap: (settings) => (settings.roles.length === 2 ? 'dual' : 'swap'),
  needsAccount: (settings) => settings.roles.length === 2,
  endpoints: (settings) => settings.endpoints,

  describe(settings, account) {
    const old = account ?? 'the role in use';
    const fresh = settings.roles.find((role) => role !== account);
    const spare = account === undefined || fresh === undefined ? 'the other role' : fresh;
    return {
      generate: `give ${spare} a new password and LOGIN; ${old} stays as it is`,
      disable: `set ${old} NOLOGIN and end its sessions`,
      destroy: `forget the password of ${old} (PASSWORD NULL)`,
    };
  },

  async inspect(context, settings, current) {
    const session = openAdminSession(context, settings);
    return inspectServer(session, context.secret, settings, current.account);
  },

  async generate(context, settings, current) {
    const account = spareRole(context, settings, current);
    const value = newPassword();
    return { account, value, verifier: await scramVerifier(value) };
  },

  async apply(context, settings, credentials, target, fence) {
    spareRole(context, settings, credentials.old);
    const session = openAdminSession(context, settings);
    return applyTarget(session, context.secret, settings, credentials, target, fence, context.signal);
  },

  async check(context, settings, credential, from) {
    return probe(context, settings, accountOf(settings, credential), credential.value, from);
  },

  async checkWrong(context, settings, credential, from) {
    return probe(context, settings, accountOf(settings, credential), newPassword(), from);
  },

  async users(context, settings, credential) {
    return readUsers(openAdminSession(context, settings), accountOf(settings, credential));
  },
};

/** The role that is not in use. @throws RotateError IssuerMisconfigured, BadConfig */
function spareRole(context: KindContext, settings: PostgresSettings, current: Credential): string {
  const account = accountOf(settings, current);
  const spare = settings.roles.find((role) => role !== account);
  if (spare !== undefined) return spare;
  throw new RotateError(
    'BadConfig',
    `${formatSecretRef(context.secret)} has one role (swap), which is not supported yet`,
    { hint: 'create a second role and list both in postgres.roles: see docs/kinds/postgres.md' },
  );
}
