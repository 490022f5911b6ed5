/** One look of a schedule, and rotations that follow one another. */
import { ulid } from 'ulid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { Assessment } from '../../activities/api.js';
import { makeRequest } from '../../client/requests.js';
import type { DueSecret, DueVerdict } from '../../domain/due-verdict.js';
import { RotateError } from '../../domain/failure.js';
import type { Plan } from '../../domain/plan.js';
import type { StartRequest } from '../../domain/start.js';
import { newUlid } from '../../domain/ulid.js';
import {
  taskQueue,
  workflowTypes,
  type DueInput,
  type DueResult,
  type SequencePart,
  type SequenceRequest,
} from '../../workflows/messages.js';
import { eventually, startBench, type Bench } from './support/bench.js';
import { makePlan } from './support/plans.js';
import type { Script } from './support/stand-ins.js';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench.stop());

let count = 0;
/** A schedule of its own for each test. */
function name(): string {
  count += 1;
  return `s${count}`;
}

function verdict(
  schedule: string,
  secrets: Partial<DueSecret>[],
  gate: DueVerdict['gate'] = { state: 'open' },
): DueVerdict {
  const told = secrets.map((s): DueSecret => ({
    name: 'db',
    state: 'due',
    missed: 0,
    reason: 'is due',
    ...s,
  }));
  return {
    schedule,
    environment: 'env',
    at: new Date().toISOString(),
    gate,
    start: gate.state === 'open' ? told.filter((s) => s.state === 'due').map((s) => s.name) : [],
    secrets: told,
  };
}

async function look(schedule: string, assessment: Assessment | RotateError): Promise<DueResult> {
  bench.stands.assessments.set(schedule, assessment);
  return bench.client.workflow.execute<(input: DueInput) => Promise<DueResult>>(workflowTypes.due, {
    workflowId: `due/env/${schedule}`,
    taskQueue,
    args: [{ environment: 'env', schedule }],
  });
}

function toldOf(schedule: string): string[] {
  return bench.stands.told.filter((n) => n.text.startsWith(`schedule env/${schedule}:`)).map((n) => n.text);
}

/** Rotations choose their ids in the workflow: whichever comes gets the script of its plan. */
function scripted(plan: Plan, prepare: (script: Script) => void = () => {}): Plan {
  bench.stands.expect(plan, prepare);
  return plan;
}

const plans = (...all: Plan[]): Assessment['batches'] => all.map((plan) => ({ plan, digest: 'd19e57' }));

describe('a look', () => {
  test('starts what is due, batch after batch, in the name of the schedule', async () => {
    const schedule = name();
    const [a, b] = ['a', 'b'].map((secret) =>
      scripted(makePlan({ environment: `due-${schedule}`, secrets: [secret], waves: [['web-1']] })),
    );
    if (a === undefined || b === undefined) throw new Error('two plans');
    const result = await look(schedule, {
      declared: true,
      verdict: verdict(schedule, [{ name: 'a' }, { name: 'b' }]),
      batches: plans(a, b),
      people: [],
      unplanned: [],
      why: 'quarterly',
    });
    expect(result).toMatchObject({
      outcome: 'started',
      started: [
        { secrets: ['a'], state: 'done' },
        { secrets: ['b'], state: 'done' },
      ],
      told: [],
    });
    const [first] = bench.stands.told.filter((n) => n.secrets[0] === 'a' && n.event === 'started');
    expect(first).toMatchObject({
      by: `schedule ${schedule}`,
      why: 'quarterly',
      environment: `due-${schedule}`,
    });
    expect(result.started[0]?.id).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/);
  });

  test('does not start what comes after a rotation that did not succeed, and says so', async () => {
    const schedule = name();
    const environment = `due-${schedule}`;
    const a = scripted(makePlan({ environment, secrets: ['a'], waves: [['web-1']] }), (s) =>
      s.fail('verify fresh web-1', 'VerifyFailed', { times: 1 }),
    );
    const b = makePlan({ environment, secrets: ['b'], waves: [['web-1']] });
    const result = await look(schedule, {
      declared: true,
      verdict: verdict(schedule, [{ name: 'a' }, { name: 'b' }]),
      batches: plans(a, b),
      people: [],
      unplanned: [],
    });
    expect(result.started.map((part) => part.state)).toEqual(['rolled-back', undefined]);
    await eventually('it is told', async () => toldOf(schedule).length === 1);
    expect(toldOf(schedule)[0]).toContain('not started, as a rotation before it did not succeed: b');
  });

  test('goes on after a rotation that was refused, but for what comes after it', async () => {
    const schedule = name();
    const environment = `due-${schedule}`;
    const [a, b, c, d] = [['a'], ['b', 'x'], ['c'], ['d']].map((secrets) =>
      scripted(makePlan({ environment, secrets, waves: [['web-1']] }), (s) => {
        if (secrets.includes('a')) s.fail('inspectRepo', 'PlanChanged');
      }),
    );
    if (a === undefined || b === undefined || c === undefined || d === undefined)
      throw new Error('four plans');
    const result = await look(schedule, {
      declared: true,
      verdict: verdict(
        schedule,
        ['a', 'b', 'x', 'c', 'd'].map((each) => ({ name: each })),
      ),
      batches: plans(a, b, c, d),
      // d comes after x, which waits for what goes through with it
      comesAfter: [[], [0], [], [1]],
      people: [],
      unplanned: [],
    });
    expect(result.started.map((part) => part.state)).toEqual(['refused', undefined, 'done', undefined]);
    expect(result.told).toEqual(['not started, as a rotation before it did not succeed: b, x, d']);
  });

  test.each<[string, string | RotateError, string]>([
    ['its window has closed', 'waits for its window, which opens tomorrow', 'which opens tomorrow'],
    [
      'nobody can tell',
      new RotateError('BadConfig', 'nonsense'),
      'nobody could look whether it may be: nonsense',
    ],
  ])('starts no further batch when %s meanwhile, and says so', async (_, closed, why) => {
    const schedule = name();
    const environment = `due-${schedule}`;
    bench.stands.closed.set(schedule, closed);
    const a = scripted(makePlan({ environment, secrets: ['a'], waves: [['web-1']] }));
    const b = makePlan({ environment, secrets: ['b'], waves: [['web-1']] });
    const result = await look(schedule, {
      declared: true,
      verdict: verdict(schedule, [{ name: 'a' }, { name: 'b' }]),
      batches: plans(a, b),
      people: [],
      unplanned: [],
    });
    expect(result.started.map((part) => part.state)).toEqual(['done', undefined]);
    expect(result.told).toEqual([expect.stringMatching(new RegExp(`^not started, .*${why}: b$`))]);
  });

  test('ends, and tells, however many secrets it has not started', async () => {
    const schedule = name();
    const environment = `due-${schedule}`;
    const a = scripted(makePlan({ environment, secrets: ['a'], waves: [['web-1']] }), (s) =>
      s.fail('inspectRepo', 'PlanChanged'),
    );
    const many = Array.from({ length: 40 }, (_, i) => `a-secret-with-a-name-of-many-letters-${i}`);
    const result = await look(schedule, {
      declared: true,
      verdict: verdict(schedule, [{ name: 'a' }, ...many.map((each) => ({ name: each }))]),
      batches: plans(a, makePlan({ environment, secrets: many, waves: [['web-1']] })),
      people: [],
      unplanned: [],
    });
    expect(result.told).toEqual([expect.stringContaining('not started, as a rotation before it')]);
    await eventually('it is told', async () => toldOf(schedule).length === 1);
  });

  test('ends when its rotation asks for a person, so that the next look is not dropped', async () => {
    const schedule = name();
    const a = scripted(
      makePlan({
        environment: `due-${schedule}`,
        secrets: ['a'],
        waves: [['web-1']],
        budgets: { drain: 1_000 },
      }),
      (s) => s.fail('checkUsers a', 'StillInUse'),
    );
    const result = await look(schedule, {
      declared: true,
      verdict: verdict(schedule, [{ name: 'a' }]),
      batches: plans(a),
      people: [],
      unplanned: [],
    });
    expect(result.started).toMatchObject([{ state: 'needs-attention' }]);
  });

  test.each<[string, Partial<Assessment>, DueResult['outcome'], RegExp | undefined]>([
    ['nothing is due', { verdict: verdict('x', [{ state: 'not-due' }]) }, 'nothing-due', undefined],
    [
      'a freeze is open',
      {
        verdict: verdict('x', [{ reason: 'is due, and frozen' }], {
          state: 'frozen',
          until: '2027-01-07T00:00:00Z',
        }),
      },
      'frozen',
      /db: is due, and frozen/,
    ],
    [
      'a window was missed',
      { verdict: verdict('x', [{ missed: 2, reason: 'missed 2 windows' }], { state: 'outside-window' }) },
      'outside-window',
      /missed 2 windows/,
    ],
    [
      'the secret is busy',
      { verdict: verdict('x', [{ state: 'busy', rotation: '01J', reason: 'rotation 01J is under way' }]) },
      'nothing-started',
      /rotation 01J is under way/,
    ],
    [
      'its last rotation is parked',
      { verdict: verdict('x', [{ state: 'parked', rotation: '01J', reason: 'rotation 01J waits' }]) },
      'nothing-started',
      /rotation 01J waits/,
    ],
    [
      'a person has to bring the value',
      { verdict: verdict('x', [{ reason: 'is due' }]), people: ['db'], unplanned: [] },
      'nothing-started',
      /a person has to bring the new value: `rotate start db`/,
    ],
    [
      'it cannot be planned',
      {
        verdict: verdict('x', [{ reason: 'is due' }]),
        unplanned: [{ secret: 'db', reason: 'no consumer is named' }],
      },
      'nothing-started',
      /^(?:schedule .*)?db: is due and cannot be planned: no consumer is named$/m,
    ],
    ['the schedule is gone', { declared: false }, 'undeclared', /no such schedule any more/],
  ])('ends defined when %s, and tells it once', async (_, found, outcome, text) => {
    const schedule = name();
    const assessment: Assessment = { declared: true, batches: [], people: [], unplanned: [], ...found };
    for (let times = 0; times < 2; times += 1) {
      const result = await look(schedule, assessment);
      expect(result.outcome).toBe(outcome);
      if (text === undefined) expect(result.told).toEqual([]);
      else expect(result.told.join('\n')).toMatch(text);
    }
    if (text !== undefined) {
      await eventually('it is told', async () => toldOf(schedule).length > 0);
      expect(toldOf(schedule)).toEqual([expect.stringMatching(text)]);
    }
  });

  test('that fails ends, too, with why', async () => {
    const schedule = name();
    const result = await look(schedule, new RotateError('BadConfig', 'rotate.yaml:3:1: nonsense'));
    expect(result).toMatchObject({ outcome: 'failed', told: [expect.stringContaining('nonsense')] });
  });
});

describe('a sequence', () => {
  async function run(request: SequenceRequest, id: string): Promise<SequencePart[]> {
    return bench.client.workflow.execute<(request: SequenceRequest) => Promise<SequencePart[]>>(
      workflowTypes.sequence,
      { workflowId: id, taskQueue, args: [request] },
    );
  }
  const start = (plan: Plan): StartRequest => ({
    id: ulid(),
    by: 'p',
    takeOver: false,
    plan: { plan, digest: 'd19e57' },
  });

  test('carries out one rotation after the other', async () => {
    const environment = `seq-${name()}`;
    const all = ['ca', 'leaf'].map((secret) =>
      start(scripted(makePlan({ environment, secrets: [secret], waves: [['web-1']] }))),
    );
    const id = `sequence/${environment}/${ulid()}`;
    const parts = await run(makeRequest(id, { rotations: all }), id);
    expect(parts).toEqual([
      { id: all[0]?.id, secrets: ['ca'], state: 'done' },
      { id: all[1]?.id, secrets: ['leaf'], state: 'done' },
    ]);
  });

  test('is refused when the request was made for another', async () => {
    const id = `sequence/x/${ulid()}`;
    await expect(run(makeRequest('sequence/x/other', { rotations: [] }), id)).rejects.toThrow();
  });
});

test('ulids made from a random UUID are sorted by time, and tell apart', () => {
  const uuid = '0191d3a0-7a3b-4c1d-8e2f-a1b2c3d4e5f6';
  expect(newUlid(0, uuid)).toMatch(/^0{10}[0-9A-HJKMNP-TV-Z]{16}$/);
  expect(newUlid(1_469_918_176_385, uuid).slice(0, 10)).toBe('01ARYZ6S41');
  expect(newUlid(1, uuid) < newUlid(2, uuid)).toBe(true);
  expect(newUlid(1, uuid)).not.toBe(newUlid(1, uuid.replace('0191', '0192')));
});
