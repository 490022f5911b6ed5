/** Decides which statements bring two roles, or the one role of a swap, to a target: pure. */
import { RotateError } from '../../domain/failure.js';
import type { Target } from '../../domain/credential.js';
import type { RoleState, ServerState } from './role-state.js';
import { ident, literal } from './sql.js';

/** What to store for a credential. Asked for only where it has to be compared or set. */
export interface RoleCredential {
  role: string;
  /** Whether `stored` is a verifier of the value. */
  matches(stored: RoleState['password']): boolean;
  /** A verifier of the value; the text is put into a statement. */
  verifier(): string;
}

export interface Convergence {
  /** ALTER ROLE statements; empty: all is there already. */
  alterations: string[];
  /** Roles whose sessions have to end. */
  ended: string[];
}

/**
 * One role, whose password is the one or the other: there is nothing between.
 * @throws RotateError IssuerMisconfigured when the role does not exist
 */
export function convergeSwap(
  server: string,
  state: ServerState,
  credentials: { old: RoleCredential; new: RoleCredential },
  target: Target,
): string[] {
  const wanted = target.new === 'valid' ? credentials.new : credentials.old;
  const alteration = validate(server, wanted, state.roles.get(wanted.role));
  return alteration === undefined ? [] : [alteration];
}

/** @throws RotateError IssuerMisconfigured when a role that has to be valid does not exist */
export function converge(
  server: string,
  state: ServerState,
  credentials: { old: RoleCredential; new: RoleCredential },
  target: Target,
): Convergence {
  const old = state.roles.get(credentials.old.role);
  const fresh = state.roles.get(credentials.new.role);
  const alterations = [
    target.old === 'valid'
      ? validate(server, credentials.old, old)
      : withdraw(credentials.old.role, old, target.old === 'destroyed'),
    target.new === 'valid'
      ? validate(server, credentials.new, fresh)
      : withdraw(credentials.new.role, fresh, true),
  ].filter((statement) => statement !== undefined);
  const ended = [
    ...(target.old === 'valid' ? [] : [credentials.old.role]),
    ...(target.new === 'valid' ? [] : [credentials.new.role]),
  ];
  return { alterations, ended };
}

/** The stored password is left untouched where it is that of the value. */
function validate(
  server: string,
  credential: RoleCredential,
  state: RoleState | undefined,
): string | undefined {
  const { role } = credential;
  if (state === undefined)
    throw new RotateError('IssuerMisconfigured', `${server}: the role ${role} does not exist`, {
      hint: 'create it as docs/kinds/postgres.md shows',
    });
  const known = credential.matches(state.password);
  if (known && state.canLogin) return undefined;
  const password = known ? '' : ` PASSWORD ${literal(credential.verifier())}`;
  return `ALTER ROLE ${ident(role)} WITH LOGIN${password}`;
}

/** A role that does not exist can do nothing: success. */
function withdraw(role: string, state: RoleState | undefined, forGood: boolean): string | undefined {
  if (state === undefined) return undefined;
  const forgotten = !forGood || state.password === 'none';
  if (!state.canLogin && forgotten) return undefined;
  return `ALTER ROLE ${ident(role)} WITH NOLOGIN${forgotten ? '' : ' PASSWORD NULL'}`;
}
