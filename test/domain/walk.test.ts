/**
 * Random walks through the journal, with several secrets and hosts: whatever fails, in
 * whatever order, and whoever speaks, what is told stays true and what is planned stays safe.
 */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { decide, nothingBegan } from '../../domain/decide.js';
import type { FailureType, Reason } from '../../domain/failure.js';
import type { Command, CommandFacts, Journal, Outcome } from '../../domain/journal.js';
import { eventsAfter, showHost, statusOf, stepOf } from '../../domain/progress.js';
import { describe as describeCommand, finish, parkOn, record, register } from '../../domain/record.js';
import { follow, objection, remains, type PersonRequest } from '../../domain/say.js';
import { startJournal } from '../../domain/start.js';
import type { RotationEvent } from '../../domain/status.js';
import { isUndo, mayHoldNew, pastUndo, undoPlan } from '../../domain/undo.js';
import { makePlan } from '../workflows/support/plans.js';
import { eventProblems, statusProblems } from '../workflows/support/status-problems.js';

interface Dice {
  /** 0 to 99. */
  roll(): number;
}

const waves = [['a'], ['b', 'c'], ['d']];
const hostNames = waves.flat();

function factsOf(command: Command): CommandFacts {
  switch (command.do) {
    case 'preflight':
      return { epoch: 3, base: 'ba5e', hosts: hostNames.map((name) => ({ name, old: `old-${name}` })) };
    case 'generate':
      return { secrets: [{ name: command.secret, fresh: 'sealed' }] };
    case 'build':
      return { hosts: command.hosts.map((name) => ({ name, fresh: `new-${name}` })) };
    case 'encrypt':
      return { commit: 'c0de' };
    case 'soak':
      return { finished: true };
    default:
      return {};
  }
}

function outcomeOf(command: Command, dice: Dice, cancelled: boolean): Outcome {
  const r = dice.roll();
  if (cancelled) return { ok: false, cancelled: true, reason: { type: 'Interrupted', message: 'cancelled' } };
  if (r < 80) return { ok: true, facts: factsOf(command) };
  const type: FailureType = r < 90 ? 'Timeout' : 'Internal';
  const reason: Reason = { type, message: `${describeCommand(command)} failed` };
  if ((command.do !== 'advance' && command.do !== 'restore') || r % 2 === 0) return { ok: false, reason };
  // One host of the wave failed, the others went through.
  return {
    ok: false,
    reason,
    facts: {
      hosts: command.hosts.map((name, i) =>
        i === 0
          ? { name, failed: reason }
          : command.do === 'advance'
            ? { name, switched: true, restarted: true, verified: true }
            : { name, restored: true },
      ),
    },
  };
}

function someRequest(dice: Dice): PersonRequest {
  const host = hostNames[dice.roll() % hostNames.length] ?? 'a';
  const by = 'p';
  const r = dice.roll();
  if (r < 40) return { say: 'retry', by };
  if (r < 75) return { say: 'skip', by, host, acceptLoss: dice.roll() < 50 };
  if (r < 90) return { say: 'rollback', by };
  return { say: 'abort', by };
}

interface Walk {
  journal: Journal;
  commands: Command[];
  events: RotationEvent[];
}

/** Walks until the end or for 300 steps; `look` is called with every journal on the way. */
function walk(dice: Dice, maxFailures: number, look: (journal: Journal) => void): Walk {
  let clock = Date.parse('2026-01-01T00:00:00.000Z');
  const now = (): string => new Date((clock += 1_000)).toISOString();
  const commands: Command[] = [];
  const events: RotationEvent[] = [];
  let journal = startJournal(
    {
      id: '01',
      by: 'p',
      takeOver: false,
      plan: { plan: makePlan({ secrets: ['s', 't'], waves, maxFailures }), digest: '' },
    },
    now(),
  );
  const set = (next: Journal): void => {
    journal = next;
    events.push(...eventsAfter(journal, events.at(-1)?.n ?? 0));
    look(journal);
  };
  for (let steps = 0; steps < 300 && journal.endedAt === undefined; steps += 1) {
    const action = decide(journal, now());
    if (action.type === 'end') set(finish(journal, action.state, now()));
    else if (action.type === 'wait') clock = Date.parse(action.until);
    else if (action.type === 'park') {
      set(parkOn(journal, action.command, action.reason, now()));
      const request = someRequest(dice);
      if (objection(journal, request) === undefined) set(follow(journal, request, now()));
    } else {
      const begun = action.commands;
      for (const command of begun) {
        commands.push(command);
        const registered = register(journal, command, now());
        expect(registered.seq).toBe(journal.seq + 1);
        set(registered.journal);
        for (const name of hostNames)
          if (dice.roll() < 10) {
            showHost(journal, stepOf(command), { name, state: 'running', message: 'busy' }, now());
          }
      }
      // A person may speak while they run.
      let cancelled = false;
      if (dice.roll() < 5) {
        const request = someRequest(dice);
        if (objection(journal, request) === undefined) {
          set(follow(journal, request, now()));
          cancelled = true;
        }
      }
      for (const command of begun)
        if (journal.endedAt === undefined)
          set(record(journal, command, outcomeOf(command, dice, cancelled && dice.roll() < 70), now()));
    }
  }
  return { journal, commands, events };
}

const rolls = fc.infiniteStream(fc.integer({ min: 0, max: 99 })).map((stream): Dice => ({
  roll: () => {
    const { value } = stream.next();
    return typeof value === 'number' ? value : 0;
  },
}));
const runs = { numRuns: 200 };

describe('on every walk', () => {
  test('each status keeps the promises of domain/status.ts, and no event is missing', () => {
    fc.assert(
      fc.property(rolls, fc.nat(2), (dice, maxFailures) => {
        const { events, journal } = walk(dice, maxFailures, (j) => {
          const problems = statusProblems(statusOf(j));
          expect(problems).toEqual([]);
        });
        expect(eventProblems(events)).toEqual([]);
        expect(events.at(-1)?.n).toBe(journal.eventCount);
      }),
      runs,
    );
  });

  test('the journal is plain JSON, and what goes into a function is not changed', () => {
    fc.assert(
      fc.property(rolls, (dice) => {
        walk(dice, 1, (j) => {
          expect(JSON.parse(JSON.stringify(j))).toEqual(j);
        });
      }),
      { numRuns: 50 },
    );
  });

  test('the undo never withdraws before every touched host is restored, or its loss accepted', () => {
    fc.assert(
      fc.property(rolls, fc.nat(2), (dice, maxFailures) => {
        walk(dice, maxFailures, (j) => {
          const plan = undoPlan(j);
          expect(plan.every(isUndo)).toBe(true);
          const order = plan.map((c) => (c.do === 'apply' ? c.purpose : c.do));
          const rank = ['reenable', 'restore', 'unpublish', 'withdraw'];
          const ranks = order.map((o) => rank.indexOf(o));
          expect(ranks).toEqual(ranks.toSorted((a, b) => a - b));
          const action = j.mode === 'undo' ? decide(j, '2027-01-01T00:00:00.000Z') : undefined;
          if (action?.type !== 'run') return;
          for (const c of action.commands) {
            if (c.do === 'apply' && c.purpose === 'withdraw')
              expect(j.hosts.filter((h) => mayHoldNew(h) && !h.lossAccepted)).toEqual([]);
          }
        });
      }),
      runs,
    );
  });

  test('nothing is disabled or destroyed while a host may hold the old value', () => {
    fc.assert(
      fc.property(rolls, fc.nat(2), (dice, maxFailures) => {
        walk(dice, maxFailures, (j) => {
          const action = decide(j, '2027-01-01T00:00:00.000Z');
          if (action.type !== 'run') return;
          for (const c of action.commands) {
            if (c.do === 'apply' && (c.purpose === 'disable' || c.purpose === 'destroy') && !pastUndo(j))
              expect(j.hosts.filter((h) => !h.verified && !h.lossAccepted)).toEqual([]);
          }
        });
      }),
      runs,
    );
  });

  test('after destroy nothing is undone, and only a person ends it as failed', () => {
    fc.assert(
      fc.property(rolls, (dice) => {
        const { journal, commands, events } = walk(dice, 0, () => {});
        const destroyed = commands.findIndex((c) => c.do === 'apply' && c.purpose === 'destroy');
        if (destroyed >= 0) expect(commands.slice(destroyed).filter(isUndo)).toEqual([]);
        if (journal.state === 'failed') expect(events.some((e) => e.message === 'abort by p')).toBe(true);
        if (journal.state === 'refused') expect(nothingBegan(journal)).toBe(true);
        if (journal.state === 'rolled-back') expect(nothingBegan(journal)).toBe(false);
      }),
      runs,
    );
  });
});

describe('what an abort leaves', () => {
  test('is nothing before anything was begun', () => {
    const journal = startJournal(
      { id: '01', by: 'p', takeOver: false, plan: { plan: makePlan(), digest: '' } },
      '2026-01-01T00:00:00.000Z',
    );
    expect(remains(journal)).toBe('nothing was changed');
  });

  test('is told for issuer, hosts and repo', () => {
    fc.assert(
      fc.property(rolls, (dice) => {
        const { journal } = walk(dice, 0, () => {});
        if (journal.state !== 'failed') return;
        const text = journal.reason?.message ?? '';
        for (const h of journal.hosts.filter(mayHoldNew)) expect(text).toContain(h.name);
        if (journal.secrets.some((s) => s.destroy !== 'none')) expect(text).toContain('may be destroyed');
        if (!nothingBegan(journal)) expect(text).not.toContain('nothing was changed');
      }),
      { numRuns: 200 },
    );
  });
});
