/** Deploy and restart: the host's side of a rotation, forward and back. */
import { asRotateError } from '../domain/failure.js';
import type { RotationActivities } from './api.js';
import { baseOf, beating, hostOf, kindOf, pulse, secretOf, unitsOn } from './common.js';
import { restoreMoved } from './moved.js';
import type { Services } from './ports.js';
import { formatSecretRef } from '../domain/spec.js';

export function deployActivities(
  services: Services,
): Pick<RotationActivities, 'build' | 'copy' | 'converge' | 'restart'> {
  return {
    build: ({ scope, commit }) =>
      beating(async (p) => {
        const { config } = await baseOf(services, scope);
        const snapshot = await services.repo.at(commit, p.signal);
        return { toplevel: await services.fleet.build(hostOf(config, scope.host), snapshot, p) };
      }),

    copy: ({ scope, commit, toplevel }) =>
      beating(async (p) => {
        const { config } = await baseOf(services, scope);
        const host = hostOf(config, scope.host);
        // This worker may not be the one that built it, and assumes nothing on its disk.
        await services.fleet.build(host, await services.repo.at(commit, p.signal), p);
        await services.fleet.copy(host, toplevel, p);
      }),

    converge: ({ scope, direction, from, to, fence, secrets = [] }) =>
      beating(async (p) => {
        const { config } = await baseOf(services, scope);
        const host = hostOf(config, scope.host);
        const first = secretOf(config, scope.environment, scope.secrets[0] ?? '');
        // Going back, and where the issuer has changed already, consumers may well be failing until they are restarted.
        const failing = direction === 'restore' || kindOf(services, first).overlap(first.settings) === 'swap';
        const job = services.fleet.converge(
          host,
          {
            // The command's own number: every attempt of it attaches to one job.
            id: `${scope.id}-${fence.seq}`,
            rotation: scope.id,
            from,
            to,
            secrets: scope.secrets.map((name) => formatSecretRef({ environment: scope.environment, name })),
            fence,
            // Going back leads to a system that worked: nothing would be won by going forward again.
            deadManMs: direction === 'advance' ? first.policy.deadManMs : 0,
            onFailure: direction === 'advance' ? 'undo' : 'keep',
            tolerate: failing ? unitsOn(config, scope, scope.host).map((u) => u.unit) : [],
          },
          p,
        );
        if (direction === 'advance') return job;
        try {
          return await job;
        } catch (error) {
          if (asRotateError(error)?.type !== 'HostMoved') throw error;
          return restoreMoved(services, scope, secrets, fence, p);
        }
      }),

    restart: ({ scope, files }) =>
      beating(async (p) => {
        const { config } = await baseOf(services, scope);
        const host = hostOf(config, scope.host);
        const { policy } = secretOf(config, scope.environment, scope.secrets[0] ?? '');
        let sinceUs = 0;
        for (const file of files) {
          const installed = await services.fleet.inspectFile(host, file.path, pulse().signal);
          sinceUs = Math.max(sinceUs, installed.installedAtUs);
        }
        const units = unitsOn(config, scope, scope.host);
        const { restarted, runningForMs } = await services.fleet.restart(
          host,
          units,
          { sinceUs, stableMs: policy.stableMs },
          p,
        );
        return { restarted, startedAt: new Date(Date.now() - runningForMs).toISOString() };
      }),
  };
}
