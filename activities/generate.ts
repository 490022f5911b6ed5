/** Generate: a new value, and the issuer's side of every step. */
import { targetOf } from '../domain/targets.js';
import type { RotationActivities } from './api.js';
import { baseOf, kindContext, kindOf, secretOf } from './common.js';
import type { Services } from './ports.js';
import { openCredential, sealCredential } from './sealed.js';

export function issuerActivities(services: Services): Pick<RotationActivities, 'generate' | 'apply'> {
  return {
    async generate({ scope, secret, brought, existing }) {
      const { config } = await baseOf(services, scope);
      const spec = secretOf(config, scope.environment, secret.name);
      const current = await openCredential(services, secret.old);
      const context = kindContext(services, config, spec, scope.id);
      const fresh = await kindOf(services, spec).generate(context, spec.settings, current, {
        ...(brought === undefined ? {} : { brought: await openCredential(services, brought) }),
        ...(existing === undefined ? {} : { existing }),
      });
      return { fresh: await sealCredential(services, fresh) };
    },

    async apply({ scope, secret, purpose, fence, existing, since, confirmedBy, confirmedActs }) {
      const { config } = await baseOf(services, scope);
      const spec = secretOf(config, scope.environment, secret.name);
      const kind = kindOf(services, spec);
      const target = targetOf(purpose, kind.overlap(spec.settings));
      const { at: issuerAt, ...applied } = await kind.apply(
        kindContext(services, config, spec, scope.id),
        spec.settings,
        {
          old: await openCredential(services, secret.old),
          ...(secret.fresh === undefined ? {} : { new: await openCredential(services, secret.fresh) }),
          ...(existing === undefined ? {} : { existing }),
          ...(since === undefined ? {} : { since }),
          ...(confirmedBy === undefined ? {} : { confirmedBy }),
          ...(confirmedActs === undefined ? {} : { confirmedActs }),
          purpose,
        },
        target,
        fence,
      );
      return {
        ...applied,
        at: new Date().toISOString(),
        ...(issuerAt === undefined ? {} : { issuerAt }),
      };
    },
  };
}
