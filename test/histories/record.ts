/**
 * Records the histories that replay.test.ts replays, from the real server. Run it when
 * workflow code changed on purpose in a way that old histories cannot replay (before the
 * first release only; afterwards such a change needs `patched` and the old files stay):
 *
 *     node --import ./test/support/resolve-sources.mjs test/histories/record.ts [SCENARIO…]
 */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { ulid } from 'ulid';

import { makeRequest } from '../../client/requests.js';
import { loadCodecKeys } from '../../codec/keyring.js';
import { agesScheduleId, dueScheduleId, sequenceId } from '../../domain/ids.js';
import { makeNotification, notificationId } from '../../domain/notification.js';
import { taskQueue, workflowTypes } from '../../workflows/messages.js';
import { eventually, startBench, type Bench } from '../workflows/support/bench.js';
import { makePlan } from '../workflows/support/plans.js';
import { startWorkerProcess } from '../workflows/support/worker-process.js';
import { recordingKey, recordingKeys, save } from './histories.js';

/** Runs to where the history is to be taken; `environment` names its workflows. */
type Scenario = (bench: Bench, environment: string) => Promise<void>;

const all: Readonly<Record<string, Scenario>> = {
  async done(bench, environment) {
    await (await bench.start({ waves: [['canary'], ['web-1', 'web-2']], environment })).result();
  },

  async 'rolled-back'(bench, environment) {
    const rotation = await bench.start({ waves: [['web-1']],
      environment,
      prepare: (s) => s.fail('verify fresh web-1', 'VerifyFailed', { times: 1 }),
    });
    await rotation.result();
  },

  async swapped(bench, environment) {
    const secret = { overlap: 'swap' as const };
    await (await bench.start({ waves: [['db-1'], ['web-1']], secret, environment })).result();
  },

  async dropped(bench, environment) {
    const secret = { kill: 'deploy' as const, canDisable: false, retire: 'deploy' as const, keepOldMs: 1_000 };
    const rotation = await bench.start({
      waves: [['web-1']],
      secret,
      environment,
      prepare: (s) => s.fail('findBase', 'PlanChanged', { times: 1 }),
    });
    await rotation.until('needs-attention');
    await rotation.say({ say: 'retry' });
    await rotation.result();
  },

  async confirmed(bench, environment) {
    const rotation = await bench.start({
      waves: [['web-1']],
      secret: { kill: 'manual', canDisable: false, source: 'person' },
      environment,
      prepare: (s) => s.fail('apply destroy db', 'NeedsPerson', { times: 1 }),
    });
    await rotation.until('needs-attention');
    await rotation.say({ say: 'confirm' });
    await rotation.result();
  },

  async refused(bench, environment) {
    const first = await bench.start({ waves: [['web-1']], environment, prepare: (s) => s.hang('inspectRepo') });
    await first.script.reached('inspectRepo');
    await (await bench.start({ plan: first.plan })).result();
    await first.say({ say: 'rollback' });
    await first.result();
  },

  async parked(bench, environment) {
    const rotation = await bench.start({ waves: [['web-1']],
      environment,
      budgets: { drain: 1_500 },
      prepare: (s) => s.fail('checkUsers db', 'StillInUse'),
    });
    await rotation.until('needs-attention');
  },

  async 'parked-undo'(bench, environment) {
    const rotation = await bench.start({ waves: [['web-1']],
      environment,
      prepare: (s) => {
        s.fail('merge', 'GitRefused');
        s.fail('converge restore web-1', 'HostMoved');
      },
    });
    await rotation.until('needs-attention');
    await rotation.say({ say: 'skip', host: 'web-1', acceptLoss: false });
    await rotation.script.reached('unpublish');
    await rotation.until('needs-attention');
  },

  async undoing(bench, environment) {
    const rotation = await bench.start({ waves: [['web-1']],
      environment,
      prepare: (s) => {
        s.hang('converge advance web-1');
        s.hang('converge restore web-1');
      },
    });
    await rotation.script.reached('converge advance web-1');
    await rotation.say({ say: 'rollback' });
    await rotation.script.reached('converge restore web-1');
  },

  async aborted(bench, environment) {
    const rotation = await bench.start({ waves: [['web-1']], environment, prepare: (s) => s.hang('converge advance web-1') });
    await rotation.script.reached('converge advance web-1');
    await rotation.say({ say: 'abort' });
    await rotation.result();
    await (await bench.start({ plan: rotation.plan, takeOver: true })).result();
  },

  async cancelled(bench, environment) {
    const rotation = await bench.start({ waves: [['web-1']], environment, soakMs: 600_000 });
    await rotation.script.reached('merge');
    await rotation.handle.cancel();
    await rotation.result();
  },

  async soaking(bench, environment) {
    const rotation = await bench.start({ waves: [['web-1']], environment, soakMs: 600_000 });
    await rotation.until('waiting');
  },

  async 'max-failures'(bench, environment) {
    const rotation = await bench.start({
      environment,
      maxFailures: 1,
      waves: [['canary'], ['web-1', 'web-2']],
      prepare: (s) => s.fail('restart web-2', 'UnitFailed', { times: 1 }),
    });
    await rotation.until('needs-attention');
    await rotation.say({ say: 'retry' });
    await rotation.result();
  },

  async sequence(bench, environment) {
    const rotations = ['ca', 'leaf'].map((secret) => {
      const plan = makePlan({ environment, secrets: [secret], waves: [['web-1']] });
      bench.stands.expect(plan, () => {});
      return { id: ulid(), by: 'tester', takeOver: false, plan: { plan, digest: 'd19e57' } };
    });
    const workflowId = sequenceId(environment, ulid());
    await bench.client.workflow.execute(workflowTypes.sequence, {
      workflowId,
      taskQueue,
      args: [makeRequest(workflowId, { rotations })],
    });
  },

  /** Two batches of one look, of which each is done. */
  async batches(bench, environment) {
    const batches = ['a', 'b'].map((secret) => {
      const plan = makePlan({ environment, secrets: [secret], waves: [['web-1']] });
      bench.stands.expect(plan, () => {});
      return { plan, digest: 'd19e57' };
    });
    const at = new Date().toISOString();
    const secrets = ['a', 'b'].map((name) => ({ name, state: 'due' as const, missed: 0, reason: 'is due' }));
    bench.stands.assessments.set('twofold', {
      declared: true,
      verdict: { schedule: 'twofold', environment, at, gate: { state: 'open' }, start: ['a', 'b'], secrets },
      batches,
      people: [],
      unplanned: [],
    });
    await bench.client.workflow.execute(workflowTypes.due, {
      workflowId: `${dueScheduleId(environment, 'twofold')}-${at}`,
      taskQueue,
      args: [{ environment, schedule: 'twofold' }],
    });
  },

  /** The first parks, so that it is looked at; the second is not started, which is told. And a secret is old. */
  async scheduled(bench, environment) {
    const batches = ['a', 'b'].map((secret) => {
      const plan = makePlan({ environment, secrets: [secret], waves: [['web-1']], budgets: { drain: 1_500 } });
      bench.stands.expect(plan, (s) => s.fail(`checkUsers ${secret}`, 'StillInUse'));
      return { plan, digest: 'd19e57' };
    });
    const at = new Date().toISOString();
    const due = ['a', 'b'].map((name) => ({ name, state: 'due' as const, missed: 0, reason: 'is due' }));
    bench.stands.assessments.set('monthly', {
      declared: true,
      verdict: {
        schedule: 'monthly',
        environment,
        at,
        gate: { state: 'open' },
        start: ['a', 'b'],
        secrets: [...due, { name: 'c', state: 'busy', missed: 0, reason: 'is busy', rotation: '01J' }],
      },
      batches,
      people: [],
      unplanned: [],
    });
    await bench.client.workflow.execute(workflowTypes.due, {
      workflowId: `${dueScheduleId(environment, 'monthly')}-${at}`,
      taskQueue,
      args: [{ environment, schedule: 'monthly' }],
    });
    const notice = { id: notificationId('age', environment, 'c'), event: 'due-soon' as const, at, environment };
    bench.stands.notices.set(environment, [makeNotification({ ...notice, secrets: ['c'], text: 'c is old' })]);
    await bench.client.workflow.execute(workflowTypes.ages, {
      workflowId: agesScheduleId(environment),
      taskQueue,
      args: [{ environment }],
    });
  },
};

/** Needs a worker that can be killed, and so a bench of its own. */
async function recordCrash(): Promise<void> {
  const bench = await startBench({
    worker: false,
    keys: async (home) => {
      await writeFile(join(home, 'codec.key'), await recordingKey(), { mode: 0o600 });
      return loadCodecKeys([join(home, 'codec.key')]);
    },
  });
  const home = bench.temporal.folder;
  const calls = join(home, 'calls.jsonl');
  const id = ulid();
  const plan = makePlan({
    environment: 'history-crashed',
    waves: [['web-1']],
    // Longer than the heartbeat timeout, after which the second attempt comes.
    budgets: { converge: 600_000 },
  });
  await writeFile(join(home, `${id}.plan.json`), JSON.stringify(plan));
  await writeFile(join(home, `${id}.hang`), 'converge advance web-1');
  await writeFile(calls, '');
  const first = await startWorkerProcess(bench.temporal, calls);
  const rotation = await bench.start({ id, plan });
  await eventually('it hangs', async () => (await readFile(calls, 'utf8')).includes('"hangs"'));
  await first.kill('SIGKILL');
  await rm(join(home, `${id}.hang`));
  const second = await startWorkerProcess(bench.temporal, calls);
  await rotation.result();
  await listed(bench, plan.environment);
  await save(bench.client, 'crashed', plan.environment);
  await second.kill('SIGTERM');
  await bench.stop();
}

/** Waits until the list of workflows is up to date: it lags behind a little. */
async function listed(bench: Bench, environment: string): Promise<void> {
  let before = -1;
  await eventually('the list is steady', async () => {
    const { count } = await bench.client.workflow.count(`WorkflowId STARTS_WITH 'rotation/${environment}/'`);
    await new Promise((resolve) => setTimeout(resolve, 700));
    const steady = count === before;
    before = count;
    return steady;
  });
}

const wanted = process.argv.slice(2);
const chosen = (name: string): boolean => wanted.length === 0 || wanted.includes(name);
const bench = await startBench({ keys: recordingKeys });
for (const [name, run] of Object.entries(all)) {
  if (!chosen(name)) continue;
  const environment = `history-${name}`;
  await run(bench, environment);
  await listed(bench, environment);
  await save(bench.client, name, environment);
  process.stderr.write(`${name}\n`);
}
await bench.stop();
if (chosen('crashed')) await recordCrash();
