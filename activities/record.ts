/** What is left at the end: the record, and what the rotation had put aside. */
import type { Reason } from '../domain/failure.js';
import { asRotateError } from '../domain/failure.js';
import type { RotationActivities } from './api.js';
import { baseOf, hostOf, inParallel, pulse } from './common.js';
import { effectOf } from './encrypt.js';
import type { Services } from './ports.js';

const unpinnedAtOnce = 10;

export function recordActivities(
  services: Services,
): Pick<RotationActivities, 'tidy' | 'record' | 'lookUpHolder'> {
  return {
    async tidy({ scope, hosts, done, fence }) {
      const { config } = await baseOf(services, scope);
      const left: Reason[] = [];
      await inParallel(unpinnedAtOnce, hosts, async (name) => {
        try {
          await services.fleet.unpin(hostOf(config, name), scope.id, pulse().signal);
        } catch (error) {
          // A root that stays costs disk space and nothing else; the end tells of it.
          left.push(
            asRotateError(error)?.toReason() ?? { type: 'Internal', message: `${name}: ${String(error)}` },
          );
        }
      });
      if (done) {
        try {
          await services.repo.deleteBranch(effectOf(scope, fence));
        } catch (error) {
          left.push(asRotateError(error)?.toReason() ?? { type: 'Internal', message: String(error) });
        }
      }
      return { left };
    },

    async record({ status, by, why, commit, planDigest, details }) {
      await services.repo.writeRecord(
        { version: 1, ...status, by, ...(why === undefined ? {} : { why }), commit, planDigest, details },
        pulse().signal,
      );
    },

    async lookUpHolder({ claim, release }) {
      const found = await services.claims.lookUp(claim);
      // Gone between the conflict and the question: as good as released.
      if (found === undefined) return { holder: '', running: false, released: true };
      if (found.running || !release) return { ...found, released: false };
      await services.claims.release(claim, found.holder);
      return { ...found, released: true };
    },
  };
}
