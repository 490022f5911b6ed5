/**
 * Kind `postgres`: two login roles that take turns, members of one owner role (dual); or one role, whose password is
 * swapped. See docs/kinds/postgres.md.
 */
import type { Credential } from '../../domain/credential.js';
import { RotateError } from '../../domain/failure.js';
import type { Kind } from '../kind.js';
import { applyTarget } from './apply.js';
import { inspectServer } from './inspect.js';
import { openAdminSession } from './open-admin-session.js';
import { newPassword } from './password.js';
import { probe } from './probe.js';
import { accountOf } from './role-credential.js';
import type { PostgresSettings } from './schema.js';
import { scramVerifier } from './scram.js';
import { readUsers } from './users.js';
import { readVerifier } from './verifier.js';

export const postgres: Kind<PostgresSettings> = {
  id: 'postgres',
  kill: 'issuer',
  source: 'worker',
  // NOLOGIN is looked at only after the password: a wrong one gets 28P01. PgBouncer has one code for everything
  disabledCodes: (settings) => (isSwap(settings) ? ['28P01', '08P01'] : ['28000', '08P01']),
  overlap: (settings) => (isSwap(settings) ? 'swap' : 'dual'),
  canDisable: () => true,
  retirement: () => ({ by: 'issuer' }),
  issuerHosts: ({ admin }) => ('host' in admin ? [admin.host] : []),
  needsAccount: (settings) => !isSwap(settings),
  endpoints: (settings) => settings.endpoints,

  describe(settings, account) {
    const old = account ?? 'the role in use';
    if (isSwap(settings)) {
      const role = settings.roles[0] ?? '';
      return {
        generate: `set the password of ${role} to a new one, just before the hosts are switched`,
        disable: `end the sessions of ${role} that were opened with the old password`,
        destroy: `nothing more: ${role} has one password, and it is the new one`,
      };
    }
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
    if (!isSwap(settings)) return inspectServer(session, context.secret, settings, current.account);
    const role = accountOf(settings, current);
    const state = await inspectServer(session, context.secret, settings, role);
    if (state.problems.length > 0) return state;
    const verifier = await readVerifier(session, role);
    return verifier === undefined ? state : { ...state, verifier };
  },

  async generate(context, settings, current) {
    const account = successor(settings, current);
    const value = newPassword();
    return { ...(account === undefined ? {} : { account }), value, verifier: await scramVerifier(value) };
  },

  async apply(context, settings, credentials, target, fence) {
    const fresh = credentials.new;
    if (fresh === undefined) throw new RotateError('Internal', 'there is no new value to apply');
    const session = openAdminSession(context, settings);
    const both = { ...credentials, new: fresh };
    return applyTarget(session, context.secret, settings, both, target, fence, context.signal);
  },

  async check(context, settings, credential, from) {
    return probe(context, settings, accountOf(settings, credential), credential.value, from);
  },

  async checkWrong(context, settings, credential, from) {
    return probe(context, settings, accountOf(settings, credential), newPassword(), from);
  },

  async users(context, settings, credential, since) {
    return readUsers(openAdminSession(context, settings), accountOf(settings, credential), since);
  },
};

function isSwap(settings: PostgresSettings): boolean {
  return settings.roles.length === 1;
}

/**
 * The role that the new value belongs to; undefined where there is only one and the file does not name it.
 * @throws RotateError IssuerMisconfigured
 */
function successor(settings: PostgresSettings, current: Credential): string | undefined {
  const account = accountOf(settings, current);
  return isSwap(settings) ? current.account : settings.roles.find((role) => role !== account);
}
