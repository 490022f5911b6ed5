/** Canaries that can never be one: allowed, because a policy may serve several environments, but worth a word. */
import type { ConfigSpec, PolicySpec } from '../domain/spec.js';
import { type Problem, sortProblems } from './problem.js';
import type { YamlSource } from './yaml-source.js';

/** A canary applies only where it holds the secret, and only hosts of the secret's environment can. */
export function canaryWarnings(config: ConfigSpec, source: YamlSource): Problem[] {
  const environmentOf = new Map(config.hosts.map((host) => [host.name, host.environment]));
  const used = new Map<PolicySpec, Set<string>>();
  for (const { policy, environment } of config.secrets) {
    used.set(policy, (used.get(policy) ?? new Set()).add(environment));
  }
  const warnings: Problem[] = [];
  for (const [policy, environments] of used) {
    const path = ['policies', policy.name, 'canary'];
    for (const environment of environments) {
      if (policy.canary.length === 0 || policy.canary.some((name) => environmentOf.get(name) === environment))
        continue;
      warnings.push({
        ...source.keyAt(path),
        path,
        message: `no canary is of environment \`${environment}\`: its rotations begin without one`,
        hint: `add a host of \`${environment}\`, or give its secrets another policy`,
      });
    }
  }
  return sortProblems(warnings);
}
