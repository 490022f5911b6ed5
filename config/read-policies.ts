/** Reads `policies` of `rotate.yaml`; the built-in policy `careful` is there without being declared. */
import type { PolicySpec } from '../domain/spec.js';
import { type Reader, createReader } from './fields.js';
import { expandHosts } from './host-refs.js';
import { type Fleet, checkName } from './read-fleet.js';
import { budgetShape, defaultPolicyName, policyShape } from './rotate-shapes.js';
import { parseYaml } from './yaml-source.js';

/** Policies that could be read, by name. */
export function readPolicies(reader: Reader, fleet: Fleet): Map<string, PolicySpec> {
  const policies = new Map([[defaultPolicyName, builtInPolicy()]]);
  for (const name of reader.keys(['policies'])) {
    checkName(reader, ['policies', name]);
    const policy = readPolicy(reader, fleet, name);
    if (policy !== undefined) policies.set(name, policy);
  }
  return policies;
}

/** What holds where nothing is declared: the defaults of every key. */
function builtInPolicy(): PolicySpec {
  const reader = createReader(parseYaml('{}', 'the built-in policy').source);
  const policy = readPolicy(reader, { environments: [], hosts: new Map() }, defaultPolicyName);
  if (policy === undefined) throw new TypeError('the defaults of a policy do not fit their own schema');
  return policy;
}

function readPolicy(reader: Reader, fleet: Fleet, name: string): PolicySpec | undefined {
  const path = ['policies', name];
  const { canary, waves, parallel, maxFailures, stable, soak, proveAgain, deadMan } = reader.fields(
    policyShape,
    path,
    ['budgets'],
  );
  const { apply, repo, converge, undo, drain } = reader.fields(budgetShape, [...path, 'budgets']);
  if (waves !== undefined) checkWaves(reader, [...path, 'waves'], waves);
  const canaryHosts =
    canary === undefined ? undefined : expandHosts(reader, fleet, [...path, 'canary'], canary, undefined);
  if (
    canaryHosts === undefined ||
    waves === undefined ||
    parallel === undefined ||
    maxFailures === undefined ||
    stable === undefined ||
    soak === undefined ||
    proveAgain === undefined ||
    deadMan === undefined ||
    apply === undefined ||
    repo === undefined ||
    converge === undefined ||
    undo === undefined ||
    drain === undefined
  ) {
    return undefined;
  }
  return {
    name,
    canary: canaryHosts,
    waves,
    parallel,
    maxFailures,
    stableMs: stable,
    soakMs: soak,
    proveAgainMs: proveAgain,
    deadManMs: deadMan,
    budgets: { apply, repo, converge, undo, drain },
  };
}

/** Percentages say how far a wave reaches, so each must reach further than the one before. */
function checkWaves(reader: Reader, path: readonly string[], waves: readonly (number | string)[]): void {
  let reached = 0;
  for (const [i, wave] of waves.entries()) {
    if (reached === 100) {
      reader.problem([...path, i], 'nothing is left for a wave after 100%', { hint: 'end with `100%`' });
      return;
    }
    if (typeof wave === 'number') continue;
    const percent = Number.parseInt(wave, 10);
    if (percent <= reached) {
      reader.problem([...path, i], `\`${wave}\` does not reach further than \`${reached}%\` before it`, {
        hint: 'percentages are of all hosts and add up, e.g. [1, 25%, 100%]',
      });
    }
    reached = Math.max(reached, percent);
  }
}
