/** Effects of the kind `manual`, by real commands and by a person who says that he has done it. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Target } from '../../../domain/credential.js';
import { RotateError } from '../../../domain/failure.js';
import type { ApplyPurpose } from '../../../domain/journal.js';
import { targetOf } from '../../../domain/targets.js';
import { manual } from '../../../kinds/manual/kind.js';
import type { ManualSettings } from '../../../kinds/manual/schema.js';
import { type Bench, type Script, makeBench, onHost, onWorker, rotation, settings } from './vendor.js';

let bench: Bench;
beforeEach(async () => {
  bench = await makeBench();
});
afterEach(async () => {
  await bench.vendor.remove();
});

const old = (): string => bench.current.value.text();
const fresh = (): string => bench.brought.value.text();
const host = (script: Script, on?: string) => onHost(bench.vendor, script, on);

/** As the activity calls it. */
function apply(block: ManualSettings, purpose: ApplyPurpose, confirmedBy?: string) {
  return applyTarget(block, targetOf(purpose, block.overlap), purpose, confirmedBy);
}

function applyTarget(
  block: ManualSettings,
  target: Target,
  purpose?: ApplyPurpose,
  confirmedBy?: string,
  confirmedActs?: Record<string, string>,
) {
  return manual.apply(
    bench.context,
    block,
    {
      old: bench.current,
      new: bench.brought,
      ...(purpose === undefined ? {} : { purpose }),
      ...(confirmedBy === undefined ? {} : { confirmedBy }),
      ...(confirmedActs === undefined ? {} : { confirmedActs }),
    },
    target,
    { epoch: 1, seq: 1 },
  );
}

async function failure(work: Promise<unknown>): Promise<RotateError> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof RotateError)) throw new Error('it did not fail as it should', { cause: error });
  const told = JSON.stringify([error.message, error.hint, error.details, String(error.cause)]);
  expect(told).not.toContain(old());
  expect(told).not.toContain(fresh());
  return error;
}

const places = [
  ['a host', (script: Script) => host(script)],
  ['the worker', (script: Script) => onWorker(script)],
] as const;

describe.each(places)('dual, by commands on %s', (_place, by) => {
  const block = (checked = true): ManualSettings =>
    settings({
      overlap: 'dual',
      provision: by('vendor-add'),
      revoke: by('vendor-remove'),
      ...(checked ? { check: by('vendor-check') } : {}),
    });

  test('adds the new value beside the old one, and finds nothing to do the second time', async () => {
    expect(await apply(block(), 'provision')).toEqual({ changed: true, endedSessions: 0 });
    expect(await bench.vendor.accepts()).toEqual([fresh(), old()]);
    await bench.vendor.calls();
    expect(await apply(block(), 'provision')).toEqual({ changed: false, endedSessions: 0 });
    expect(new Set(await bench.vendor.calls())).toEqual(new Set(['vendor-check']));
  });

  test('revokes the old value, and finds nothing to do the second time', async () => {
    await apply(block(), 'provision');
    expect((await apply(block(), 'destroy')).changed).toBe(true);
    expect(await bench.vendor.accepts()).toEqual([fresh()]);
    await bench.vendor.calls();
    expect((await apply(block(), 'destroy')).changed).toBe(false);
    expect(await bench.vendor.calls()).not.toContain('vendor-remove');
  });

  test('takes the new value away again by `revoke`, twice', async () => {
    await apply(block(), 'provision');
    expect((await apply(block(), 'withdraw')).changed).toBe(true);
    expect(await bench.vendor.accepts()).toEqual([old()]);
    expect((await apply(block(), 'withdraw')).changed).toBe(false);
  });

  test('converges without a check too: the commands may be run any number of times', async () => {
    for (const purpose of ['provision', 'provision', 'reenable', 'destroy', 'destroy'] as const)
      await apply(block(false), purpose);
    expect(await bench.vendor.accepts()).toEqual([fresh()]);
    expect(await bench.vendor.calls()).toEqual([
      'vendor-add',
      'vendor-add',
      'vendor-remove',
      'vendor-remove',
    ]);
  });

  test('on the way back a value that was never added is not added', async () => {
    await apply(block(), 'reenable');
    await apply(block(), 'withdraw');
    expect(await bench.vendor.accepts()).toEqual([old()]);
    expect(await bench.vendor.calls()).not.toContain('vendor-add');
  });

  test('any target may follow any other', async () => {
    const targets: Target[] = [
      { old: 'valid', new: 'absent' },
      { old: 'valid', new: 'valid' },
      { old: 'valid', new: 'absent' },
      { old: 'destroyed', new: 'valid' },
      { old: 'valid', new: 'valid' },
      { old: 'destroyed', new: 'valid' },
      { old: 'valid', new: 'absent' },
    ];
    for (const target of targets) {
      await applyTarget(block(), target);
      const accepted = await bench.vendor.accepts();
      expect(accepted.includes(old())).toBe(target.old === 'valid');
      expect(accepted.includes(fresh())).toBe(target.new === 'valid');
    }
  });

  test('a vendor that drops the old value for the new one is found out, and the undo puts it back', async () => {
    const wrong = settings({ ...block(), provision: by('vendor-set') });
    const error = await failure(apply(wrong, 'provision'));
    expect(error.type).toBe('OldValueRejected');
    expect(error.hint).toContain('`overlap: swap`');
    expect((await failure(apply(wrong, 'provision'))).type).toBe('OldValueRejected');
    await apply(wrong, 'reenable');
    expect(await bench.vendor.accepts()).toEqual([old()]);
    await apply(wrong, 'withdraw');
    expect(await bench.vendor.accepts()).toEqual([old()]);
  });

  test('a command that fails is told by its exit code and never by what it printed', async () => {
    await bench.vendor.ends('vendor-add', 3);
    const error = await failure(apply(block(), 'provision'));
    expect(error.type).toBe('IssuerMisconfigured');
    expect(error.message).toMatch(
      /^prod\/smtp: \S*vendor-add on (mail-1|the worker) ended with exit code 3$/,
    );
    expect(error.message).not.toContain('output');
    expect(error.hint).toContain('what it prints is not kept');
  });

  test('a command that asks for it is tried again', async () => {
    await bench.vendor.ends('vendor-remove', 75);
    const error = await failure(apply(block(), 'destroy'));
    expect(error).toMatchObject({ type: 'IssuerBusy', retryable: true });
  });

  test('a check that answers nothing keeps nobody from acting', async () => {
    await bench.vendor.ends('vendor-check', 7);
    await apply(block(), 'provision');
    await apply(block(), 'destroy');
    expect(await bench.vendor.accepts()).toEqual([fresh()]);
  });

  test('a check that refuses everything is not taken for a value that is gone', async () => {
    await apply(block(), 'provision');
    await bench.vendor.ends('vendor-check', 1);
    await apply(block(), 'destroy');
    expect(await bench.vendor.accepts()).toEqual([fresh()]);
  });
});

describe('dual, by a person', () => {
  const checklist = 'log in at vendor.example\nremove the old key';
  const block = (checked = true): ManualSettings =>
    settings({
      overlap: 'dual',
      provision: { checklist: 'add the new key' },
      revoke: { checklist },
      ...(checked ? { check: host('vendor-check', 'consumers') } : {}),
    });

  test('he is asked with the checklist, and told what to say then', async () => {
    const error = await failure(apply(block(), 'provision'));
    expect(error.toReason()).toEqual({
      type: 'NeedsPerson',
      message: `prod/smtp: a person has to add the new value at the vendor, beside the old one, and then say \`rotate confirm ${rotation}\``,
      hint: 'add the new key',
    });
  });

  test('what the check shows to be done already is asked of nobody', async () => {
    await bench.vendor.accept(old(), fresh());
    await apply(block(), 'provision');
    const error = await failure(apply(block(), 'destroy'));
    expect(error).toMatchObject({ type: 'NeedsPerson', hint: checklist });
    await bench.vendor.accept(fresh());
    expect((await apply(block(), 'destroy')).changed).toBe(false);
  });

  test('what he has confirmed is verified', async () => {
    expect(await failure(apply(block(), 'provision', 'ada'))).toMatchObject({
      type: 'NewValueRejected',
      message: 'prod/smtp: the check refuses the new value, though ada has said that it is done',
    });
    await bench.vendor.accept(old(), fresh());
    expect(await failure(apply(block(), 'destroy', 'ada'))).toMatchObject({
      type: 'NotDead',
      message: 'prod/smtp: the check still accepts the old value, though ada has said that it is done',
    });
    await bench.vendor.accept(fresh());
    await apply(block(), 'destroy', 'ada');
  });

  test('what he has confirmed counts for what he was asked for, and for nothing else', async () => {
    const destroy = (acts: Record<string, string>) =>
      applyTarget(block(), targetOf('destroy', 'dual'), 'destroy', 'ada', acts);
    await bench.vendor.accept(old(), fresh());
    const first = await failure(apply(block(), 'destroy'));
    expect(first).toMatchObject({ type: 'NeedsPerson', hint: checklist, details: { act: 'revoke' } });
    // The wrong one of the two.
    await bench.vendor.accept(old());
    const second = await failure(destroy({ revoke: 'ada' }));
    expect(second).toMatchObject({
      type: 'NeedsPerson',
      hint: 'add the new key',
      details: { act: 'provision' },
    });
    expect(second.message).toBe(
      `prod/smtp: the check refuses the new value, which hosts work with: a person has to add the new value at the vendor, beside the old one, and then say \`rotate confirm ${rotation}\``,
    );
    expect((await failure(destroy({ revoke: 'ada', provision: 'ada' }))).message).toBe(
      'prod/smtp: the check refuses the new value, though ada has said that it is done',
    );
    await bench.vendor.accept(old(), fresh());
    expect((await failure(destroy({ revoke: 'ada', provision: 'ada' }))).message).toBe(
      'prod/smtp: the check still accepts the old value, though ada has said that it is done',
    );
    await bench.vendor.accept(fresh());
    await destroy({ revoke: 'ada', provision: 'ada' });
  });

  test('his word counts where there is no check, or none that answers', async () => {
    for (const purpose of ['provision', 'destroy'] as const) {
      expect((await failure(apply(block(false), purpose))).type).toBe('NeedsPerson');
      expect((await apply(block(false), purpose, 'ada')).changed).toBe(true);
    }
    await bench.vendor.ends('vendor-check', 5);
    expect((await apply(block(), 'destroy', 'ada')).changed).toBe(true);
  });

  test('he is asked for the new value to be taken away again, and not for the old one', async () => {
    await bench.vendor.accept(old(), fresh());
    const error = await failure(apply(block(), 'withdraw'));
    expect(error.type).toBe('NeedsPerson');
    expect(error.message).toContain('take the new value away at the vendor again; the old one stays');
    expect(error.hint).toBe(`for the new value, not for the old one: ${checklist}`);
    expect((await failure(apply(block(), 'withdraw', 'ada'))).type).toBe('NotDead');
    await bench.vendor.accept(old());
    await apply(block(), 'withdraw');
  });

  test('when he has revoked the old value too early, he is asked for it before hosts go back to it', async () => {
    await bench.vendor.accept(fresh());
    expect((await failure(apply(block(), 'provision', 'ada'))).type).toBe('OldValueRejected');
    const error = await failure(apply(block(), 'reenable'));
    expect(error).toMatchObject({
      type: 'NeedsPerson',
      hint: 'for the old value, not for the new one: add the new key',
    });
    expect((await failure(apply(block(), 'reenable', 'ada'))).type).toBe('OldValueRejected');
    await bench.vendor.accept(old(), fresh());
    expect((await apply(block(), 'reenable')).changed).toBe(false);
  });

  test('a rotation that is given up before he has added it asks nothing of him', async () => {
    await apply(block(), 'reenable');
    await apply(block(), 'withdraw');
    expect(await bench.vendor.accepts()).toEqual([old()]);
  });
});

describe('dual, with a value that the vendor knows already', () => {
  const block = (): ManualSettings => settings({ overlap: 'dual', check: onWorker('vendor-check') });

  test('goes on when the check accepts it', async () => {
    await bench.vendor.accept(old(), fresh());
    expect((await apply(block(), 'provision')).changed).toBe(false);
  });

  test('is refused when the check does not', async () => {
    const error = await failure(apply(block(), 'provision'));
    expect(error.toReason()).toEqual({
      type: 'NewValueRejected',
      message: 'prod/smtp: the check refuses the new value',
      hint: 'there is no `provision`: the vendor has to accept the value before it is brought',
    });
  });

  test('believes it without a check', async () => {
    expect((await apply(settings({ overlap: 'dual' }), 'provision')).changed).toBe(false);
  });

  test('without `revoke` nothing is done to end a value', async () => {
    await bench.vendor.accept(old(), fresh());
    await apply(block(), 'destroy');
    await apply(block(), 'withdraw');
    expect(await bench.vendor.accepts()).toEqual([fresh(), old()]);
  });
});

describe.each(places)('swap, by commands on %s', (_place, by) => {
  const block = (checked = true): ManualSettings =>
    settings({
      overlap: 'swap',
      provision: by('vendor-set'),
      undo: by('vendor-set'),
      ...(checked ? { check: by('vendor-check') } : {}),
    });

  test('the vendor takes the new value in place of the old one, once', async () => {
    expect((await apply(block(), 'provision')).changed).toBe(true);
    expect(await bench.vendor.accepts()).toEqual([fresh()]);
    expect((await apply(block(), 'provision')).changed).toBe(false);
    expect((await apply(block(), 'destroy')).changed).toBe(false);
    expect((await bench.vendor.calls()).filter((name) => name === 'vendor-set')).toHaveLength(1);
  });

  test('an undo puts the old value back, and then makes sure', async () => {
    await apply(block(), 'provision');
    expect((await apply(block(), 'reenable')).changed).toBe(true);
    expect(await bench.vendor.accepts()).toEqual([old()]);
    expect((await apply(block(), 'withdraw')).changed).toBe(false);
    // A late attempt of the way there.
    await bench.vendor.accept(fresh());
    await apply(block(), 'withdraw');
    expect(await bench.vendor.accepts()).toEqual([old()]);
  });

  test('converges without a check too', async () => {
    for (const purpose of ['provision', 'provision', 'destroy', 'reenable', 'withdraw'] as const)
      await apply(block(false), purpose);
    expect(await bench.vendor.accepts()).toEqual([old()]);
    // Nothing at `destroy`: hosts work with the new value by then.
    expect(await bench.vendor.calls()).toEqual(Array.from({ length: 4 }, () => 'vendor-set'));
  });

  test('`revoke` is for vendors that have to be told', async () => {
    const told = settings({ ...block(), revoke: by('vendor-remove') });
    await bench.vendor.accept(old(), fresh());
    expect((await apply(told, 'destroy')).changed).toBe(true);
    expect(await bench.vendor.accepts()).toEqual([fresh()]);
  });
});

describe('swap, by a person', () => {
  const block = (checked = true): ManualSettings =>
    settings({
      overlap: 'swap',
      provision: { checklist: 'set the new password' },
      undo: { checklist: 'set the old password again' },
      ...(checked ? { check: host('vendor-check') } : {}),
    });

  test('he sets the new value, and in an undo the old one again', async () => {
    expect(await failure(apply(block(), 'provision'))).toMatchObject({
      type: 'NeedsPerson',
      hint: 'set the new password',
    });
    await bench.vendor.accept(fresh());
    await apply(block(), 'provision', 'ada');
    expect(await failure(apply(block(), 'reenable'))).toMatchObject({
      type: 'NeedsPerson',
      hint: 'set the old password again',
    });
    expect(await failure(apply(block(), 'reenable', 'ada'))).toMatchObject({ type: 'OldValueRejected' });
    await bench.vendor.accept(old());
    await apply(block(), 'reenable', 'ada');
    await apply(block(), 'withdraw');
  });

  test('without a check he is asked once for the undo, not once more at its end', async () => {
    expect((await failure(apply(block(false), 'reenable'))).type).toBe('NeedsPerson');
    await apply(block(false), 'reenable', 'ada');
    await apply(block(false), 'withdraw');
  });
});

test('an attempt that is cancelled runs nothing', async () => {
  const block = settings({ overlap: 'dual', provision: host('vendor-add') });
  bench.context = { ...bench.context, signal: AbortSignal.abort(new Error('cancelled')) };
  await expect(apply(block, 'provision')).rejects.toThrow('cancelled');
  expect(await bench.vendor.calls()).toEqual([]);
});
