/**
 * `npm run bench [-- NAME…]`: times what this project does against what people do without it. Ends with 1 when
 * something broke, and with 0 when a goal is missed, which is said. See docs/benchmarks.md.
 */
import { batch } from './batch.js';
import type { BenchContext, Benchmark } from './benchmark.js';
import { files } from './files.js';
import { load, machine, missed, report } from './report.js';
import { rotation } from './rotation.js';
import { startUp } from './start-up.js';

const benchmarks: readonly Benchmark[] = [startUp, files, rotation, batch];

const say = (line = ''): void => void process.stdout.write(`${line}\n`);
const undo: (() => Promise<unknown>)[] = [];

async function cleanUp(): Promise<void> {
  for (const step of undo.splice(0).reverse()) {
    await step().catch((error: unknown) => {
      say(`bench: clean-up: ${String(error)}`);
      process.exitCode = 1;
    });
  }
}

async function main(names: readonly string[]): Promise<void> {
  const unknown = names.filter((name) => !benchmarks.some((b) => b.name === name));
  if (unknown.length > 0) {
    say(
      `usage: npm run bench [-- NAME…]\n\n${benchmarks.map((b) => `  ${b.name.padEnd(9)} ${b.title}`).join('\n')}`,
    );
    process.exitCode = 2;
    return;
  }
  say(machine());
  const started = performance.now();
  const misses: string[] = [];
  for (const benchmark of benchmarks) {
    if (names.length > 0 && !names.includes(benchmark.name)) continue;
    say(`\n== ${benchmark.title}`);
    const before = load();
    const context: BenchContext = {
      log: (line) => say(`   ${line}`),
      atEnd: (step) => undo.push(step),
    };
    try {
      const result = await benchmark.run(context);
      say(`\n${report(result)}\n\nload of the machine: ${before} before, ${load()} after`);
      misses.push(...missed(result));
    } catch (error) {
      say(`bench: error: ${benchmark.name}: ${error instanceof Error ? error.message : String(error)}`);
      process.exitCode = 1;
    } finally {
      await cleanUp();
    }
  }
  say(`\n${((performance.now() - started) / 60_000).toFixed(0)} min in all`);
  for (const line of misses) say(`goal missed: ${line}`);
  if (misses.length === 0 && process.exitCode === undefined) say('every goal is met');
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void cleanUp().finally(() => process.exit(130));
  });
}
await main(process.argv.slice(2));
