/**
 * Activities in place of the real ones, at the seam where those are injected. They act
 * on a World, record every call, and do what a test's script says: fail, hang until
 * cancelled, wait at a gate, or take effect and then fail.
 */
import { Context } from '@temporalio/activity';

import type {
  Assessment,
  DueActivities,
  NotifyActivities,
  RotationActivities,
} from '../../../activities/api.js';
import { RotateError, type FailureOptions, type FailureType } from '../../../domain/failure.js';
import type { Fence } from '../../../domain/fence.js';
import type { Notification } from '../../../domain/notification.js';
import { overlapOf, type Plan } from '../../../domain/plan.js';
import type { ProofLine } from '../../../domain/status.js';
import type { RotationState } from '../../../domain/steps.js';
import { targetOf } from '../../../domain/targets.js';
import { highestIn, makeWorld, pass, type World } from './world.js';

export interface Call {
  /** e.g. `apply provision db`, `converge restore web-1`, `build canary`. */
  label: string;
  attempt: number;
  fence?: Fence;
  input: unknown;
  at: number;
}

/** How a call goes wrong; it is looked up for each attempt. */
type Fault =
  | { do: 'fail'; type: FailureType; told: FailureOptions; left: number; afterEffect: boolean }
  | { do: 'hang' }
  | { do: 'gate'; open: Promise<void>; stubborn: boolean };

/** What one rotation's calls do, and which there were. */
export interface Script {
  readonly world: World;
  readonly calls: Call[];
  /** Labels in order, each run of attempts once. */
  labels(): string[];
  fail(
    label: string,
    type: FailureType,
    options?: { times?: number; afterEffect?: boolean } & FailureOptions,
  ): void;
  /** The call beats and never ends, until it is cancelled. */
  hang(label: string): void;
  /**
   * The call waits until the returned function is called, and then does what the script says by then.
   * `stubborn`: it does not stop when it is cancelled.
   */
  gate(label: string, options?: { stubborn?: boolean }): () => void;
  /** From now on the call does what it should. */
  heal(label: string): void;
  /** Resolves when a call with that label has begun. */
  reached(label: string, times?: number): Promise<void>;
}

interface Entry extends Script {
  plan: Plan;
  faults: Map<string, Fault>;
  watchers: Set<() => void>;
}

export interface StandIns {
  activities: RotationActivities & NotifyActivities & DueActivities;
  /** What people were told, in order, by rotation. */
  told: Notification[];
  /** What schedules find, by name. */
  assessments: Map<string, Assessment | RotateError>;
  /** Why schedules may not go on, by name; those that are not in it may. */
  closed: Map<string, string | RotateError>;
  /** What the daily look at ages finds, by environment. */
  notices: Map<string, Notification[]>;
  /** Sets up what rotation `id` meets; rotations of one world share it. */
  script(id: string, plan: Plan, world?: World): Script;
  /** For a rotation of `plan` whose id the workflow chooses. */
  expect(plan: Plan, prepare: (script: Script) => void): void;
}

export interface StandInPorts {
  lookUpHolder: RotationActivities['lookUpHolder'];
  stateOf?: (rotation: string) => Promise<{ state?: RotationState }>;
  /** Called with each call before it does anything. */
  onCall?: (id: string, call: Call) => Promise<void>;
  /** Called when the call has taken effect, before it returns; may hang for ever (a test that kills the process). */
  afterEffect?: (id: string, label: string) => Promise<void>;
}

export function standIns(ports: StandInPorts): StandIns {
  const entries = new Map<string, Entry>();

  /** Scripts for rotations whose ids are not known before, by what they are about. */
  const expected = new Map<string, { plan: Plan; prepare: (script: Script) => void }>();
  const adopt = (id: string, environment: string, secrets: readonly string[]): void => {
    const found = expected.get(`${environment}/${secrets.join(',')}`);
    if (found === undefined || entries.has(id)) return;
    found.prepare(makeScript(id, found.plan, makeWorld(found.plan)));
  };

  function makeScript(id: string, plan: Plan, world: World = makeWorld(plan)): Entry {
    const faults = new Map<string, Fault>();
    const calls: Call[] = [];
    const watchers = new Set<() => void>();
    const entry: Entry = {
      plan,
      world,
      calls,
      faults,
      watchers,
      labels: () => calls.filter((c) => c.attempt === 1).map((c) => c.label),
      fail: (label, type, { times = Number.POSITIVE_INFINITY, afterEffect = false, ...told } = {}) =>
        void faults.set(label, { do: 'fail', type, left: times, afterEffect, told }),
      hang: (label) => void faults.set(label, { do: 'hang' }),
      gate: (label, options = {}) => {
        let release = (): void => {};
        const open = new Promise<void>((resolve) => {
          release = resolve;
        });
        const gate: Fault = { do: 'gate', open, stubborn: options.stubborn ?? false };
        faults.set(label, gate);
        return () => {
          if (faults.get(label) === gate) faults.delete(label);
          release();
        };
      },
      heal: (label) => void faults.delete(label),
      reached: (label, times = 1) =>
        new Promise((resolve) => {
          const look = (): void => {
            if (calls.filter((c) => c.label === label).length < times) return;
            watchers.delete(look);
            resolve();
          };
          watchers.add(look);
          look();
        }),
    };
    entries.set(id, entry);
    return entry;
  }

  const entryOf = (id: string): Entry => {
    const entry = entries.get(id);
    if (entry === undefined) throw new RotateError('Internal', `no script for rotation ${id}`);
    return entry;
  };

  async function act<T>(
    id: string,
    label: string,
    input: object & { fence?: Fence },
    effect: (world: World) => T,
  ): Promise<T> {
    const entry = entryOf(id);
    const { attempt } = Context.current().info;
    const call: Call = {
      label,
      attempt,
      ...(input.fence === undefined ? {} : { fence: input.fence }),
      input,
      at: Date.now(),
    };
    entry.calls.push(call);
    for (const watcher of entry.watchers) watcher();
    await ports.onCall?.(id, call);
    let fault = entry.faults.get(label);
    if (fault?.do === 'gate') {
      await (fault.stubborn ? fault.open : beatUntil(fault.open));
      fault = entry.faults.get(label);
    }
    if (fault === undefined) {
      const result = effect(entry.world);
      await ports.afterEffect?.(id, label);
      return result;
    }
    if (fault.do === 'hang') {
      await beatUntil(new Promise(() => {}));
    } else if (fault.do === 'fail' && fault.left > 0) {
      fault.left -= 1;
      if (fault.afterEffect) effect(entry.world);
      throw new RotateError(fault.type, `${label}: injected`, fault.told);
    }
    return effect(entry.world);
  }

  const told: Notification[] = [];
  const assessments = new Map<string, Assessment | RotateError>();
  const closed = new Map<string, string | RotateError>();
  const notices = new Map<string, Notification[]>();
  const activities: RotationActivities & NotifyActivities & DueActivities = {
    assess: async ({ schedule }) => {
      const found = assessments.get(schedule);
      if (found === undefined) return { declared: false, batches: [], people: [], unplanned: [] };
      if (found instanceof RotateError) throw found;
      return found;
    },
    mayStart: async ({ schedule }) => {
      const found = closed.get(schedule);
      if (found instanceof RotateError) throw found;
      return found === undefined ? {} : { closed: found };
    },
    stateOf: async ({ rotation }) => (await ports.stateOf?.(rotation)) ?? {},
    findOld: async ({ environment }) => ({ notices: notices.get(environment) ?? [] }),
    listChannels: async () => ({ channels: ['ops'] }),
    deliver: async ({ notification }) => void told.push(notification),
    lookUpHolder: ports.lookUpHolder,
    reserve: (i) => act(i.scope.id, 'reserve', {}, () => undefined),
    inspectRepo: (i) => {
      adopt(i.scope.id, i.scope.environment, i.scope.secrets);
      return act(i.scope.id, 'inspectRepo', {}, (w) => ({
        base: 'ba5e',
        fence: w.repo.fence,
        secrets: i.scope.secrets.map((name) => ({ name, old: `sealed:old:${name}` })),
      }));
    },
    inspectIssuer: (i) =>
      act(i.scope.id, `inspectIssuer ${i.secret.name}`, {}, (w) => ({ fence: highestIn(w) })),
    inspectHost: (i) =>
      act(i.id, `inspectHost ${i.host}`, {}, (w) => ({
        running: `/nix/store/old-${i.host}`,
        files: i.secrets.map((secret) => ({
          secret,
          path: `/run/agenix/${secret}`,
          owner: 'app',
          group: 'app',
          mode: '0400',
        })),
        fence: w.hosts[i.host]?.fence ?? highestIn(w),
      })),
    compareHost: (i) => act(i.scope.id, `compareHost ${i.scope.host}`, {}, () => undefined),
    takeBaseline: (i) =>
      act(i.scope.id, `takeBaseline ${i.scope.host}`, {}, () => ({
        proof: [line('accepted at the start', i.scope.host)],
      })),
    makeTrial: (i) => act(i.scope.id, 'makeTrial', {}, () => ({ commit: '7a1a1' })),
    rehearse: (i) => act(i.scope.id, `rehearse ${i.scope.host}`, {}, () => undefined),
    generate: (i) =>
      act(i.scope.id, `generate ${i.secret.name}`, {}, () => ({ fresh: `sealed:fresh:${i.secret.name}` })),
    apply: (i) =>
      act(i.scope.id, `apply ${i.purpose} ${i.secret.name}`, i, (w) => {
        const issuer = need(w.issuer[i.secret.name], i.secret.name);
        pass(issuer, i.fence, `the issuer of ${i.secret.name}`);
        Object.assign(issuer, targetOf(i.purpose, overlapOf(entryOf(i.scope.id).plan)));
        return { changed: true, endedSessions: 0, at: new Date().toISOString() };
      }),
    publish: (i) =>
      act(i.scope.id, 'publish', i, (w) => {
        pass(w.repo, i.fence, 'the repo');
        w.repo.branch = true;
        return { commit: 'c0de' };
      }),
    build: (i) =>
      act(i.scope.id, `build ${i.scope.host}`, {}, () => ({ toplevel: `/nix/store/new-${i.scope.host}` })),
    copy: (i) => act(i.scope.id, `copy ${i.scope.host}`, {}, () => undefined),
    converge: (i) =>
      act(i.scope.id, `converge ${i.direction} ${i.scope.host}`, i, (w) => {
        const host = need(w.hosts[i.scope.host], i.scope.host);
        pass(host, i.fence, i.scope.host);
        host.system = i.direction === 'advance' ? 'new' : 'old';
        return { installedAtUs: 1, newlyFailed: [] };
      }),
    restart: (i) =>
      act(i.scope.id, `restart ${i.scope.host}`, {}, (w) => {
        const host = need(w.hosts[i.scope.host], i.scope.host);
        host.runs = host.system;
        return { restarted: ['app.service'], startedAt: new Date().toISOString() };
      }),
    verify: (i) =>
      act(i.scope.id, `verify ${i.value} ${i.scope.host}`, i, (w) => {
        const host = need(w.hosts[i.scope.host], i.scope.host);
        const right = i.value === 'fresh' ? 'new' : 'old';
        if (host.runs !== right)
          throw new RotateError('VerifyFailed', `${i.scope.host} runs with the ${host.runs} value`);
        return { proof: [line(`the ${right} value logs in`, i.scope.host)] };
      }),
    merge: (i) =>
      act(i.scope.id, 'merge', i, (w) => {
        pass(w.repo, i.fence, 'the repo');
        w.repo.main = 'new';
        return { merged: 'aced' };
      }),
    checkUsers: (i) =>
      act(i.scope.id, `checkUsers ${i.secret.name}`, i, () => ({
        proof: [line('nobody uses the old value')],
      })),
    prove: (i) =>
      act(i.scope.id, `prove ${i.purpose} ${i.secret.name}`, i, (w) => {
        const issuer = need(w.issuer[i.secret.name], i.secret.name);
        const accepted = issuer.old === 'valid';
        if (accepted !== (i.purpose === 'before'))
          throw new RotateError('NotDead', `the old value of ${i.secret.name} is ${issuer.old}`);
        return { proof: [line(`${i.purpose}: the old value is ${accepted ? 'accepted' : 'refused'}`)] };
      }),
    proveGone: (i) =>
      act(i.scope.id, `proveGone ${i.purpose} ${i.scope.host}`, i, () => ({
        proof: [line('the old value is gone', i.scope.host)],
      })),
    findBase: (i) => act(i.scope.id, 'findBase', {}, () => ({ base: 'ba5e2' })),
    unpublish: (i) =>
      act(i.scope.id, 'unpublish', i, (w) => {
        pass(w.repo, i.fence, 'the repo');
        w.repo.branch = false;
        w.repo.main = 'old';
      }),
    tidy: (i) => act(i.scope.id, 'tidy', {}, () => ({ left: [] })),
    record: (i) => act(i.status.id, 'record', i, () => undefined),
  };

  return {
    activities,
    told,
    assessments,
    closed,
    notices,
    script: makeScript,
    expect: (plan, prepare) => {
      const names = plan.secrets.map((secret) => secret.name).join(',');
      expected.set(`${plan.environment}/${names}`, { plan, prepare });
    },
  };
}

/** Beats, as a cancellation reaches an activity only so. @throws CancelledFailure */
async function beatUntil(open: Promise<void>): Promise<void> {
  const context = Context.current();
  const timer = setInterval(() => context.heartbeat(), 100);
  try {
    await Promise.race([open, context.cancelled]);
  } finally {
    clearInterval(timer);
  }
}

function line(claim: string, host?: string): ProofLine {
  return {
    claim,
    ...(host === undefined ? {} : { host }),
    endpoint: 'db-1:5432',
    result: 'passed',
    at: new Date().toISOString(),
    evidence: 'seen',
  };
}

function need<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new RotateError('Internal', `the world has no ${what}`);
  return value;
}
