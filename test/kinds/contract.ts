/**
 * What every kind must do against its real issuer. A kind's test calls
 * {@link kindContract} with a fixture; nothing here knows a kind.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import type { CheckResult, Credential, Target } from '../../domain/credential.js';
import type { Fence } from '../../domain/fence.js';
import type { Kind, KindContext } from '../../kinds/kind.js';

export interface SessionlessFixture<Settings> {
  context: KindContext;
  settings: Settings;
  /** The value in use, accepted by the issuer. */
  current: Credential;
  /** A host to probe from. */
  host: string;
}

export interface KindFixture<Settings> extends SessionlessFixture<Settings> {
  /** Opens a session with the credential, as a consumer would; `alive` tells whether it still is. */
  connect(credential: Credential): Promise<{ alive(): Promise<boolean>; close(): Promise<void> }>;
}

/** What not every issuer can. */
export interface Abilities {
  /** It stores a fence with each effect. */
  fence: boolean;
  /** It knows who uses a value, and can end that. */
  sessions: boolean;
  /** It can refuse a value for a while. */
  disable: boolean;
}

const everything: Abilities = { fence: true, sessions: true, disable: true };

type Test = (title: string, body: () => Promise<void>) => void;

const both: Target = { old: 'valid', new: 'valid' };
const onlyOld: Target = { old: 'valid', new: 'absent' };
const disabled: Target = { old: 'disabled', new: 'valid' };
const destroyed: Target = { old: 'destroyed', new: 'valid' };

/** @param fresh a fixture with an issuer on which nothing was rotated yet, before each test */
export function kindContract<Settings>(
  kind: Kind<Settings>,
  fresh: () => Promise<SessionlessFixture<Settings> & Partial<KindFixture<Settings>>>,
  can: Abilities = everything,
): void {
  /** What it makes is valid from then on, and what it deletes does not come back. */
  const makesItself = kind.source === 'issuer';

  describe(`the kind ${kind.id} keeps the contract`, () => {
    let fixture: Awaited<ReturnType<typeof fresh>>;
    let made: Credential;
    let existing: readonly string[] | undefined;
    let seq: number;

    const generate = async () =>
      kind.generate(fixture.context, fixture.settings, fixture.current, existing && { existing });
    const begin = async () => {
      fixture = await fresh();
      seq = 0;
      if (makesItself)
        ({ existing } = await kind.inspect(fixture.context, fixture.settings, fixture.current));
      made = await generate();
    };
    beforeEach(begin);

    const only = (able: boolean): Test => (able ? it : () => undefined);
    const whileDisabled = only(can.disable);
    const withFence = only(can.fence);
    const withSessions = only(can.sessions);
    const fromIssuer = only(makesItself);

    const next = (): Fence => ({ epoch: 1, seq: ++seq });
    const apply = async (target: Target, fence = next()) =>
      kind.apply(
        fixture.context,
        fixture.settings,
        { old: fixture.current, new: made, ...(existing && { existing }) },
        target,
        fence,
      );
    const connect = async (credential: Credential) => {
      if (fixture.connect === undefined) throw new Error('the fixture opens no sessions');
      return fixture.connect(credential);
    };
    const check = async (credential: Credential, from: string | undefined = fixture.host) =>
      kind.check(fixture.context, fixture.settings, credential, from);
    const outcomes = (results: CheckResult[]) => [...new Set(results.map((result) => result.outcome))];
    const expectOutcome = async (credential: Credential, outcome: CheckResult['outcome']) =>
      expect(outcomes(await check(credential)), JSON.stringify(await check(credential))).toEqual([outcome]);

    it('inspects a sound issuer without finding a problem', async () => {
      const state = await kind.inspect(fixture.context, fixture.settings, fixture.current);
      expect(state.problems).toEqual([]);
      expect(state.fence).toEqual({ epoch: 0, seq: 0 });
    });

    it(`makes a value that the issuer ${makesItself ? 'accepts at once' : 'does not know yet'}`, async () => {
      expect(made.value.equals(fixture.current.value)).toBe(false);
      expect(made.value.length).toBeGreaterThanOrEqual(32);
      await expectOutcome(fixture.current, 'accepted');
      await expectOutcome(made, makesItself ? 'accepted' : 'refused');
    });

    it('never makes the same value twice', async () => {
      const again = await generate();
      expect(again.value.equals(made.value)).toBe(false);
    });

    it('makes both values valid at once, from a host and from the worker', async () => {
      expect(await apply(both)).toMatchObject({ changed: !makesItself, endedSessions: 0 });
      await expectOutcome(fixture.current, 'accepted');
      await expectOutcome(made, 'accepted');
      expect(outcomes(await kind.check(fixture.context, fixture.settings, made))).toEqual(['accepted']);
    });

    it('probes every endpoint, and says from where', async () => {
      const results = await check(fixture.current);
      expect(results.map((result) => result.endpoint)).toEqual([...kind.endpoints(fixture.settings)]);
      expect(results.every((result) => result.host === fixture.host)).toBe(true);
      const own = await kind.check(fixture.context, fixture.settings, fixture.current);
      expect(own.every((result) => result.host === undefined)).toBe(true);
    });

    it('tells a wrong value from a right one', async () => {
      const wrong = await kind.checkWrong(fixture.context, fixture.settings, fixture.current, fixture.host);
      expect(outcomes(wrong)).toEqual(['refused']);
      expect(wrong.every((result) => result.code !== undefined)).toBe(true);
    });

    it('finds nothing to do the second time', async () => {
      for (const target of can.disable ? [both, disabled, destroyed] : [both, destroyed]) {
        expect((await apply(target)).changed).toBe(target !== both || !makesItself);
        expect(await apply(target)).toMatchObject({ changed: false, endedSessions: 0 });
      }
    });

    it('takes any number of attempts of one command with one fence', async () => {
      const fence = next();
      const results = await Promise.all([apply(both, fence), apply(both, fence), apply(both, fence)]);
      expect(results.some((result) => result.changed)).toBe(!makesItself);
      await expectOutcome(fixture.current, 'accepted');
      await expectOutcome(made, 'accepted');
    });

    it('undoes to the old value alone', async () => {
      await apply(both);
      await apply(onlyOld);
      await expectOutcome(fixture.current, 'accepted');
      await expectOutcome(made, 'refused');
    });

    whileDisabled('makes the old value valid again after it was disabled', async () => {
      await apply(disabled);
      await expectOutcome(fixture.current, 'refused');
      await apply(both);
      await expectOutcome(fixture.current, 'accepted');
      await expectOutcome(made, 'accepted');
    });

    it('undoes from whatever an attempt left behind', async () => {
      for (const target of makesItself ? [both, disabled, onlyOld] : [both, disabled, destroyed, onlyOld]) {
        if (makesItself) await begin();
        await apply(target);
        await apply(onlyOld);
        await expectOutcome(fixture.current, 'accepted');
        await expectOutcome(made, 'refused');
      }
    });

    whileDisabled('refuses a disabled value by the very probe that accepted it', async () => {
      await apply(both);
      const before = await check(fixture.current);
      await apply(disabled);
      const after = await check(fixture.current);
      expect(outcomes(before)).toEqual(['accepted']);
      expect(outcomes(after)).toEqual(['refused']);
      expect(after.map((result) => result.endpoint)).toEqual(before.map((result) => result.endpoint));
      await expectOutcome(made, 'accepted');
    });

    it('refuses a destroyed value, and goes on accepting the new one', async () => {
      await apply(both);
      await apply(disabled);
      await apply(destroyed);
      await expectOutcome(fixture.current, 'refused');
      await expectOutcome(made, 'accepted');
    });

    withFence('refuses a late attempt and leaves everything as it is', async () => {
      const late = next();
      await apply(disabled);
      await expect(apply(both, late)).rejects.toMatchObject({ type: 'Superseded' });
      await expectOutcome(fixture.current, 'refused');
    });

    withFence('raises the fence even when nothing else changes', async () => {
      await apply(both);
      const late = next();
      expect((await apply(both)).changed).toBe(false);
      await expect(apply(onlyOld, late)).rejects.toMatchObject({ type: 'Superseded' });
      const state = await kind.inspect(fixture.context, fixture.settings, fixture.current);
      expect(state.fence).toEqual({ epoch: 1, seq: 3 });
    });

    withFence('counts an epoch for more than any number of commands', async () => {
      await apply(both, { epoch: 2, seq: 1 });
      await expect(apply(onlyOld, { epoch: 1, seq: 999 })).rejects.toMatchObject({ type: 'Superseded' });
      expect((await apply(onlyOld, { epoch: 1_000_002, seq: 1 })).changed).toBe(true);
    });

    withFence('keeps the fences of two secrets apart', async () => {
      await apply(both, { epoch: 7, seq: 7 });
      const other = { ...fixture.context, secret: { ...fixture.context.secret, name: 'another' } };
      const state = await kind.inspect(other, fixture.settings, fixture.current);
      expect(state.fence).toEqual({ epoch: 0, seq: 0 });
    });

    withFence('lets the higher fence win whichever of two attempts comes first', async () => {
      for (let round = 0; round < 5; round++) {
        const lower = next();
        const higher = next();
        const [undo] = await Promise.allSettled([apply(onlyOld, higher), apply(disabled, lower)]);
        expect(undo.status).toBe('fulfilled');
        await expectOutcome(fixture.current, 'accepted');
        await expectOutcome(made, 'refused');
      }
    });

    withSessions('lists who uses the value, and ends them when it is disabled', async () => {
      await apply(both);
      expect(await kind.users(fixture.context, fixture.settings, made)).toEqual([]);
      const old = await connect(fixture.current);
      const young = await connect(made);
      try {
        expect(await kind.users(fixture.context, fixture.settings, fixture.current)).toHaveLength(1);
        expect(await kind.users(fixture.context, fixture.settings, made)).toHaveLength(1);
        expect((await apply(disabled)).endedSessions).toBe(1);
        expect(await old.alive()).toBe(false);
        expect(await young.alive()).toBe(true);
        expect(await kind.users(fixture.context, fixture.settings, fixture.current)).toEqual([]);
      } finally {
        await old.close();
        await young.close();
      }
    });

    withSessions('ends the new value’s sessions when it is undone', async () => {
      await apply(both);
      const young = await connect(made);
      try {
        expect((await apply(onlyOld)).endedSessions).toBe(1);
        expect(await young.alive()).toBe(false);
      } finally {
        await young.close();
      }
    });

    withSessions('does not list its own probes as users', async () => {
      await check(fixture.current);
      expect(await kind.users(fixture.context, fixture.settings, fixture.current)).toEqual([]);
    });

    it('stops when the attempt is cancelled', async () => {
      const context = { ...fixture.context, signal: AbortSignal.abort() };
      const credentials = { old: fixture.current, new: made };
      await expect(kind.apply(context, fixture.settings, credentials, both, next())).rejects.toThrow();
      await expect(kind.check(context, fixture.settings, fixture.current)).rejects.toThrow();
      await expectOutcome(fixture.current, 'accepted');
      await expectOutcome(made, makesItself ? 'accepted' : 'refused');
    });

    fromIssuer('does not count what it makes among what was there before', async () => {
      const { existing: now = [] } = await kind.inspect(fixture.context, fixture.settings, fixture.current);
      expect(now.filter((id) => existing?.includes(id) !== true)).toHaveLength(1);
    });

    fromIssuer('deletes what an attempt has left whose answer was lost, and makes another', async () => {
      const again = await generate();
      await expectOutcome(made, 'refused');
      await expectOutcome(again, 'accepted');
      await expectOutcome(fixture.current, 'accepted');
    });

    fromIssuer('withdraws a value that nobody was told of, also when it is gone already', async () => {
      const credentials = { old: fixture.current, ...(existing && { existing }) };
      for (const changed of [true, false]) {
        const applied = await kind.apply(fixture.context, fixture.settings, credentials, onlyOld, next());
        expect(applied.changed).toBe(changed);
        await expectOutcome(made, 'refused');
        await expectOutcome(fixture.current, 'accepted');
      }
    });

    fromIssuer('does not withdraw the new value when the old one is gone', async () => {
      await apply(destroyed);
      await expect(apply(onlyOld)).rejects.toMatchObject({ type: 'IssuerMisconfigured' });
      await expectOutcome(made, 'accepted');
    });

    it('describes each effect in a sentence', () => {
      const effects = kind.describe(fixture.settings, fixture.current.account);
      for (const sentence of Object.values(effects)) expect(sentence).toMatch(/^\S.{10,}/);
    });
  });
}
