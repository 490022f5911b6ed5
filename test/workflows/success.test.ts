/** A rotation that goes well, as the workflow carries it out. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { memoStatus } from '../../client/memo-status.js';
import { compareFences } from '../../domain/fence.js';
import { eventually, startBench, type Bench } from './support/bench.js';
import { phases, withoutLooks } from './support/phases.js';
import { eventProblems } from './support/status-problems.js';
import { outcomeOf } from './support/world.js';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench.stop());

describe('a rotation', () => {
  test('takes its steps in order, and ends `done` with the old value dead', async () => {
    const rotation = await bench.start({ waves: [['canary'], ['web-1']] });
    const status = await rotation.result();
    expect(status.state).toBe('done');
    expect(outcomeOf(rotation.script.world)).toBe('new');
    const labels = rotation.script.labels();
    const first = labels.findIndex((label) => /^(compareHost|rehearse|takeBaseline) /.test(label));
    const looks = labels.slice(1, first);
    expect(looks.toSorted()).toEqual([
      'inspectHost canary',
      'inspectHost web-1',
      'inspectIssuer db',
      'makeTrial',
    ]);
    const trials = labels.slice(first, labels.indexOf('reserve'));
    expect(trials.toSorted()).toEqual([
      'compareHost canary',
      'compareHost web-1',
      'rehearse canary',
      'rehearse web-1',
      'takeBaseline canary',
      'takeBaseline web-1',
    ]);
    const last = labels.slice(labels.indexOf('apply disable db') + 1, labels.indexOf('apply destroy db'));
    expect(last.toSorted()).toEqual(['prove disabled db', 'verify fresh canary', 'verify fresh web-1']);
    const serial = labels.filter(
      (_, i) => i <= labels.indexOf('apply disable db') || i >= labels.indexOf('apply destroy db'),
    );
    expect(phases(withoutLooks(serial))).toEqual([
      'inspectRepo',
      'reserve',
      'generate db',
      'apply provision db',
      'publish',
      'build',
      'copy',
      'converge advance',
      'restart',
      'verify fresh',
      'converge advance',
      'restart',
      'verify fresh',
      'merge',
      'verify fresh',
      'checkUsers db',
      'prove before db',
      'apply disable db',
      'apply destroy db',
      'prove destroyed db',
      'prove later db',
      'tidy',
      'record',
    ]);
    expect(status.steps.map((s) => [s.name, s.state, s.attempts])).toEqual([
      ['generate', 'done', 1],
      ['encrypt', 'done', 1],
      ['deploy', 'done', 1],
      ['restart', 'done', 1],
      ['verify', 'done', 1],
      ['revoke', 'done', 1],
    ]);
    for (const step of status.steps.slice(2, 5)) {
      expect(step.hosts.map((h) => `${h.name} ${h.state}`).sort()).toEqual(['canary done', 'web-1 done']);
    }
    expect(status.proof?.length).toBeGreaterThan(5);
  });

  test('gives each effect a higher fence than the one before, in the epoch after the highest that it found', async () => {
    const rotation = await bench.start({
      prepare: ({ world }) => {
        world.repo.fence = { epoch: 6, seq: 90 };
      },
    });
    await rotation.result();
    const fenced = rotation.script.calls.flatMap((c) => (c.fence === undefined ? [] : [c.fence]));
    expect(fenced.length).toBeGreaterThan(6);
    expect(fenced.every((f) => f.epoch === 7)).toBe(true);
    for (const [i, fence] of fenced.entries())
      if (i > 0) expect(compareFences(fence, fenced[i - 1] ?? fence)).toBeGreaterThanOrEqual(0);
  });

  test('goes on in the same run where there is no soak', async () => {
    const rotation = await bench.start({ waves: [['web-1']], soakMs: 0 });
    const { runId } = await rotation.handle.describe();
    expect((await rotation.result()).state).toBe('done');
    expect((await rotation.handle.describe()).runId).toBe(runId);
    // Its round of checks is made all the same.
    const labels = rotation.script.labels();
    expect(labels.slice(labels.indexOf('merge') + 1, labels.indexOf('checkUsers db'))).toEqual([
      'verify fresh web-1',
    ]);
  });

  test('continues as new at the soak: runs stay short, and status, events and memo go on', async () => {
    const rotation = await bench.start({ soakMs: 2_500 });
    const first = await rotation.handle.describe();
    await rotation.script.reached('merge');
    const seen = (await rotation.look()).events;
    await eventually(
      'it has continued',
      async () => (await rotation.handle.describe()).runId !== first.runId,
    );
    const during = await rotation.look(seen.at(-1)?.n);
    expect(during.status.steps.find((s) => s.name === 'deploy')?.state).toBe('done');
    await eventually('the memo says that it waits', async () => {
      const memo = memoStatus(await rotation.handle.describe());
      return memo?.state === 'waiting';
    });
    const status = await rotation.result();
    expect(status.state).toBe('done');
    const later = await rotation.look(seen.at(-1)?.n);
    expect(later.events[0]?.n).toBe((seen.at(-1)?.n ?? 0) + 1);
    expect(eventProblems((await rotation.look()).events)).toEqual([]);
    // Every run is short: a watcher or an upgrade never has to replay a long one.
    const described = await rotation.handle.describe();
    expect(described.historyLength).toBeLessThan(150);
    const memo = memoStatus(described);
    expect(memo).toMatchObject({ id: rotation.id, state: 'done', startedAt: status.startedAt });
  });

  test('lets its claims go before it says that it has ended, so that the next can start at once', async () => {
    const first = await bench.start();
    await first.until('done');
    const second = await bench.start({ plan: first.plan });
    expect((await second.result()).state).toBe('done');
    await bench.claimFree(first, 'db');
  });

  test('of several secrets treats each, and ends `done` when all are', async () => {
    const rotation = await bench.start({ secrets: ['db', 'api'], waves: [['canary']] });
    const status = await rotation.result();
    expect(status).toMatchObject({ state: 'done', secrets: ['db', 'api'] });
    expect(outcomeOf(rotation.script.world)).toBe('new');
    expect(rotation.script.labels()).toEqual(
      expect.arrayContaining(['apply destroy api', 'apply destroy db', 'prove later api']),
    );
  });

  test('is recorded with its end, and the record is kept out of the way when it cannot be written', async () => {
    const rotation = await bench.start({ prepare: (s) => s.fail('record', 'GitAuthFailed') });
    expect((await rotation.result()).state).toBe('done');
    const record = rotation.script.calls.find((c) => c.label === 'record');
    expect(record?.input).toMatchObject({
      by: 'tester',
      why: 'a test',
      commit: 'c0de',
      planDigest: 'd19e57',
      status: { state: 'done' },
    });
    const { events } = await rotation.look();
    expect(events.at(-1)?.message).toContain('the record was not written');
  });

  test('tells of each host in each step, and every event has its number', async () => {
    const rotation = await bench.start({ waves: [['canary'], ['web-1', 'web-2']] });
    await rotation.result();
    const { events } = await rotation.look();
    expect(events[0]?.n).toBe(1);
    expect(eventProblems(events)).toEqual([]);
    for (const host of ['canary', 'web-1', 'web-2'])
      for (const step of ['deploy', 'restart', 'verify'])
        expect(
          events.filter((e) => e.host === host && e.step === step && e.stepState === 'done'),
        ).toHaveLength(1);
  });

  test('waits before the last proof', async () => {
    const rotation = await bench.start({ proveAgainMs: 1_500, waves: [['canary']] });
    await rotation.result();
    const at = (label: string): number => rotation.script.calls.find((c) => c.label === label)?.at ?? 0;
    expect(at('prove later db') - at('apply destroy db')).toBeGreaterThanOrEqual(1_400);
  });
});

describe('transient failures', () => {
  test.concurrent.each([
    {
      where: 'before a switch',
      faults: {
        inspectRepo: 'GitUnreachable',
        'generate db': 'IssuerBusy',
        'apply provision db': 'IssuerUnreachable',
        publish: 'GitConflict',
        'build web-1': 'Timeout',
        'copy web-1': 'CopyFailed',
      },
    },
    {
      where: 'on a host',
      faults: {
        'converge advance web-1': 'HostUnreachable',
        'restart web-1': 'HostUnknownOutcome',
        'verify fresh web-1': 'HostUnreachable',
      },
    },
    {
      where: 'after it',
      faults: {
        merge: 'GitConflict',
        'checkUsers db': 'StillInUse',
        'prove disabled db': 'NotDead',
        'apply destroy db': 'IssuerBusy',
        record: 'GitUnreachable',
      },
    },
  ] as const)('$where are tried again, with the same fence, and the rotation goes on', async ({ faults }) => {
    const rotation = await bench.start({
      waves: [['web-1']],
      prepare: (s) => {
        for (const [label, type] of Object.entries(faults))
          s.fail(label, type, { times: 1, afterEffect: true });
      },
    });
    expect((await rotation.result()).state).toBe('done');
    expect(outcomeOf(rotation.script.world)).toBe('new');
    for (const label of Object.keys(faults)) {
      const [first, second] = rotation.script.calls.filter((c) => c.label === label);
      expect([first?.attempt, second?.attempt]).toEqual([1, 2]);
      expect(second?.fence).toEqual(first?.fence);
    }
  });
});
