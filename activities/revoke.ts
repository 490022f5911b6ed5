/** Revoke: nobody uses the old value any more, and it is dead. */
import type { Credential, CredentialUser } from '../domain/credential.js';
import { RotateError } from '../domain/failure.js';
import { formatSecretRef, type ConfigSpec } from '../domain/spec.js';
import type { ProofLine } from '../domain/status.js';
import type { RotationActivities } from './api.js';
import { checkFromHost, type Expectation } from './check.js';
import { baseOf, inParallel, kindContext, kindOf, proofLine, secretOf } from './common.js';
import type { Services } from './ports.js';
import { openCredential } from './sealed.js';

export function revokeActivities(services: Services): Pick<RotationActivities, 'checkUsers' | 'prove'> {
  return {
    async checkUsers({ scope, secret, since }) {
      const { config } = await baseOf(services, scope);
      const spec = secretOf(config, scope.environment, secret.name);
      const old = await openCredential(services, secret.old);
      const users = await kindOf(services, spec).users(
        kindContext(services, config, spec, scope.id),
        spec.settings,
        old,
        since,
      );
      if (users === undefined) return { proof: [] };
      if (users.length > 0) {
        throw new RotateError(
          'StillInUse',
          `${formatSecretRef(spec)}: the old value is still used by ${tellUsers(config, users)}`,
          { hint: `end those sessions or restart what holds them, then \`rotate retry ${scope.id}\`` },
        );
      }
      return {
        proof: [
          proofLine({
            claim: 'nobody uses the old value before it is revoked',
            result: 'passed',
            evidence: 'sessions: 0',
          }),
        ],
      };
    },

    async prove({ scope, secret, purpose, hosts, since }) {
      const { config } = await baseOf(services, scope);
      const spec = secretOf(config, scope.environment, secret.name);
      const kind = kindOf(services, spec);
      const old = await openCredential(services, secret.old);
      const fresh = await openCredential(services, secret.fresh);
      const expectation = expectations[purpose];
      if (expectation === undefined) throw new RotateError('Internal', `there is no proof for ${purpose}`);
      const ask = (
        host: string | undefined,
        credential: Credential,
        what: Expectation,
      ): Promise<ProofLine[]> => checkFromHost(services, config, spec, credential, host, what);
      const codes =
        purpose === 'disabled' && kind.disabledCodes !== undefined
          ? { codes: kind.disabledCodes(spec.settings) }
          : {};
      // Of an issuer that knows one value at a time, before it is told of the new one.
      const alone = purpose === 'before' && kind.overlap(spec.settings) === 'swap';
      const logins = inParallel(
        spec.policy.parallel,
        // Where every consumer was given up, the worker is the only one left to ask.
        hosts.length > 0 ? hosts : [undefined],
        // At the same endpoint at the same time, so that a refusal is not a missing pg_hba line or the like.
        (host) =>
          Promise.all([
            ...(alone
              ? []
              : [
                  ask(host, fresh, {
                    expect: 'accepted',
                    claim: 'the new value logs in',
                    otherwise: 'NewValueRejected',
                  }),
                ]),
            ask(host, old, { ...expectation, ...codes }),
          ]),
      );
      const context = kindContext(services, config, spec, scope.id);
      const [lines, users] = await Promise.all([
        logins,
        purpose === 'before' ? undefined : kind.users(context, spec.settings, old, since),
      ]);
      const proof = lines.flat(2);
      if (users !== undefined) {
        if (users.length > 0) {
          throw new RotateError(
            'NotDead',
            `${formatSecretRef(spec)}: sessions of the old value still live: ${tellUsers(config, users)}`,
            { hint: 'end those sessions or restart what holds them' },
          );
        }
        proof.push(
          proofLine({
            claim: 'no session of the old value lives',
            result: 'passed',
            evidence: 'sessions: 0',
          }),
        );
      }
      return { proof };
    },
  };
}

/** With the fleet's own names for addresses, where it has them. */
function tellUsers(config: ConfigSpec, users: readonly CredentialUser[]): string {
  return users
    .map(({ description, address }) => {
      const host = config.hosts.find((h) => h.address === address);
      return host === undefined ? description : `${description}, that is ${host.name}`;
    })
    .join('; ');
}

const stillAlive = 'see at the issuer who accepts the old value, and end that';

const expectations: Partial<Record<string, Expectation>> = {
  before: {
    expect: 'accepted',
    claim: 'the old value is accepted just before it is disabled',
    otherwise: 'OldValueRejected',
    hint: 'someone else changed it meanwhile; nothing could be proven',
  },
  disabled: {
    expect: 'refused',
    claim: 'the old value is refused once disabled',
    otherwise: 'NotDead',
    hint: stillAlive,
  },
  destroyed: {
    expect: 'refused',
    claim: 'the old value is refused once destroyed',
    otherwise: 'NotDead',
    hint: stillAlive,
  },
  later: {
    expect: 'refused',
    claim: 'the old value is still refused later',
    otherwise: 'NotDead',
    hint: stillAlive,
  },
};
