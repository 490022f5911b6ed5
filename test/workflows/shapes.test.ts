/** Rotations of other shapes: one value at a time, a second deploy, values that people and issuers make. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { windowClaim } from '../../domain/record.js';
import { startBench, type Bench } from './support/bench.js';
import { phases } from './support/phases.js';
import { outcomeOf } from './support/world.js';

let bench: Bench;
beforeAll(async () => {
  bench = await startBench();
});
afterAll(() => bench.stop());

/** From where the value is generated on. */
function acts(labels: readonly string[]): string[] {
  const all = phases(labels);
  return all.slice(all.indexOf('reserve') + 1);
}

describe('a rotation whose issuer knows one value at a time', () => {
  const swap = { secret: { overlap: 'swap' as const }, waves: [['canary', 'web-1']] };

  test('has everything ready before the issuer changes, and then switches all hosts at once', async () => {
    const rotation = await bench.start(swap);
    const status = await rotation.result();
    expect(status.state).toBe('done');
    expect(outcomeOf(rotation.script.world)).toBe('new');
    expect(acts(rotation.script.labels()).slice(0, 9)).toEqual([
      'generate db',
      'publish',
      'build',
      'copy',
      'prove before db',
      'apply provision db',
      'converge advance',
      'restart',
      'verify fresh',
    ]);
    const window = status.proof?.filter((p) => p.claim === windowClaim);
    expect(window).toEqual([
      expect.objectContaining({
        result: 'passed',
        evidence: expect.stringMatching(/^\d+\.\d s, from .+Z to .+Z$/),
      }),
    ]);
  });

  test('tells the issuer of the swap from when on it counts, for what was opened before', async () => {
    const rotation = await bench.start(swap);
    await rotation.result();
    const inputs = rotation.script.calls.filter((c) =>
      /^(checkUsers|apply disable|prove disabled)/.test(c.label),
    );
    expect(inputs.length).toBe(3);
    for (const { input } of inputs) expect(input).toMatchObject({ since: expect.stringMatching(/Z$/) });
    const [first] = rotation.script.calls.filter((c) => c.label === 'apply provision db');
    expect(first?.input).not.toHaveProperty('since');
  });

  test('goes back at the issuer first when a host fails, then on all hosts, and makes sure at last', async () => {
    const rotation = await bench.start({
      ...swap,
      waves: [['db-1'], ['web-1', 'web-2']],
      prepare: (s) => s.fail('verify fresh web-2', 'VerifyFailed'),
    });
    const status = await rotation.result();
    expect(status.state).toBe('rolled-back');
    expect(outcomeOf(rotation.script.world)).toBe('old');
    const labels = rotation.script.labels();
    const undo = phases(labels.slice(labels.indexOf('apply reenable db')));
    expect(undo).toEqual([
      'apply reenable db',
      // The host of the issuer by itself, and then the others.
      'converge restore db-1',
      'restart db-1',
      'verify old db-1',
      'converge restore',
      'restart',
      'verify old',
      'unpublish',
      'apply withdraw db',
      'tidy',
      'record',
    ]);
  });
});

describe('a rotation whose old value is dropped by a second deploy', () => {
  const list = (keepOldMs: number) => ({
    secret: { kill: 'deploy' as const, canDisable: false, retire: 'deploy' as const, keepOldMs },
    waves: [['canary'], ['web-1']],
  });

  test('lists both, and later deploys the new one alone', async () => {
    const rotation = await bench.start(list(0));
    const status = await rotation.result();
    expect(status.state).toBe('done');
    expect(acts(rotation.script.labels())).toEqual([
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
      'findBase',
      'inspectHost',
      'compareHost',
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
      'proveGone destroyed',
      'proveGone later',
      'tidy',
      'record',
    ]);
    const published = rotation.script.calls.filter((c) => c.label === 'publish').map((c) => c.input);
    expect(published).toEqual([
      expect.objectContaining({ content: 'both' }),
      expect.objectContaining({ content: 'new', scope: expect.objectContaining({ base: 'ba5e2' }) }),
    ]);
    expect(status.steps.map((s) => [s.name, s.state])).toEqual(
      ['generate', 'encrypt', 'deploy', 'restart', 'verify', 'revoke'].map((name) => [name, 'done']),
    );
    const gone = status.proof?.filter((p) => p.claim === 'the old value is gone').map((p) => p.host);
    expect(new Set(gone)).toEqual(new Set(['canary', 'web-1']));
  });

  test('waits while what the old value signed is valid, and can be undone until then', async () => {
    const rotation = await bench.start(list(3_600_000));
    expect((await rotation.until('waiting')).steps.at(-1)?.state).toBe('pending');
    await rotation.say({ say: 'rollback' });
    const status = await rotation.result();
    expect(status.state).toBe('rolled-back');
    expect(outcomeOf(rotation.script.world)).toBe('old');
  });

  test('parks when the second deploy cannot begin, and goes on when it can', async () => {
    const parked = await bench.start({ ...list(0), prepare: (s) => s.fail('findBase', 'PlanChanged') });
    const status = await parked.until('needs-attention');
    expect(status.reason).toMatchObject({ type: 'PlanChanged' });
    parked.script.heal('findBase');
    await parked.say({ say: 'retry' });
    expect((await parked.result()).state).toBe('done');
  });

  test('only goes forward once a host has dropped the old value', async () => {
    const stuck = await bench.start({ ...list(0) });
    await stuck.script.reached('findBase');
    stuck.script.fail('verify fresh web-1', 'VerifyFailed');
    await stuck.until('needs-attention');
    await expect(stuck.say({ say: 'rollback' })).rejects.toMatchObject({ type: 'NotAllowed' });
    stuck.script.heal('verify fresh web-1');
    await stuck.say({ say: 'retry' });
    expect((await stuck.result()).state).toBe('done');
  });
});

describe('a rotation that a person has a part in', () => {
  test('asks for what only a person can do, and goes on when he says that it is done', async () => {
    const rotation = await bench.start({
      secret: { kill: 'manual', canDisable: false, source: 'person' },
      waves: [['web-1']],
      prepare: (s) => s.fail('apply destroy db', 'NeedsPerson', { hint: 'delete the key' }),
    });
    const parked = await rotation.until('needs-attention');
    expect(parked.reason).toMatchObject({ type: 'NeedsPerson', hint: 'delete the key' });
    rotation.script.heal('apply destroy db');
    await rotation.say({ say: 'confirm' });
    expect((await rotation.result()).state).toBe('done');
    const calls = rotation.script.calls.filter((c) => c.label === 'apply destroy db');
    expect(calls.at(-1)?.input).toMatchObject({ confirmedBy: 'tester' });
  });

  test('keeps what he has confirmed by what he was asked for', async () => {
    const needs = (act: string) => ({ hint: 'see the vendor', details: { act } });
    const rotation = await bench.start({
      secret: { kill: 'manual', canDisable: false, source: 'person' },
      waves: [['web-1']],
      prepare: (s) => s.fail('apply destroy db', 'NeedsPerson', needs('revoke')),
    });
    await rotation.until('needs-attention');
    const destroys = () => rotation.script.calls.filter((c) => c.label === 'apply destroy db');
    expect(destroys()[0]?.input).not.toHaveProperty('confirmedActs');
    rotation.script.fail('apply destroy db', 'NeedsPerson', needs('provision'));
    await rotation.say({ say: 'confirm' });
    await expect.poll(() => destroys().length).toBe(2);
    await rotation.until('needs-attention');
    rotation.script.heal('apply destroy db');
    await rotation.say({ say: 'confirm' });
    expect((await rotation.result()).state).toBe('done');
    expect(destroys().map(({ input }) => input)).toMatchObject([
      {},
      { confirmedBy: 'tester', confirmedActs: { revoke: 'tester' } },
      { confirmedBy: 'tester', confirmedActs: { revoke: 'tester', provision: 'tester' } },
    ]);
  });

  test('refuses a confirmation that it has not asked for', async () => {
    const rotation = await bench.start({
      waves: [['web-1']],
      budgets: { drain: 1_500 },
      prepare: (s) => s.fail('checkUsers db', 'StillInUse'),
    });
    await rotation.until('needs-attention');
    await expect(rotation.say({ say: 'confirm' })).rejects.toMatchObject({ type: 'NotAllowed' });
    await rotation.say({ say: 'rollback' });
    expect((await rotation.result()).state).toBe('rolled-back');
  });
});

describe('a rotation whose issuer makes the value', () => {
  test('withdraws it also when the answer was lost', async () => {
    const rotation = await bench.start({
      secret: { source: 'issuer', canDisable: false },
      waves: [['web-1']],
      prepare: (s) => s.fail('generate db', 'IssuerMisconfigured'),
    });
    const status = await rotation.result();
    expect(status.state).toBe('rolled-back');
    const withdrawn = rotation.script.calls.find((c) => c.label === 'apply withdraw db');
    expect(withdrawn?.input).toMatchObject({ secret: { name: 'db' } });
    expect(withdrawn?.input).not.toMatchObject({ secret: { fresh: expect.anything() } });
  });
});
