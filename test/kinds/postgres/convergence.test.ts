import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Target } from '../../../domain/credential.js';
import { type RoleCredential, converge } from '../../../kinds/postgres/convergence.js';
import type { RoleState, ServerState } from '../../../kinds/postgres/role-state.js';

const credential = (role: string): RoleCredential => ({
  role,
  matches: (stored) => typeof stored === 'object' && stored.fingerprint === role,
  verifier: () => `SCRAM-of-${role}`,
});
const credentials = { old: credential('a'), new: credential('b') };
const right = (role: string): RoleState => ({ canLogin: true, password: { fingerprint: role } });

function decide(old: RoleState | undefined, fresh: RoleState | undefined, target: Target): string[] {
  const roles = new Map<string, RoleState>();
  if (old !== undefined) roles.set('a', old);
  if (fresh !== undefined) roles.set('b', fresh);
  return converge('the server', { comment: undefined, roles }, credentials, target).alterations;
}

describe('what has to change', () => {
  const off: RoleState = { canLogin: false, password: 'none' };

  it('is nothing where all is there', () => {
    expect(decide(right('a'), right('b'), { old: 'valid', new: 'valid' })).toEqual([]);
    expect(decide(right('a'), off, { old: 'valid', new: 'absent' })).toEqual([]);
    expect(decide(off, right('b'), { old: 'destroyed', new: 'valid' })).toEqual([]);
  });

  it('leaves the old password untouched where it is the right one', () => {
    const disabled: RoleState = { canLogin: false, password: { fingerprint: 'a' } };
    expect(decide(disabled, off, { old: 'valid', new: 'absent' })).toEqual(['ALTER ROLE "a" WITH LOGIN']);
  });

  it('sets the old password again where it was destroyed, replaced, or cannot be seen', () => {
    for (const password of ['none', 'hidden', { fingerprint: 'somebody else’s' }] as const)
      expect(decide({ canLogin: true, password }, off, { old: 'valid', new: 'absent' })).toEqual([
        `ALTER ROLE "a" WITH LOGIN PASSWORD 'SCRAM-of-a'`,
      ]);
  });

  it('forgets a password only when the value is withdrawn for good', () => {
    expect(decide(right('a'), right('b'), { old: 'disabled', new: 'valid' })).toEqual([
      'ALTER ROLE "a" WITH NOLOGIN',
    ]);
    expect(decide(right('a'), right('b'), { old: 'destroyed', new: 'absent' })).toEqual([
      'ALTER ROLE "a" WITH NOLOGIN PASSWORD NULL',
      'ALTER ROLE "b" WITH NOLOGIN PASSWORD NULL',
    ]);
  });

  it('needs a role that is to be valid, and not one that is to be gone', () => {
    expect(decide(right('a'), undefined, { old: 'valid', new: 'absent' })).toEqual([]);
    expect(() => decide(right('a'), undefined, { old: 'valid', new: 'valid' })).toThrow(
      expect.objectContaining({ type: 'IssuerMisconfigured' }),
    );
  });

  it('brings any state to any target in one go', () => {
    const role = (name: string) =>
      fc.record({
        canLogin: fc.boolean(),
        password: fc.constantFrom('none' as const, { fingerprint: name }, { fingerprint: 'other' }),
      });
    const target = fc.record({
      old: fc.constantFrom('valid' as const, 'disabled' as const, 'destroyed' as const),
      new: fc.constantFrom('valid' as const, 'absent' as const),
    });
    fc.assert(
      fc.property(role('a'), role('b'), target, (a, b, to) => {
        const roles = new Map<string, RoleState>([
          ['a', a],
          ['b', b],
        ]);
        const state: ServerState = { comment: undefined, roles };
        for (const statement of converge('s', state, credentials, to).alterations) run(roles, statement);
        const old = roles.get('a');
        const fresh = roles.get('b');
        expect(old?.canLogin).toBe(to.old === 'valid');
        expect(fresh?.canLogin).toBe(to.new === 'valid');
        if (to.old === 'valid') expect(old?.password).toEqual({ fingerprint: 'a' });
        if (to.old === 'disabled') expect(old?.password).toEqual(a.password);
        if (to.old === 'destroyed') expect(old?.password).toBe('none');
        expect(fresh?.password).toEqual(to.new === 'valid' ? { fingerprint: 'b' } : 'none');
        expect(converge('s', state, credentials, to).alterations).toEqual([]);
      }),
    );
  });
});

/** What a server makes of the statement. */
function run(roles: Map<string, RoleState>, statement: string): void {
  const match = /^ALTER ROLE "(\w)" WITH (NO)?LOGIN(?: PASSWORD (?:(NULL)|'SCRAM-of-(\w)'))?$/.exec(
    statement,
  );
  const [, name = '', no, forget, set] = match ?? [];
  const before = roles.get(name);
  if (match === null || before === undefined) throw new Error(`unknown statement: ${statement}`);
  const password =
    forget === undefined ? (set === undefined ? before.password : { fingerprint: set }) : 'none';
  roles.set(name, { canLogin: no === undefined, password });
}
