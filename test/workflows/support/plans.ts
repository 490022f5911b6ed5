/** Plans made by hand; budgets are short, so that what fails for good fails soon. */
import type { Plan, PlannedSecret } from '../../../domain/plan.js';

export interface PlanShape {
  environment?: string;
  secrets?: string[];
  /** What is special about each of them. */
  secret?: Partial<PlannedSecret>;
  /** Names of hosts, in waves; default: two waves of one host, as each more makes a test a quarter longer. */
  waves?: string[][];
  maxFailures?: number;
  /** Default 1: short, but a soak, at which the rotation continues as new. */
  soakMs?: number;
  proveAgainMs?: number;
  parallel?: number;
  budgets?: Partial<Plan['policy']['budgets']>;
}

export function makePlan(shape: PlanShape = {}): Plan {
  const environment = shape.environment ?? 'test';
  const waves = shape.waves ?? [['canary'], ['web-1']];
  return {
    version: 1,
    environment,
    commit: 'c0ffee',
    secrets: (shape.secrets ?? ['db']).map((name) =>
      plannedSecret(environment, name, waves.flat(), shape.secret ?? {}),
    ),
    waves: waves.map((wave) =>
      wave.map((name) => ({ name, units: [{ unit: 'app.service', action: 'restart' as const }] })),
    ),
    policy: {
      name: 'test',
      parallel: shape.parallel ?? 10,
      maxFailures: shape.maxFailures ?? 0,
      stableMs: 0,
      soakMs: shape.soakMs ?? 1,
      proveAgainMs: shape.proveAgainMs ?? 0,
      deadManMs: 0,
      budgets: {
        apply: 20_000,
        repo: 20_000,
        converge: 20_000,
        undo: 20_000,
        drain: 20_000,
        ...shape.budgets,
      },
    },
    notes: [],
  };
}

function plannedSecret(
  environment: string,
  name: string,
  consumers: string[],
  shape: Partial<PlannedSecret>,
): PlannedSecret {
  return {
    environment,
    name,
    kind: 'postgres',
    overlap: 'dual',
    kill: 'issuer',
    source: 'worker',
    canDisable: true,
    retire: 'issuer',
    consumers,
    file: `${name}.age`,
    sharesFile: false,
    recipients: ['age1test'],
    account: `${name}_a`,
    endpoints: ['db-1:5432'],
    effects: { generate: 'g', disable: 'd', destroy: 'x' },
    ...shape,
  };
}
