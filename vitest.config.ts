import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** On the lab: hosts, the search for values, whole rotations, killed workers. Each file has a fleet of its own. */
const lab = [
  'test/hosts/**/*.test.ts',
  'test/canary/**/*.test.ts',
  'test/e2e/failures.test.ts',
  'test/e2e/refusals.test.ts',
  'test/e2e/shapes.test.ts',
  'test/e2e/vendors.test.ts',
  'test/fault/kills.test.ts',
];
/** On the lab, and longer: `npm run test:faults`. */
const faults = ['test/e2e/**/*.test.ts', 'test/fault/**/*.test.ts'];

/** Without state of a process, so that one process can run many of them: loading modules is most of their time. */
const pure = ['test/config/**/*.test.ts', 'test/domain/**/*.test.ts', 'test/stores/**/*.test.ts'];

/** What waits most comes first, so that the rest fills the gaps. */
const longest = ['test/fault/kills', 'test/e2e/', 'test/hosts/job', 'test/cli/', 'test/workflows/'];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const found = longest.findIndex((part) => moduleId.includes(part));
      return found === -1 ? longest.length : found;
    };
    return files.toSorted((a, b) => rank(a) - rank(b) || (a.moduleId < b.moduleId ? -1 : 1));
  }
}

/** Nothing asserts how long something takes; these only end what hangs. */
const patient = { testTimeout: 600_000, hookTimeout: 600_000 };

export default defineConfig({
  test: {
    // Two more than cores: whole rotations wait much of the time, for units to stay up and for timeouts.
    maxWorkers: 4,
    expect: { poll: { timeout: 60_000, interval: 200 } },
    sequence: { sequencer: LongestFirst },
    // Temporal's server collects its garbage less often: there are many, and little memory is used by each.
    env: { GOGC: '800' },
    testTimeout: 120_000,
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: { name: 'units', include: ['test/**/*.test.ts'], exclude: [...lab, ...faults, ...pure] },
      },
      { extends: true, test: { name: 'pure', include: pure, isolate: false } },
      { extends: true, test: { name: 'lab', include: lab, ...patient } },
      { extends: true, test: { name: 'faults', include: faults, exclude: lab, ...patient } },
    ],
  },
});
