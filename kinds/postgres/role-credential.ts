/** A credential made ready for {@link converge}: its verifiers computed, none of them compared in the open. */
import { createHash } from 'node:crypto';
import type { Credential } from '../../domain/credential.js';
import { RotateError } from '../../domain/failure.js';
import type { RoleCredential } from './convergence.js';
import type { RoleState } from './role-state.js';
import type { PostgresSettings } from './schema.js';
import { fingerprint, scramVerifier } from './scram.js';

/** What a careless or hostile server may ask of us. */
const maxIterations = 1_000_000;

/**
 * @param stored what the server has for the role now
 * @throws RotateError IssuerMisconfigured when the credential's account is not one of the roles
 */
export async function roleCredential(
  settings: PostgresSettings,
  credential: Credential,
  stored: RoleState['password'] | undefined,
): Promise<RoleCredential> {
  const role = accountOf(settings, credential);
  const verifier = credential.verifier ?? (await scramVerifier(credential.value));
  const matching = new Set([fingerprint(verifier)]);
  if (typeof stored === 'object') {
    const { iterations, salt } = stored;
    if (iterations === undefined || salt === undefined) matching.add(md5Fingerprint(credential, role));
    else if (iterations <= maxIterations) {
      const bytes = Buffer.from(salt, 'base64');
      matching.add(fingerprint(await scramVerifier(credential.value, bytes, iterations)));
    }
  }
  return {
    role,
    matches: (password) => typeof password === 'object' && matching.has(password.fingerprint),
    verifier: () => verifier.text(),
  };
}

/** The role that a credential belongs to, checked against the settings. */
export function accountOf(settings: PostgresSettings, credential: Credential): string {
  const { account } = credential;
  const [only, another] = settings.roles;
  // With one role the file need not say whose password it holds.
  if (account === undefined && only !== undefined && another === undefined) return only;
  if (account !== undefined && settings.roles.includes(account)) return account;
  const what = account === undefined ? 'names no role' : `names the role ${account}`;
  throw new RotateError(
    'IssuerMisconfigured',
    `the value in use ${what}, which is not one of postgres.roles (${settings.roles.join(', ')})`,
    { hint: 'list the role in use in postgres.roles; with two that take turns the file has to name it' },
  );
}

/** Of PostgreSQL's older form, `md5` followed by md5(password, role). */
function md5Fingerprint(credential: Credential, role: string): string {
  const inner = createHash('md5').update(credential.value.bytes()).update(role).digest('hex');
  return createHash('sha256').update(`md5${inner}`).digest('hex');
}
