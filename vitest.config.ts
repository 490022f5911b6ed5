import { defineConfig } from 'vitest/config';

const lab = ['test/hosts/**', 'test/fault/**', 'test/e2e/**', 'test/canary/**'];

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
          exclude: lab,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        // One fleet at a time: hosts share the machine's two cores.
        test: {
          name: 'lab',
          include: lab.map((folder) => `${folder}/*.test.ts`),
          fileParallelism: false,
          sequence: { groupOrder: 1 },
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
