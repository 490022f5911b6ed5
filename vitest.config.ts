import { defineConfig } from 'vitest/config';

/** On the lab: hosts, the search for values, and whole rotations. */
const lab = ['test/hosts/**', 'test/canary/**', 'test/e2e/failures.test.ts', 'test/e2e/refusals.test.ts'];
/** On the lab, and longer: `npm run test:faults`. */
const faults = [
  'test/e2e/command-line.test.ts',
  'test/fault/changes.test.ts',
  'test/fault/crashes.test.ts',
  'test/fault/network.test.ts',
  'test/fault/rollbacks.test.ts',
];
const files = (patterns: readonly string[]): string[] =>
  patterns.map((pattern) => (pattern.endsWith('**') ? `${pattern}/*.test.ts` : pattern));

// One fleet at a time: hosts share the machine's two cores.
const onTheLab = { fileParallelism: false, testTimeout: 300_000, hookTimeout: 300_000 };

export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'units',
          include: ['test/**/*.test.ts'],
          exclude: [...lab, 'test/e2e/**', 'test/fault/**'],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: 'lab', include: files(lab), ...onTheLab, sequence: { groupOrder: 1 } },
      },
      {
        extends: true,
        test: { name: 'faults', include: files(faults), ...onTheLab, sequence: { groupOrder: 2 } },
      },
    ],
  },
});
