/** What people say to a rotation, at every point of it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { makeRequest } from '../../client/requests.js';
import { toRotateError } from '../../codec/read-failure.js';
import { sayUpdate } from '../../workflows/messages.js';
import { eventually, startBench, type Bench, type Rotation } from './support/bench.js';
import { withoutLooks } from './support/phases.js';
import { eventProblems } from './support/status-problems.js';
import { cutOff, outcomeOf } from './support/world.js';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench.stop());

describe('`rollback`', () => {
  const everything = ['apply reenable db', 'unpublish', 'apply withdraw db', 'tidy', 'record'];
  test.concurrent.each([
    { phase: 'preflight', label: 'inspectHost web-1', state: 'refused', after: ['record'] },
    { phase: 'generate', label: 'generate db', state: 'refused', after: ['tidy', 'record'] },
    {
      phase: 'provision',
      label: 'apply provision db',
      state: 'rolled-back',
      after: everything,
      beside: 'publish',
    },
    {
      phase: 'encrypt',
      label: 'publish',
      state: 'rolled-back',
      after: everything,
      beside: 'apply provision db',
    },
    { phase: 'build', label: 'build web-1', state: 'rolled-back', after: everything },
    { phase: 'copy', label: 'copy web-1', state: 'rolled-back', after: everything },
    { phase: 'a wave', label: 'converge advance web-1', state: 'rolled-back' },
    { phase: 'verify', label: 'verify fresh web-1', state: 'rolled-back' },
    { phase: 'merge', label: 'merge', state: 'rolled-back' },
    { phase: 'drain', label: 'checkUsers db', state: 'rolled-back' },
    { phase: 'disable', label: 'apply disable db', state: 'rolled-back' },
  ] as const)(
    'in the middle of $phase cancels it and undoes what there is',
    async ({ label, state, ...row }) => {
      const rotation = await bench.start({ waves: [['web-1']], prepare: (s) => s.hang(label) });
      await rotation.script.reached(label);
      const answer = await rotation.say({ say: 'rollback' });
      expect(answer.reason).toEqual({ type: 'Interrupted', message: 'rolled back on request of tester' });
      const status = await rotation.result();
      expect(status).toMatchObject({ state, reason: { type: 'Interrupted' } });
      expect(outcomeOf(rotation.script.world)).toBe('old');
      expect(cutOff(rotation.script.world)).toBeUndefined();
      if ('after' in row) {
        const labels = rotation.script.labels();
        const later = labels.slice(labels.indexOf(label) + 1);
        const beside = 'beside' in row ? row.beside : undefined;
        expect(withoutLooks(later.filter((each) => each !== beside))).toEqual(row.after);
      }
      expect(eventProblems((await rotation.look()).events)).toEqual([]);
    },
  );

  test('in the soak, in its continued run, undoes all of it', async () => {
    const rotation = await bench.start({ waves: [['web-1']], soakMs: 600_000 });
    const first = await rotation.handle.describe();
    await eventually('it soaks', async () => (await rotation.handle.describe()).runId !== first.runId);
    await rotation.say({ say: 'rollback' });
    expect((await rotation.result()).state).toBe('rolled-back');
    expect(outcomeOf(rotation.script.world)).toBe('old');
    expect(rotation.script.labels()).toContain('converge restore web-1');
  });

  test('while what goes forward fails by itself is no reason to park', async () => {
    let open = (): void => {};
    const rotation = await bench.start({
      waves: [['web-1']],
      prepare: (s) => {
        open = s.gate('publish', { stubborn: true });
      },
    });
    await rotation.script.reached('publish');
    await rotation.say({ say: 'rollback' });
    // The attempt does not stop when asked to, and fails by itself.
    rotation.script.fail('publish', 'GitRefused');
    open();
    expect((await rotation.result()).state).toBe('rolled-back');
  });

  test('by a cancellation in Temporal itself is the same', async () => {
    const rotation = await bench.start({
      waves: [['web-1']],
      prepare: (s) => s.hang('converge advance web-1'),
    });
    await rotation.script.reached('converge advance web-1');
    await rotation.handle.cancel();
    const status = await rotation.result();
    expect(status.state).toBe('rolled-back');
    expect(status.reason?.message).toContain('a cancellation through Temporal');
    expect(outcomeOf(rotation.script.world)).toBe('old');
  });

  test('is refused while it is being undone, and the undo goes on', async () => {
    let open = (): void => {};
    const rotation = await bench.start({
      waves: [['web-1']],
      prepare: (s) => {
        s.fail('merge', 'GitRefused');
        open = s.gate('unpublish');
      },
    });
    await rotation.script.reached('unpublish');
    await expect(rotation.say({ say: 'rollback' })).rejects.toMatchObject({
      type: 'NotAllowed',
      message: `rotation ${rotation.id} is being undone already`,
      hint: `\`rotate watch ${rotation.id}\` shows it`,
    });
    await rotation.handle.cancel();
    open();
    expect((await rotation.result()).state).toBe('rolled-back');
  });
});

/** A rotation whose undo fails on web-1. */
async function parkedUndo(): Promise<Rotation> {
  const rotation = await bench.start({
    prepare: (s) => {
      s.fail('merge', 'GitRefused');
      s.fail('converge restore web-1', 'HostMoved');
    },
  });
  const status = await rotation.until('needs-attention');
  expect(status.reason?.type).toBe('HostMoved');
  return rotation;
}

describe('a failed undo', () => {
  test.concurrent('parks, says which host and what to do, and goes on after `retry`', async () => {
    const rotation = await parkedUndo();
    const { reason } = (await rotation.look()).status;
    expect(reason?.message).toBe('web-1: converge restore web-1: injected');
    expect(reason?.hint).toContain(`rotate retry ${rotation.id}`);
    expect(reason?.hint).toContain(`rotate skip ${rotation.id} HOST`);
    // The new value stays valid as long as a host may hold it.
    expect(rotation.script.labels()).not.toContain('apply withdraw db');
    expect(cutOff(rotation.script.world)).toBeUndefined();
    const done = rotation.script.labels().filter((l) => l === 'converge restore canary').length;
    rotation.script.heal('converge restore web-1');
    await rotation.say({ say: 'retry' });
    expect((await rotation.result()).state).toBe('rolled-back');
    expect(outcomeOf(rotation.script.world)).toBe('old');
    // What was restored is not restored again.
    expect(rotation.script.labels().filter((l) => l === 'converge restore canary')).toHaveLength(done);
  });

  test.concurrent('goes on without a host after `skip`, but does not withdraw before its loss is accepted', async () => {
    const rotation = await parkedUndo();
    await rotation.say({ say: 'skip', host: 'web-1', acceptLoss: false });
    await eventually('the repo is back', async () => rotation.script.labels().includes('unpublish'));
    const parked = await rotation.until('needs-attention');
    expect(parked.reason).toMatchObject({
      type: 'StillInUse',
      message: 'the new value is not withdrawn: web-1 may still hold it',
    });
    expect(rotation.script.labels()).not.toContain('apply withdraw db');
    await rotation.say({ say: 'skip', host: 'web-1', acceptLoss: true });
    expect((await rotation.result()).state).toBe('rolled-back');
    expect(rotation.script.labels()).toContain('apply withdraw db');
  });

  test.concurrent('may be left as it is by `abort`; the next start is Blocked until someone takes over', async () => {
    const rotation = await parkedUndo();
    const answer = await rotation.say({ say: 'abort' });
    expect(answer.state).toBe('failed');
    const status = await rotation.result();
    expect(status).toMatchObject({ state: 'failed', reason: { type: 'Interrupted' } });
    expect(status.reason?.message).toContain('web-1 may run with the new value');
    expect(status.reason?.message).toContain('main may have the new value');
    expect(rotation.script.labels()).toContain('record');
    expect(rotation.script.labels()).not.toContain('apply withdraw db');

    const next = await bench.start({ plan: rotation.plan });
    expect(await next.result()).toMatchObject({
      state: 'refused',
      reason: {
        type: 'Blocked',
        message: `rotation ${rotation.id} was given up and still holds the secret`,
      },
    });
    expect(next.script.labels()).toEqual(['record']);
    const third = await bench.start({ plan: rotation.plan, takeOver: true });
    expect((await third.result()).state).toBe('done');
  });

  test.concurrent('is found to be refused what makes no sense', async () => {
    const rotation = await parkedUndo();
    await expect(rotation.say({ say: 'skip', host: 'nowhere', acceptLoss: false })).rejects.toMatchObject({
      type: 'UnknownHost',
      hint: 'its hosts are: canary, web-1',
    });
    await expect(rotation.say({ say: 'skip', host: 'canary', acceptLoss: false })).rejects.toMatchObject({
      type: 'NotAllowed',
      message: `host \`canary\` has nothing left to do in rotation ${rotation.id}`,
    });
    await expect(rotation.say({ say: 'rollback' })).rejects.toMatchObject({ type: 'NotAllowed' });
    rotation.script.heal('converge restore web-1');
    await rotation.say({ say: 'retry' });
    await rotation.result();
    await expect(rotation.say({ say: 'retry' })).rejects.toBeDefined();
  });
});

describe('users of the old value', () => {
  test.concurrent('park a rotation; `retry` looks again', async () => {
    const rotation = await bench.start({
      waves: [['web-1']],
      budgets: { drain: 2_000 },
      prepare: (s) => s.fail('checkUsers db', 'StillInUse', { hint: 'end them' }),
    });
    const parked = await rotation.until('needs-attention');
    expect(parked.reason).toMatchObject({
      type: 'StillInUse',
      hint: `end them; then \`rotate retry ${rotation.id}\``,
    });
    expect(rotation.script.world.issuer['db']?.old).toBe('valid');
    rotation.script.heal('checkUsers db');
    await rotation.say({ say: 'retry' });
    const status = await rotation.result();
    expect(status.state).toBe('done');
    expect(status.steps.find((s) => s.name === 'revoke')?.attempts).toBe(2);
  });

  test.concurrent('park a rotation; `rollback` takes it back', async () => {
    const rotation = await bench.start({
      waves: [['web-1']],
      budgets: { drain: 2_000 },
      prepare: (s) => s.fail('checkUsers db', 'StillInUse'),
    });
    await rotation.until('needs-attention');
    await rotation.say({ say: 'rollback' });
    expect((await rotation.result()).state).toBe('rolled-back');
    expect(outcomeOf(rotation.script.world)).toBe('old');
  });
});

describe('`abort`', () => {
  test.concurrent('in the middle of a wave cancels it, and tells what remains', async () => {
    const rotation = await bench.start({
      waves: [['web-1']],
      prepare: (s) => s.hang('converge advance web-1'),
    });
    await rotation.script.reached('converge advance web-1');
    await rotation.say({ say: 'abort' });
    const status = await rotation.result();
    expect(status.state).toBe('failed');
    expect(status.reason?.message).toContain('web-1 may run with the new value');
    const states = Object.fromEntries(status.steps.map((s) => [s.name, s.state]));
    // What was done is done, what was under way is not.
    expect(states).toMatchObject({ generate: 'done', encrypt: 'done', deploy: 'failed', revoke: 'skipped' });
    expect(rotation.script.labels().at(-1)).toBe('record');
  });

  test.concurrent('in the middle of an undo stops that too', async () => {
    const rotation = await bench.start({
      waves: [['web-1']],
      prepare: (s) => {
        s.fail('merge', 'GitRefused');
        s.hang('converge restore web-1');
      },
    });
    await rotation.script.reached('converge restore web-1');
    await rotation.say({ say: 'abort' });
    const status = await rotation.result();
    expect(status.state).toBe('failed');
    expect(rotation.script.labels()).not.toContain('apply withdraw db');
    expect(status.steps.find((s) => s.name === 'generate')?.state).toBe('done');
  });
});

describe('a request', () => {
  async function refused(rotation: Rotation, request: unknown): Promise<unknown> {
    return rotation.handle.executeUpdate(sayUpdate, { args: [request] }).then(
      () => undefined,
      (error: unknown) => toRotateError(error),
    );
  }

  test('is taken once, before it expires, and by the rotation that it was made for', async () => {
    const rotation = await bench.start({ waves: [['web-1']], prepare: (s) => s.hang('build web-1') });
    await rotation.script.reached('build web-1');
    const { workflowId } = rotation;
    const rollback = { say: 'rollback', by: 'x' };
    expect(await refused(rotation, makeRequest(workflowId, rollback, Date.now() - 3_600_000))).toMatchObject({
      type: 'Forged',
      message: 'the request has expired',
    });
    expect(await refused(rotation, makeRequest('rotation/test/other', rollback))).toMatchObject({
      type: 'Forged',
      message: 'the request was made for another workflow',
    });
    expect(await refused(rotation, rollback)).toMatchObject({ type: 'Forged' });
    const once = makeRequest(workflowId, { say: 'retry', by: 'x' });
    // Refused by the rotation: it is not parked. The nonce is not used up by that, but by success.
    expect(await refused(rotation, once)).toMatchObject({ type: 'NotAllowed' });
    const good = makeRequest(workflowId, rollback);
    expect(await refused(rotation, good)).toBeUndefined();
    expect(await refused(rotation, good)).toMatchObject({
      type: 'Forged',
      message: 'the request was seen before',
    });
    await rotation.result();
  });

  test('is not taken again after the rotation has continued as new', async () => {
    const rotation = await bench.start({
      waves: [['web-1']],
      budgets: { drain: 1_500 },
      prepare: (s) => s.fail('checkUsers db', 'StillInUse'),
    });
    await rotation.until('needs-attention');
    const retry = makeRequest(rotation.workflowId, { say: 'retry', by: 'x' });
    expect(await refused(rotation, retry)).toBeUndefined();
    await rotation.until('running');
    const { runId } = await rotation.handle.describe();
    await eventually('it parks anew', async () => (await rotation.handle.describe()).runId !== runId);
    expect(await refused(rotation, retry)).toMatchObject({ message: 'the request was seen before' });
    await rotation.say({ say: 'rollback' });
    expect((await rotation.result()).state).toBe('rolled-back');
  });

  test.each([
    ['for another workflow', (r: { workflowId: string }) => ({ ...r, workflowId: 'rotation/test/other' })],
    ['that has expired', (r: object) => ({ ...r, expiresAt: '2020-01-01T00:00:00.000Z' })],
    ['without its envelope', () => ({ id: 'x' })],
  ] as const)('to start %s is refused before anything is done', async (_, forge) => {
    const rotation = await bench.start({ forge });
    await expect(
      rotation.handle.result().catch((e: unknown) => Promise.reject(toRotateError(e))),
    ).rejects.toMatchObject({
      type: 'Forged',
    });
    expect(rotation.script.labels()).toEqual([]);
  });

  test('that comes while the rotation continues as new is not lost', async () => {
    // Twenty parks and retries, each said as soon as the one before was seen.
    const rotation = await bench.start({
      waves: [['web-1']],
      prepare: (s) => {
        s.fail('merge', 'GitRefused');
        s.fail('unpublish', 'RepoChanged');
      },
    });
    for (let i = 1; i <= 8; i += 1) {
      await rotation.script.reached('unpublish', i);
      await eventually('it takes the word', () =>
        rotation.say({ say: 'retry' }).then(
          () => true,
          (error: unknown) => {
            if (toRotateError(error).type === 'NotAllowed') return false;
            throw error;
          },
        ),
      );
    }
    await rotation.until('needs-attention');
    rotation.script.heal('unpublish');
    await rotation.say({ say: 'retry' });
    expect((await rotation.result()).state).toBe('rolled-back');
    expect(eventProblems((await rotation.look()).events)).toEqual([]);
  });
});
