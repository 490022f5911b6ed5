/** Many hosts, hosts that fail, and a worker that forgets. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { eventually, startBench, type Bench, type Rotation } from './support/bench.js';
import { eventProblems } from './support/status-problems.js';
import { cutOff, outcomeOf } from './support/world.js';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench.stop());

const names = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `h${String(i).padStart(3, '0')}`);

async function children(rotation: Rotation): Promise<string[]> {
  const ids: string[] = [];
  const query = `WorkflowType = 'wave' AND WorkflowId STARTS_WITH '${rotation.workflowId}/'`;
  for await (const { workflowId } of bench.connection.lister.workflow.list({ query })) ids.push(workflowId);
  return ids;
}

describe('a wave', () => {
  test('of more than 50 hosts is carried by several children, and every payload stays small', async () => {
    const rotation = await bench.start({ waves: [names(60)], parallel: 30 });
    const status = await rotation.result();
    expect(status.state).toBe('done');
    expect(outcomeOf(rotation.script.world)).toBe('new');
    await eventually('both children are listed', async () => (await children(rotation)).length === 2);
    for (const step of status.steps.slice(2, 5)) {
      expect(step.hosts).toHaveLength(60);
      expect(step.hosts.every((h) => h.state === 'done')).toBe(true);
    }
    expect(eventProblems((await rotation.look()).events)).toEqual([]);
  });

  test('one of whose children breaks off is waited for as a whole before the undo begins', async () => {
    let open = (): void => {};
    const rotation = await bench.start({
      waves: [names(51)],
      parallel: 51,
      prepare: (s) => {
        open = s.gate('converge advance h050');
        s.hang('converge advance h000');
      },
    });
    await rotation.script.reached('converge advance h050');
    await rotation.script.reached('converge advance h000');
    let broken = '';
    await eventually('the first child is listed', async () => {
      broken = (await children(rotation)).find((id) => id.endsWith('.0')) ?? '';
      return broken !== '';
    });
    await bench.client.workflow.getHandle(broken).terminate('by a test');
    await eventually('the parent has seen it', async () => {
      const { events } = await rotation.handle.fetchHistory();
      return (events ?? []).some((e) => e.childWorkflowExecutionTerminatedEventAttributes != null);
    });
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(rotation.script.labels().filter((l) => l.startsWith('apply reenable'))).toEqual([]);
    open();
    rotation.script.heal('converge advance h000');
    expect((await rotation.result()).state).toBe('rolled-back');
    expect(outcomeOf(rotation.script.world)).toBe('old');
  });
});

describe('`maxFailures`', () => {
  test('lets one host fail: the rest goes on, and the old value lives until that host is dealt with', async () => {
    const rotation = await bench.start({
      waves: [['canary'], ['web-1', 'web-2']],
      maxFailures: 1,
      prepare: (s) => s.fail('restart web-2', 'UnitFailed', { times: 1 }),
    });
    const parked = await rotation.until('needs-attention');
    expect(parked.reason).toMatchObject({
      type: 'StillInUse',
      message: 'the old value is not revoked: web-2 may still hold it',
    });
    const state = (name: string): string | undefined => parked.steps.find((s) => s.name === name)?.state;
    expect([state('deploy'), state('restart'), state('verify'), state('revoke')]).toEqual([
      'done',
      'done',
      'done',
      'pending',
    ]);
    expect(rotation.script.world.issuer['db']?.old).toBe('valid');
    expect(rotation.script.world.repo.main).toBe('new');
    await expect(rotation.say({ say: 'skip', host: 'web-1', acceptLoss: false })).rejects.toMatchObject({
      type: 'NotAllowed',
    });
    await rotation.say({ say: 'skip', host: 'web-2', acceptLoss: false });
    await rotation.until('needs-attention');
    await rotation.say({ say: 'retry' });
    expect((await rotation.result()).state).toBe('done');
    expect(outcomeOf(rotation.script.world)).toBe('new');
  });

  test('and `skip --accept-loss` revoke without that host', async () => {
    const rotation = await bench.start({
      waves: [['canary'], ['web-1', 'web-2']],
      maxFailures: 1,
      prepare: (s) => s.fail('converge advance web-2', 'HostMoved'),
    });
    await rotation.until('needs-attention');
    await rotation.say({ say: 'skip', host: 'web-2', acceptLoss: true });
    const status = await rotation.result();
    expect(status.state).toBe('done');
    expect(rotation.script.world.issuer['db']?.old).toBe('destroyed');
    expect(rotation.script.labels().filter((l) => l === 'verify fresh web-2')).toEqual([]);
    const prove = rotation.script.calls.find((c) => c.label === 'prove before db');
    expect(prove?.input).toMatchObject({ hosts: ['canary', 'web-1'] });
  });

  test('is for all waves together, and a wave begins no further host once it is used up', async () => {
    const rotation = await bench.start({
      waves: [['a'], ['b', 'c', 'd']],
      maxFailures: 1,
      parallel: 1,
      prepare: (s) => {
        s.fail('converge advance a', 'HostMoved', { times: 1 });
        s.fail('converge advance b', 'HostMoved', { times: 1 });
      },
    });
    expect((await rotation.result()).state).toBe('rolled-back');
    expect(rotation.script.labels().filter((l) => l.startsWith('converge advance'))).toEqual([
      'converge advance a',
      'converge advance b',
    ]);
    expect(outcomeOf(rotation.script.world)).toBe('old');
    expect(cutOff(rotation.script.world)).toBeUndefined();
  });

  test('does not tolerate a rollback half-way', async () => {
    const rotation = await bench.start({
      waves: [['a', 'b']],
      maxFailures: 1,
      prepare: (s) => s.hang('converge advance b'),
    });
    await rotation.script.reached('converge advance b');
    await rotation.say({ say: 'rollback' });
    expect((await rotation.result()).state).toBe('rolled-back');
    expect(outcomeOf(rotation.script.world)).toBe('old');
  });
});
