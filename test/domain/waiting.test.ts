/** What a rotation waits for, on whole rotations through the real decisions. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { decide } from '../../domain/decide.js';
import type { Command, CommandFacts, Journal } from '../../domain/journal.js';
import type { Plan } from '../../domain/plan.js';
import { memoOf, showHost, statusOf } from '../../domain/progress.js';
import { finish, parkOn, record, register, rest } from '../../domain/record.js';
import { follow, objection, type PersonRequest } from '../../domain/say.js';
import { startJournal } from '../../domain/start.js';
import { personWords, type PersonWord, type WaitingFor } from '../../domain/status.js';
import { makePlan } from '../workflows/support/plans.js';
import { statusProblems } from '../workflows/support/status-problems.js';

const hostNames = ['canary', 'web-1', 'web-2'];

function factsOf(command: Command, rounds: number): CommandFacts {
  switch (command.do) {
    case 'preflight':
      return { epoch: 3, base: 'ba5e', hosts: hostNames.map((name) => ({ name, old: `old-${name}` })) };
    case 'generate':
      return { secrets: [{ name: command.secret, fresh: 'sealed' }] };
    case 'build':
      return { hosts: command.hosts.map((name) => ({ name, fresh: `new-${name}` })) };
    case 'rebase':
      return {
        drop: { base: 'ba5e', hosts: hostNames.map((name) => ({ name, from: `new-${name}`, files: [] })) },
      };
    case 'encrypt':
      return { commit: 'c0de' };
    case 'soak':
      return { finished: rounds > 2 };
    default:
      return {};
  }
}

interface Walk {
  plan: Plan;
  /** 0 to 99. */
  roll(): number;
  /** Commands fail more seldom than so many times in a hundred. */
  failing: number;
}

/** Every journal at which the workflow looks whether its memo is another, to the end or for 200 steps. */
function* seen({ plan, roll, failing }: Walk): Generator<Journal> {
  let clock = Date.parse('2026-01-01T00:00:00.000Z');
  const now = (): string => new Date((clock += 1_000)).toISOString();
  let j = startJournal({ id: '01', by: 'alice', takeOver: false, plan: { plan, digest: '' } }, now());
  for (let steps = 0; steps < 200 && j.endedAt === undefined; steps += 1) {
    yield j;
    const action = decide(j, now());
    if (action.type === 'end') j = finish(j, action.state, now());
    else if (action.type === 'wait') {
      yield (j = rest(j, now()));
      clock = Date.parse(action.until);
    } else if (action.type === 'park') {
      yield (j = parkOn(j, action.command, action.reason, now()));
      j = follow(j, requestOf(pick(statusOf(j).waitingFor, roll()), j), now());
    } else {
      for (const command of action.commands) j = register(j, command, now()).journal;
      yield j;
      showHost(j, 'deploy', { name: 'web-1', state: 'running', message: `busy ${steps}` }, now());
      for (const command of action.commands) {
        const fails = roll() < failing;
        const type = roll() < 50 ? 'NeedsPerson' : 'Timeout';
        const outcome = fails
          ? ({ ok: false, reason: { type, message: `${command.do} failed` } } as const)
          : ({ ok: true, facts: factsOf(command, j.soak.rounds) } as const);
        if (j.endedAt === undefined) j = record(j, command, outcome, now());
      }
    }
  }
  yield j;
}

function pick(waitingFor: WaitingFor | undefined, roll: number): PersonWord {
  const words = waitingFor?.words ?? [];
  return words[roll % words.length] ?? 'abort';
}

function requestOf(say: PersonWord, j: Journal): PersonRequest {
  const by = 'bob';
  return say === 'skip'
    ? { say, by, host: statusOf(j).waitingFor?.hosts?.[0] ?? '', acceptLoss: true }
    : { say, by };
}

const shapes: Readonly<Record<'issuer' | 'deploy', Plan>> = {
  issuer: makePlan({ soakMs: 600_000, proveAgainMs: 86_400_000, maxFailures: 1 }),
  deploy: makePlan({
    soakMs: 600_000,
    proveAgainMs: 3_600_000,
    secret: { kill: 'deploy', canDisable: false, retire: 'deploy', keepOldMs: 7 * 86_400_000 },
  }),
};

const walks = fc
  .record({
    shape: fc.constantFrom('issuer', 'deploy'),
    rolls: fc.infiniteStream(fc.integer({ min: 0, max: 99 })),
    failing: fc.constantFrom(0, 5, 20),
  })
  .map(({ shape, rolls, failing }): Walk => ({
    plan: shapes[shape],
    failing,
    roll: () => Number(rolls.next().value),
  }));

/** What it waited for, each once, with how long after the moment that it is counted from. */
function waits(shape: 'issuer' | 'deploy'): [WaitingFor['what'], number][] {
  const all = new Map<WaitingFor['what'], number>();
  for (const j of seen({ plan: shapes[shape], roll: () => 50, failing: 0 })) {
    const { state, waitingFor } = statusOf(j);
    // Not any more once a wait is over, and the state has not followed yet.
    if (waitingFor !== undefined) expect(state).toBe('waiting');
    if (waitingFor?.until === undefined) continue;
    const { what, until } = waitingFor;
    const from = {
      soak: j.soak.startedAt,
      'old-value': j.soak.endedAt,
      'prove-again': j.destroyedAt,
      person: '',
    }[what];
    all.set(what, Date.parse(until) - Date.parse(from ?? ''));
  }
  return [...all];
}

describe('a rotation that waits', () => {
  test('says for what and until when', () => {
    expect(waits('issuer')).toEqual([
      ['soak', 600_000],
      ['prove-again', 86_400_000],
    ]);
    expect(waits('deploy')).toEqual([
      ['soak', 600_000],
      ['old-value', 7 * 86_400_000],
      ['prove-again', 3_600_000],
    ]);
  });

  test('says so in the states that wait, and in no others', () => {
    fc.assert(
      fc.property(walks, (walk) => {
        for (const j of seen(walk)) {
          const status = statusOf(j);
          expect(statusProblems(status)).toEqual([]);
          expect(status.by).toBe('alice');
          const { what, until } = status.waitingFor ?? {};
          const person = status.state === 'needs-attention';
          expect([status.state, what === 'person', until !== undefined]).toEqual([
            status.state,
            person,
            what !== undefined && !person,
          ]);
        }
      }),
      { numRuns: 40 },
    );
  });

  test('tells a person the words and hosts that it takes, all of them and no others', () => {
    fc.assert(
      fc.property(walks, (walk) => {
        for (const j of seen(walk)) {
          if (j.state !== 'needs-attention') continue;
          const { words = [], hosts = [] } = statusOf(j).waitingFor ?? {};
          for (const say of personWords)
            if (say !== 'skip')
              expect([say, words.includes(say)]).toEqual([say, objection(j, { say, by: 'x' }) === undefined]);
          for (const host of hostNames)
            expect([host, hosts.includes(host)]).toEqual([
              host,
              objection(j, { say: 'skip', by: 'x', host, acceptLoss: false }) === undefined,
            ]);
          expect(words.includes('skip')).toBe(hosts.length > 0);
        }
      }),
      { numRuns: 40 },
    );
  });

  test('tells it in a memo that is written no more often for it, and names no hosts there', () => {
    const without = (j: Journal): string => {
      const { waitingFor: _, by: __, ...memo } = memoOf(j);
      return JSON.stringify(memo);
    };
    fc.assert(
      fc.property(walks, (walk) => {
        let before: Journal | undefined;
        for (const j of seen(walk)) {
          const memo = JSON.stringify(memoOf(j));
          expect(memo).not.toContain('web-1"');
          // A soak that continues as new writes the same memo in either way.
          if (before !== undefined)
            expect(JSON.stringify(memoOf(before)) !== memo).toBe(without(before) !== without(j));
          // As the workflow does: what a host reports changes the journal in place.
          before = JSON.parse(JSON.stringify(j));
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe('a host', () => {
  const journal = (): Journal =>
    startJournal(
      { id: '01', by: 'p', takeOver: false, plan: { plan: makePlan(), digest: '' } },
      '2026-01-01T00:00:00Z',
    );
  const at = (second: number): string => `2026-01-01T00:00:${String(second).padStart(2, '0')}Z`;
  const deploy = (j: Journal) => statusOf(j).steps[2]?.hosts;

  test('has the time of its step: from the first report to the last, whatever it says in between', () => {
    const j = journal();
    showHost(j, 'deploy', { name: 'web-1', state: 'running', message: 'building' }, at(1));
    showHost(j, 'deploy', { name: 'web-1', state: 'running', message: 'copying' }, at(5));
    expect(deploy(j)).toEqual([{ name: 'web-1', state: 'running', message: 'copying', startedAt: at(1) }]);
    showHost(j, 'deploy', { name: 'web-1', state: 'done' }, at(9));
    expect(deploy(j)).toEqual([{ name: 'web-1', state: 'done', startedAt: at(1), endedAt: at(9) }]);
  });

  test('has the time of its last try', () => {
    const j = journal();
    showHost(j, 'deploy', { name: 'web-1', state: 'running' }, at(1));
    showHost(j, 'deploy', { name: 'web-1', state: 'failed', message: 'no' }, at(2));
    showHost(j, 'deploy', { name: 'web-1', state: 'running', message: 'going back' }, at(30));
    expect(deploy(j)).toEqual([
      { name: 'web-1', state: 'running', message: 'going back', startedAt: at(30) },
    ]);
  });
});
