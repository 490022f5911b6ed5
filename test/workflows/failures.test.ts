/** Every command that fails for good, and what the rotation then takes back. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { FailureType } from '../../domain/failure.js';
import type { RotationState, StepName } from '../../domain/steps.js';
import { startBench, type Bench } from './support/bench.js';
import { withoutLooks } from './support/phases.js';
import { eventProblems } from './support/status-problems.js';
import { cutOff, outcomeOf } from './support/world.js';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench.stop());

const undo = {
  issuer: ['apply reenable db'],
  hosts: ['converge restore web-1', 'restart web-1', 'verify old web-1'],
  repo: ['unpublish'],
  end: ['apply withdraw db', 'tidy', 'record'],
};
const published = [...undo.issuer, ...undo.repo, ...undo.end];
const deployed = [...undo.issuer, ...undo.hosts, ...undo.repo, ...undo.end];

interface Row {
  label: string;
  type: FailureType;
  end: RotationState;
  step: StepName;
  /** Calls after the failed one. */
  after: string[];
  /** A look at the same time, which may have been begun before or after it. */
  beside?: string;
  /** It may take effect and then fail. */
  acts?: true;
}

const rows: Row[] = [
  ...(
    [
      ['inspectRepo', 'PlanChanged'],
      ['inspectIssuer db', 'IssuerMisconfigured'],
      ['inspectHost web-1', 'HostKeyMismatch'],
      ['takeBaseline web-1', 'OldValueRejected'],
      ['compareHost web-1', 'Drift'],
      ['makeTrial', 'BadRecipient'],
      ['rehearse web-1', 'UnexpectedUnits'],
    ] as const
  ).map(([label, type]): Row => ({ label, type, end: 'refused', step: 'generate', after: ['record'] })),
  { label: 'generate db', type: 'Internal', end: 'refused', step: 'generate', after: ['tidy', 'record'] },
  {
    label: 'apply provision db',
    type: 'IssuerAuthFailed',
    end: 'rolled-back',
    step: 'generate',
    after: published,
    acts: true,
    beside: 'publish',
  },
  {
    label: 'publish',
    type: 'GitRefused',
    end: 'rolled-back',
    step: 'encrypt',
    after: published,
    acts: true,
    beside: 'apply provision db',
  },
  { label: 'build web-1', type: 'BuildFailed', end: 'rolled-back', step: 'deploy', after: published },
  { label: 'copy web-1', type: 'NoSpace', end: 'rolled-back', step: 'deploy', after: published },
  {
    label: 'converge advance web-1',
    type: 'SwitchFailed',
    end: 'rolled-back',
    step: 'deploy',
    after: deployed,
    acts: true,
  },
  { label: 'restart web-1', type: 'UnitFailed', end: 'rolled-back', step: 'restart', after: deployed },
  { label: 'verify fresh web-1', type: 'VerifyFailed', end: 'rolled-back', step: 'verify', after: deployed },
  { label: 'merge', type: 'GitRefused', end: 'rolled-back', step: 'verify', after: deployed, acts: true },
  { label: 'prove before db', type: 'OldValueRejected', end: 'rolled-back', step: 'revoke', after: deployed },
  {
    label: 'apply disable db',
    type: 'IssuerAuthFailed',
    end: 'rolled-back',
    step: 'revoke',
    after: deployed,
    acts: true,
  },
  {
    label: 'prove disabled db',
    type: 'NewValueRejected',
    end: 'rolled-back',
    step: 'revoke',
    after: deployed,
    beside: 'verify fresh web-1',
  },
];

describe('a command that fails for good', () => {
  const cases = rows.flatMap((row) => [
    { ...row, afterEffect: false, told: '' },
    ...(row.acts === true ? [{ ...row, afterEffect: true, told: ', also when it took effect' }] : []),
  ]);
  test.concurrent.each(cases)(
    'ends a rotation as it was before: $label ($type) -> $end$told',
    async ({ label, type, end, step, after, beside, afterEffect }) => {
      const rotation = await bench.start({
        waves: [['web-1']],
        prepare: (s) => s.fail(label, type, { times: 1, afterEffect, hint: 'so it is' }),
      });
      const status = await rotation.result();
      expect(status).toMatchObject({ state: end, reason: { type, hint: 'so it is' } });
      expect(status.reason?.message).toContain(`${label}: injected`);
      expect(outcomeOf(rotation.script.world)).toBe('old');
      expect(cutOff(rotation.script.world)).toBeUndefined();
      const labels = rotation.script.labels();
      const later = labels.slice(labels.indexOf(label) + 1).filter((each) => each !== beside);
      expect(withoutLooks(later)).toEqual(after);
      // It tells which step failed, and no other; and on which host.
      expect(status.steps.filter((s) => s.state === 'failed').map((s) => s.name)).toEqual([step]);
      const { events } = await rotation.look();
      const host = events.find((e) => e.type === 'host' && e.message?.includes('injected') === true);
      expect(host?.host).toBe(label.endsWith('web-1') ? 'web-1' : undefined);
      expect(eventProblems(events)).toEqual([]);
      await bench.claimFree(rotation, 'db');
    },
  );

  test('on a host that runs something else is told as that, though its rehearsal fails first', async () => {
    let open = (): void => {};
    const rotation = await bench.start({
      waves: [['web-1']],
      prepare: (s) => {
        open = s.gate('compareHost web-1');
        s.fail('rehearse web-1', 'UnexpectedUnits');
      },
    });
    await rotation.script.reached('rehearse web-1');
    rotation.script.fail('compareHost web-1', 'Drift');
    open();
    expect(await rotation.result()).toMatchObject({ state: 'refused', reason: { type: 'Drift' } });
    await bench.claimFree(rotation, 'db');
  });

  test('beside the proof that the old value is refused gives that up, and is what is told', async () => {
    const opens: (() => void)[] = [];
    const rotation = await bench.start({
      waves: [['web-1']],
      prepare: (s) => opens.push(s.gate('apply disable db'), s.gate('prove disabled db')),
    });
    const [disable, prove] = opens;
    await rotation.script.reached('apply disable db');
    rotation.script.fail('verify fresh web-1', 'VerifyFailed');
    disable?.();
    await rotation.script.reached('apply reenable db');
    prove?.();
    const status = await rotation.result();
    expect(status).toMatchObject({ state: 'rolled-back', reason: { type: 'VerifyFailed' } });
    expect(outcomeOf(rotation.script.world)).toBe('old');
    await bench.claimFree(rotation, 'db');
  });

  test('in the soak, which goes on as a new run, undoes all of it', async () => {
    let open = (): void => {};
    const rotation = await bench.start({
      waves: [['web-1']],
      prepare: (s) => {
        open = s.gate('merge');
      },
    });
    await rotation.script.reached('merge');
    rotation.script.fail('verify fresh web-1', 'VerifyFailed');
    open();
    const status = await rotation.result();
    expect(status).toMatchObject({ state: 'rolled-back', reason: { type: 'VerifyFailed' } });
    expect(outcomeOf(rotation.script.world)).toBe('old');
  });

  test('of two secrets at once is undone once, and does not park', async () => {
    const rotation = await bench.start({
      secrets: ['api', 'db'],
      waves: [['web-1']],
      prepare: (s) => {
        s.fail('apply provision api', 'IssuerAuthFailed');
        s.fail('apply provision db', 'IssuerAuthFailed', { afterEffect: true });
      },
    });
    expect(await rotation.result()).toMatchObject({
      state: 'rolled-back',
      reason: { type: 'IssuerAuthFailed' },
    });
    expect(outcomeOf(rotation.script.world)).toBe('old');
  });

  test('after destroy is not undone: it parks, tries again by itself, and a person may hasten it', async () => {
    const rotation = await bench.start({
      waves: [['web-1']],
      prepare: (s) => s.fail('prove destroyed db', 'Internal'),
    });
    const parked = await rotation.until('needs-attention');
    expect(parked.reason).toMatchObject({ type: 'Internal' });
    expect(parked.reason?.hint).toContain('rotate retry');
    expect(parked.reason?.hint).not.toContain('rollback');
    await expect(rotation.say({ say: 'rollback' })).rejects.toMatchObject({
      type: 'NotAllowed',
      message: `the old value of rotation ${rotation.id} is destroyed: from here on only forward`,
    });
    rotation.script.heal('prove destroyed db');
    await rotation.say({ say: 'retry' });
    expect((await rotation.result()).state).toBe('done');
    expect(outcomeOf(rotation.script.world)).toBe('new');
  });

  test('because its budget is used up is told with the last reason', async () => {
    const rotation = await bench.start({
      waves: [['web-1']],
      budgets: { apply: 2_000 },
      prepare: (s) => s.fail('apply provision db', 'IssuerUnreachable'),
    });
    const status = await rotation.result();
    expect(status).toMatchObject({ state: 'rolled-back', reason: { type: 'IssuerUnreachable' } });
    const attempts = rotation.script.calls.filter((c) => c.label === 'apply provision db');
    expect(attempts.length).toBeGreaterThan(1);
  });

  test('on one host takes no further host into the undo of hosts that were never touched', async () => {
    const rotation = await bench.start({
      waves: [['canary'], ['web-1', 'web-2']],
      prepare: (s) => s.fail('converge advance canary', 'SwitchFailed'),
    });
    expect((await rotation.result()).state).toBe('rolled-back');
    expect(rotation.script.labels().filter((l) => l.startsWith('converge'))).toEqual([
      'converge advance canary',
      'converge restore canary',
    ]);
  });
});

describe('a failure in preflight on one host', () => {
  test('refuses without waiting for the others, and begins no further one', async () => {
    const rotation = await bench.start({
      waves: [['a', 'b', 'c', 'd']],
      parallel: 2,
      prepare: (s) => {
        s.hang('inspectHost a');
        s.fail('inspectHost b', 'HostKeyMismatch');
      },
    });
    const status = await rotation.result();
    expect(status).toMatchObject({ state: 'refused', reason: { type: 'HostKeyMismatch' } });
    expect(rotation.script.labels().filter((l) => l.startsWith('inspectHost'))).toEqual([
      'inspectHost a',
      'inspectHost b',
    ]);
    expect(status.steps[0]?.hosts).toMatchObject([
      { name: 'a', state: 'skipped' },
      { name: 'b', state: 'failed', message: 'inspectHost b: injected' },
    ]);
  });
});
