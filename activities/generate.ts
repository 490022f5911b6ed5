/** Generate: a new value, and the issuer's side of every step. */
import type { RotationActivities } from './api.js';
import { targetOf } from '../domain/targets.js';
import { baseOf, kindContext, kindOf, secretOf } from './common.js';
import type { Services } from './ports.js';
import { openCredential, sealCredential } from './sealed.js';

export function issuerActivities(services: Services): Pick<RotationActivities, 'generate' | 'apply'> {
  return {
    async generate({ scope, secret }) {
      const { config } = await baseOf(services, scope);
      const spec = secretOf(config, scope.environment, secret.name);
      const current = await openCredential(services, secret.old);
      const context = kindContext(services, config, spec);
      const fresh = await kindOf(services, spec).generate(context, spec.settings, current);
      return { fresh: await sealCredential(services, fresh) };
    },

    async apply({ scope, secret, purpose, fence }) {
      const { config } = await baseOf(services, scope);
      const spec = secretOf(config, scope.environment, secret.name);
      const credentials = {
        old: await openCredential(services, secret.old),
        new: await openCredential(services, secret.fresh),
      };
      const context = kindContext(services, config, spec);
      const target = targetOf(purpose);
      const applied = await kindOf(services, spec).apply(context, spec.settings, credentials, target, fence);
      return { ...applied, at: new Date().toISOString() };
    },
  };
}
