/** A worker that is killed in the middle of a phase, after the effect and before its answer. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { msToTs } from '@temporalio/common/lib/time.js';
import { ulid } from 'ulid';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { generateCodecKey, loadCodecKeys } from '../../codec/keyring.js';
import { eventually, startBench, type Bench, type Rotation } from './support/bench.js';
import { makePlan } from './support/plans.js';
import { startWorkerProcess, type WorkerProcess } from './support/worker-process.js';
import { outcomeOf, type World } from './support/world.js';

let bench: Bench;
let callLog: string;
const workers: WorkerProcess[] = [];

beforeAll(async () => {
  bench = await startBench({
    worker: false,
    keys: async (folder) => {
      await writeFile(join(folder, 'codec.key'), generateCodecKey(), { mode: 0o600 });
      return loadCodecKeys([join(folder, 'codec.key')]);
    },
  });
  callLog = join(bench.temporal.folder, 'calls.jsonl');
  await writeFile(callLog, '');
});
afterAll(async () => {
  for (const worker of workers) await worker.kill('SIGKILL');
  await bench.stop();
});

interface Logged {
  id: string;
  label: string;
  attempt?: number;
  fence?: unknown;
  hangs?: true;
}

async function calls(id: string): Promise<Logged[]> {
  const lines = (await readFile(callLog, 'utf8')).trim().split('\n');
  return lines
    .filter((l) => l !== '')
    .map((l): Logged => JSON.parse(l))
    .filter((c) => c.id === id);
}

const phases = [
  'inspectHost web-1',
  'generate db',
  'apply provision db',
  'publish',
  'build web-1',
  'copy web-1',
  'converge advance web-1',
  'restart web-1',
  'verify fresh web-1',
  'merge',
  'checkUsers db',
  'apply disable db',
  'apply destroy db',
  'prove later db',
  'converge restore web-1',
  'unpublish',
  'apply withdraw db',
  'record',
] as const;

async function shorten({ workflowId }: Rotation, phase: string): Promise<void> {
  const [type = ''] = phase.split(' ');
  // These are a wave's, a child's, and beat: twenty seconds.
  if (['converge', 'restart', 'verify'].includes(type)) return;
  await bench.client.workflowService.updateActivityOptions({
    namespace: 'default',
    execution: { workflowId },
    type,
    activityOptions: { startToCloseTimeout: msToTs('10s') },
    updateMask: { paths: ['start_to_close_timeout'] },
  });
}

function undoing(phase: string): boolean {
  return ['converge restore web-1', 'unpublish', 'apply withdraw db'].includes(phase);
}

test('a worker that is killed in any phase is replaced, and every rotation comes to its end', async () => {
  const { folder } = bench.temporal;
  const begun: { rotation: Rotation; phase: string; end: string }[] = [];
  const ids = phases.map(() => ulid());
  const plans = phases.map((phase, i) =>
    makePlan({
      environment: `crash-${i}`,
      waves: [['web-1']],
      soakMs: undoing(phase) ? 600_000 : 1,
      budgets: { apply: 600_000, repo: 600_000, converge: 600_000, undo: 600_000, drain: 600_000 },
    }),
  );
  for (const [i, phase] of phases.entries()) {
    await writeFile(join(folder, `${ids[i]}.plan.json`), JSON.stringify(plans[i]));
    await writeFile(join(folder, `${ids[i]}.hang`), phase);
  }
  const first = await startWorkerProcess(bench.temporal, callLog);
  workers.push(first);
  for (const [i, phase] of phases.entries()) {
    const [id, plan] = [ids[i], plans[i]];
    if (id === undefined || plan === undefined) throw new Error('unreachable');
    const rotation = await bench.start({ id, plan });
    begun.push({ rotation, phase, end: undoing(phase) ? 'rolled-back' : 'done' });
  }
  for (const { rotation, phase } of begun.filter((b) => undoing(b.phase))) {
    await eventually(
      `${phase}: merged`,
      async () => (await calls(rotation.id)).some((c) => c.label === 'merge'),
      60_000,
    );
    await rotation.handle.cancel();
  }
  for (const { rotation, phase } of begun) {
    const { id } = rotation;
    await eventually(`${phase} hangs`, async () => (await calls(id)).some((c) => c.hangs === true), 60_000);
  }
  await first.kill('SIGKILL');
  for (const id of ids) await rm(join(folder, `${id}.hang`));
  // A silent attempt has up to two minutes; nothing is learned by waiting for that.
  for (const { rotation, phase } of begun) await shorten(rotation, phase);
  const second = await startWorkerProcess(bench.temporal, callLog);
  workers.push(second);
  await Promise.all(
    begun.map(async ({ rotation, phase, end }) => {
      const status = await rotation.result();
      expect([phase, status.state]).toEqual([phase, end]);
      const world: World = JSON.parse(await readFile(join(folder, `${rotation.id}.world.json`), 'utf8'));
      expect([phase, outcomeOf(world)]).toEqual([phase, end === 'done' ? 'new' : 'old']);
      const attempts = (await calls(rotation.id)).filter((c) => c.label === phase && c.attempt !== undefined);
      expect(attempts.length).toBeGreaterThan(1);
      // All attempts of a command share its fence.
      const hung = attempts.filter((c) => JSON.stringify(c.fence) === JSON.stringify(attempts[0]?.fence));
      // The server may have given the second to the worker that was killed, which says nothing of it.
      const [hanging, next] = hung.map((c) => c.attempt ?? 0);
      expect([phase, hanging]).toEqual([phase, 1]);
      expect(next).toBeGreaterThan(1);
    }),
  );
  expect(await second.kill('SIGTERM')).toEqual([0, null]);
}, 300_000);
