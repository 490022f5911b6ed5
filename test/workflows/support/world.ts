/**
 * What the stand-ins act on: issuer, repo and hosts of one environment, each with its
 * fence, as far as a rotation can tell them apart. It judges every end, so that a test
 * of what the workflow calls is also a test of what comes of it.
 */
import type { Target } from '../../../domain/credential.js';
import { RotateError } from '../../../domain/failure.js';
import { compareFences, formatFence, highestFence, noFence, type Fence } from '../../../domain/fence.js';
import type { Plan } from '../../../domain/plan.js';

interface Fenced {
  fence: Fence;
}

export interface World {
  issuer: Record<string, Target & Fenced>;
  repo: Fenced & { branch: boolean; main: 'old' | 'new' };
  hosts: Record<string, Fenced & { system: 'old' | 'new'; runs: 'old' | 'new' }>;
}

export function makeWorld(plan: Plan): World {
  return {
    issuer: Object.fromEntries(
      plan.secrets.map((s) => [s.name, { old: 'valid', new: 'absent', fence: noFence }]),
    ),
    repo: { branch: false, main: 'old', fence: noFence },
    hosts: Object.fromEntries(
      plan.waves.flat().map((h) => [h.name, { system: 'old', runs: 'old', fence: noFence }]),
    ),
  };
}

/** @throws RotateError Superseded when the target has seen a higher fence */
export function pass(target: Fenced, fence: Fence, what: string): void {
  if (compareFences(fence, target.fence) < 0) {
    throw new RotateError(
      'Superseded',
      `${what} has seen ${formatFence(target.fence)}, above ${formatFence(fence)}`,
    );
  }
  target.fence = fence;
}

export function highestIn(world: World): Fence {
  return highestFence(
    [world.repo, ...Object.values(world.issuer), ...Object.values(world.hosts)].map((t) => t.fence),
  );
}

/** What the world is like when seen from outside; the fences are left out. */
export function outcomeOf(world: World): 'old' | 'new' | 'mixed' {
  const hosts = Object.values(world.hosts);
  const issuers = Object.values(world.issuer);
  const all = (v: 'old' | 'new'): boolean =>
    hosts.every((h) => h.system === v && h.runs === v) && world.repo.main === v;
  if (all('old') && !world.repo.branch && issuers.every((i) => i.old === 'valid' && i.new === 'absent'))
    return 'old';
  if (all('new') && issuers.every((i) => i.old === 'destroyed' && i.new === 'valid')) return 'new';
  return 'mixed';
}

/** A host that has a value which its issuer refuses: the one invariant is broken. */
export function cutOff(world: World): string | undefined {
  for (const [name, host] of Object.entries(world.hosts)) {
    for (const [secret, issuer] of Object.entries(world.issuer)) {
      for (const value of [host.system, host.runs]) {
        const accepted = value === 'new' ? issuer.new === 'valid' : issuer.old === 'valid';
        if (!accepted) return `${name} has the ${value} value of ${secret}, which is refused`;
      }
    }
  }
  return undefined;
}
