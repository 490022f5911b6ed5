/**
 * An exhaustive small model of the protocol: issuer, repo, two hosts in two waves
 * and the workflow, with every order of failure (with and without effect), given
 * up attempts that act late, crashes between effect and answer, and a person who
 * rolls back, retries, skips or aborts. It runs the very functions that the
 * workflow runs: decide, register, record, undoPlan.
 */
import { describe, expect, test } from 'vitest';
import { compareFences, noFence, type Fence } from '../../domain/fence.js';
import { decide } from '../../domain/decide.js';
import { describe as describeCommand, finish, parkOn, record, register } from '../../domain/record.js';
import { follow, objection, type PersonRequest } from '../../domain/say.js';
import { initialSteps } from '../../domain/progress.js';
import { startJournal } from '../../domain/start.js';
import { targetOf } from '../../domain/targets.js';
import { isDrop } from '../../domain/undo.js';
import type { Command, CommandFacts, Journal, Outcome } from '../../domain/journal.js';
import type { Plan } from '../../domain/plan.js';
import type { Target } from '../../domain/credential.js';

/** `both`: a list with the new value first, where the old one is retired by a second deploy. */
type Value = 'old' | 'new' | 'both';
interface World {
  issuer: Target & { fence: Fence };
  hosts: Record<string, { installed: Value; runs: Value; fence: Fence }>;
  repo: { branch: boolean; main: Value; fence: Fence };
}
/** An attempt that was given up and may still act. */
interface Late {
  command: Command;
  fence: Fence;
}
interface State {
  journal: Journal;
  world: World;
  late: Late[];
  /** Faults and interventions left to inject. */
  faults: number;
  /** How it came to this, last first. */
  trace: Trace | undefined;
}
interface Trace {
  step: string;
  before: Trace | undefined;
}

const at = '2026-01-01T00:00:00.000Z';
const plan: Plan = {
  version: 1,
  environment: 'prod',
  commit: 'c0',
  secrets: [
    {
      environment: 'prod',
      name: 's',
      kind: 'postgres',
      overlap: 'dual',
      kill: 'issuer',
      source: 'worker',
      canDisable: true,
      retire: 'issuer',
      consumers: [],
      file: 's.age',
      sharesFile: false,
      recipients: [],
      endpoints: [],
      effects: { generate: '', disable: '', destroy: '' },
    },
  ],
  waves: [[{ name: 'canary', units: [] }], [{ name: 'web', units: [] }]],
  policy: {
    name: 'p',
    parallel: 10,
    maxFailures: 0,
    stableMs: 0,
    soakMs: 0,
    proveAgainMs: 0,
    deadManMs: 0,
    budgets: { apply: 0, repo: 0, converge: 0, undo: 0, drain: 0 },
  },
  notes: [],
};

interface Variant {
  /** `swap`: one value at a time. `drop`: no issuer, the old value goes with a second deploy. `made`: the issuer makes it. */
  shape?: 'dual' | 'swap' | 'drop' | 'made';
  /** Leaves the fence out, to show that the model notices. */
  ignoreFences?: boolean;
  maxFailures?: number;
}

function planOf({ shape = 'dual', maxFailures = 0 }: Variant): Plan {
  return {
    ...plan,
    secrets: plan.secrets.map((s) => ({
      ...s,
      overlap: shape === 'swap' ? 'swap' : 'dual',
      source: shape === 'made' ? 'issuer' : 'worker',
      canDisable: shape !== 'made',
      ...(shape === 'drop' ? { kill: 'deploy', retire: 'deploy', keepOldMs: 0 } : {}),
    })),
    policy: { ...plan.policy, maxFailures },
  };
}

function initial(variant: Variant, faults: number): State {
  const withTolerance = planOf(variant);
  return {
    journal: startJournal(
      { id: '01', by: 'model', takeOver: false, plan: { plan: withTolerance, digest: '' } },
      at,
    ),
    world: {
      issuer: { old: 'valid', new: 'absent', fence: noFence },
      hosts: {
        canary: { installed: 'old', runs: 'old', fence: noFence },
        web: { installed: 'old', runs: 'old', fence: noFence },
      },
      repo: { branch: false, main: 'old', fence: noFence },
    },
    late: [],
    faults,
    trace: undefined,
  };
}

/** A copy that shares what is never changed in place: journals (pure functions copy them) and commands. */
function copy(state: State): State {
  const { issuer, hosts, repo } = state.world;
  return {
    journal: state.journal,
    world: {
      issuer: { ...issuer },
      hosts: Object.fromEntries(Object.entries(hosts).map(([name, host]) => [name, { ...host }])),
      repo: { ...repo },
    },
    late: [...state.late],
    faults: state.faults,
    trace: state.trace,
  };
}

/** The next state of the workflow; what only a watcher sees is dropped, it would make every copy dear. */
function move(state: State, journal: Journal, step: string): State {
  state.trace = { step, before: state.trace };
  state.journal = { ...journal, events: [], steps: initialSteps(), proof: [] };
  return state;
}

/** Whether the target takes a command with this fence; it then stores it. */
function passes(target: { fence: Fence }, fence: Fence, variant: Variant): boolean {
  if (variant.ignoreFences === true) return true;
  if (compareFences(fence, target.fence) < 0) return false;
  target.fence = fence;
  return true;
}

function hostOf(world: World, name: string): World['hosts'][string] {
  const host = world.hosts[name];
  if (host === undefined) throw new Error(name);
  return host;
}

/**
 * What a command does to the world, in as many separate strokes as it has; an attempt may stop after any
 * of them. `accepted` is what a check at the end finds.
 */
function strokes(command: Command, fence: Fence, variant: Variant): ((world: World) => boolean)[] {
  switch (command.do) {
    case 'apply': {
      const target = targetOf(command.purpose, variant.shape === 'swap' ? 'swap' : 'dual');
      return [
        (w) => {
          if (!passes(w.issuer, fence, variant)) return false;
          // A destroyed value cannot come back by LOGIN alone: no undo is ever planned after it.
          w.issuer.old = target.old;
          w.issuer.new = target.new;
          return true;
        },
      ];
    }
    case 'generate':
      // An issuer that makes the value has no fence. What an earlier attempt has left is deleted first.
      return variant.shape === 'made'
        ? [
            (w) => {
              w.issuer.new = 'valid';
              return true;
            },
          ]
        : [];
    case 'encrypt':
      return [
        (w) => {
          if (!passes(w.repo, fence, variant)) return false;
          w.repo.branch = true;
          return true;
        },
      ];
    case 'merge':
      return [
        (w) => {
          if (!passes(w.repo, fence, variant)) return false;
          w.repo.main = contentOf(command, variant);
          return true;
        },
      ];
    case 'unpublish':
      return [
        (w) => {
          if (!passes(w.repo, fence, variant)) return false;
          w.repo.branch = false;
          w.repo.main = 'old';
          return true;
        },
      ];
    case 'advance':
    case 'restore': {
      const value: Value = command.do === 'advance' ? contentOf(command, variant) : 'old';
      return command.hosts.flatMap((name) => [
        (w: World) => {
          const host = hostOf(w, name);
          if (!passes(host, fence, variant)) return false;
          host.installed = value;
          return true;
        },
        // A restart is not fenced: it makes the unit run with what is installed, whoever asks.
        (w: World) => {
          const host = hostOf(w, name);
          host.runs = host.installed;
          return true;
        },
      ]);
    }
    default:
      return [];
  }
}

/** What a deploy brings: with a second one to come, the first lists both values. */
function contentOf(command: Command, variant: Variant): Value {
  return variant.shape === 'drop' && !isDrop(command) ? 'both' : 'new';
}

function facts(command: Command, journal: Journal): CommandFacts {
  switch (command.do) {
    case 'rebase': {
      const joining = journal.hosts.filter((h) => !h.skipped && h.drop === undefined);
      return { drop: { base: 'c1', hosts: joining.map(({ name }) => ({ name, from: 'both', files: [] })) } };
    }
    case 'preflight':
      return { epoch: 1, base: 'c0' };
    case 'generate':
      return { secrets: [{ name: command.secret, fresh: 'sealed' }] };
    case 'build':
      return { hosts: command.hosts.map((name) => ({ name, fresh: '/nix/store/new' })) };
    case 'soak':
      return { finished: true };
    default:
      return {};
  }
}

function failure(type: 'Timeout' | 'Interrupted' = 'Timeout'): Extract<Outcome, { ok: false }> {
  return { ok: false, reason: { type, message: 'injected' } };
}

/** Every state that can follow. */
function successors(state: State, variant: Variant): State[] {
  const next: State[] = [];

  // A given up attempt acts, at any time and as far as it gets.
  for (const [i, late] of state.late.entries()) {
    const all = strokes(late.command, late.fence, variant);
    for (let count = 1; count <= all.length; count += 1) {
      const s = copy(state);
      s.late.splice(i, 1);
      s.trace = { step: `late ${describeCommand(late.command)} (${count})`, before: s.trace };
      for (const stroke of all.slice(0, count)) if (!stroke(s.world)) break;
      next.push(s);
    }
  }

  if (state.journal.endedAt !== undefined) return next;

  // A person speaks.
  const requests: PersonRequest[] =
    state.journal.parked === undefined
      ? [{ say: 'rollback', by: 'p' }]
      : [
          { say: 'retry', by: 'p' },
          { say: 'rollback', by: 'p' },
          { say: 'abort', by: 'p' },
          { say: 'skip', by: 'p', host: 'web', acceptLoss: false },
          { say: 'skip', by: 'p', host: 'web', acceptLoss: true },
        ];
  for (const request of requests) {
    if (objection(state.journal, request) !== undefined) continue;
    if (request.say !== 'retry' && request.say !== 'abort' && state.faults === 0) continue;
    const s = copy(state);
    move(s, follow(s.journal, request, at), request.say);
    if (request.say !== 'retry' && request.say !== 'abort') s.faults -= 1;
    next.push(s);
  }

  const action = decide(state.journal, at);
  if (action.type === 'park') {
    if (state.journal.parked === undefined) {
      next.push(move(copy(state), parkOn(state.journal, action.command, action.reason, at), 'park'));
    }
    return next;
  }
  if (action.type === 'end') {
    next.push(move(copy(state), finish(state.journal, action.state, at), action.state));
    return next;
  }
  if (action.type === 'wait') throw new Error('the model has no delays');

  const [command] = action.commands;
  if (command === undefined) throw new Error('nothing to run');
  const begun = register(state.journal, command, at);
  const fence: Fence = { epoch: begun.journal.epoch, seq: begun.seq };
  const all = strokes(command, fence, variant);

  // It works; an attempt before the one that worked may still be on its way.
  for (const duplicate of state.faults > 0 && all.length > 0 && command.do !== 'generate'
    ? [false, true]
    : [false]) {
    const s = copy(state);
    let accepted = true;
    for (const stroke of all) accepted = stroke(s.world) && accepted;
    if (duplicate) {
      s.late.push({ command, fence });
      s.faults -= 1;
    }
    s.journal = record(
      begun.journal,
      command,
      accepted ? { ok: true, facts: facts(command, state.journal) } : failure(),
      at,
    );
    if (accepted && progressOf(s.journal) === progressOf(state.journal))
      throw new Error(`${describeCommand(command)} leads nowhere: ${story(state)}`);
    next.push(s);
  }
  if (state.faults === 0) return next;

  // It fails after some of its strokes (none, some, all), and its attempt is over or still on its way;
  // or a person cancels it in the middle.
  for (let count = 0; count <= all.length; count += 1) {
    // Of an issuer that cannot hold a fence, an attempt that comes too late is the race that the docs name.
    const unfenced = command.do === 'generate';
    for (const lingering of all.length > 0 && !unfenced ? [false, true] : [false]) {
      for (const cancelled of state.journal.mode === 'forward' ? [false, true] : [false]) {
        const s = copy(state);
        for (const stroke of all.slice(0, count)) if (!stroke(s.world)) break;
        if (lingering) s.late.push({ command, fence });
        s.faults -= 1;
        const failed: Extract<Outcome, { ok: false }> = {
          ...failure(cancelled ? 'Interrupted' : 'Timeout'),
          cancelled,
        };
        // The wave may have lived to tell which host failed, or not.
        const told: Outcome =
          command.do === 'advance' && !cancelled
            ? { ...failed, facts: { hosts: command.hosts.map((name) => ({ name, failed: failed.reason })) } }
            : failed;
        move(s, record(begun.journal, command, told, at), `${describeCommand(command)} fails (${count})`);
        next.push(s);
      }
    }
  }
  return next;
}

/** What must hold in every state. */
function violation(state: State, { shape = 'dual' }: Variant): string | undefined {
  const { issuer, hosts } = state.world;
  if (shape === 'drop') return leftBehind(state);
  if (shape === 'swap' && inCriticalSection(state.journal)) return undefined;
  const accepted = (v: Value): boolean => (v === 'new' ? issuer.new === 'valid' : issuer.old === 'valid');
  for (const [name, host] of Object.entries(hosts)) {
    const known = state.journal.hosts.find((h) => h.name === name);
    if (known?.lossAccepted === true) continue;
    if (!accepted(host.installed))
      return `${name} has the ${host.installed} value installed, which is refused`;
    if (!accepted(host.runs)) return `${name} runs with the ${host.runs} value, which is refused`;
  }
  return undefined;
}

/** From the issuer's change to the last host's, on the way there and back, a swap cannot keep the invariant. */
function inCriticalSection(journal: Journal): boolean {
  const begun = journal.secrets.some((s) => s.provision !== 'none');
  const through = journal.mode === 'forward' && journal.hosts.every((h) => h.verified || h.lossAccepted);
  // Whoever gives up in the middle leaves it so; what remains is told.
  return begun && !through && (journal.endedAt === undefined || journal.state === 'failed');
}

/** No host refuses what the old value has signed while another still signs with it. */
function leftBehind(state: State): string | undefined {
  const cared = Object.entries(state.world.hosts).filter(
    ([name]) => state.journal.hosts.find((h) => h.name === name)?.lossAccepted !== true,
  );
  const values = cared.flatMap(([, h]) => [h.installed, h.runs]);
  return values.includes('new') && values.includes('old')
    ? 'a host has dropped the value that another has'
    : undefined;
}

/** What must hold when it has ended, whatever still comes late. */
function badEnd(state: State, { shape = 'dual' }: Variant): string | undefined {
  const { issuer, hosts, repo } = state.world;
  const cared = Object.entries(hosts).filter(
    ([name]) => state.journal.hosts.find((h) => h.name === name)?.lossAccepted !== true,
  );
  const all = (v: Value): boolean => cared.every(([, h]) => h.installed === v && h.runs === v);
  switch (state.journal.state) {
    case 'done':
      if (shape !== 'drop' && (issuer.old !== 'destroyed' || issuer.new !== 'valid'))
        return 'done, but the issuer disagrees';
      return all('new') && repo.main === 'new' ? undefined : 'done, but the old value is about';
    case 'rolled-back':
      if (issuer.old !== 'valid' || issuer.new !== 'absent') return 'rolled back, but the issuer disagrees';
      return all('old') && repo.main === 'old' && !repo.branch
        ? undefined
        : 'rolled back, but the new value is about';
    case 'refused':
      return issuer.new === 'absent' && all('old') && repo.main === 'old' && !repo.branch
        ? undefined
        : 'refused, but something has changed';
    case 'failed':
      return undefined;
    default:
      return `ended as ${state.journal.state}`;
  }
}

/** What a command that works must change, or it would be repeated for ever. */
function progressOf(journal: Journal): string {
  const {
    events: _events,
    eventCount: _count,
    steps: _steps,
    proof: _proof,
    seq: _seq,
    state: _state,
    ...rest
  } = journal;
  return JSON.stringify({ ...rest, plan: undefined });
}

function key(state: State): string {
  const {
    events: _events,
    eventCount: _count,
    steps: _steps,
    proof: _proof,
    seq: _seq,
    ...journal
  } = state.journal;
  // Sequence numbers only matter by their order, so that equal situations are found equal.
  const fences = [
    state.world.issuer.fence,
    state.world.repo.fence,
    ...Object.values(state.world.hosts).map((h) => h.fence),
    ...state.late.map((l) => l.fence),
  ].map((f) => f.seq);
  const ranks = [...new Set(fences)].sort((a, b) => a - b);
  const relative = (fence: Fence): number => ranks.indexOf(fence.seq);
  return JSON.stringify([
    { ...journal, plan: undefined, reason: journal.reason?.type },
    { ...state.world.issuer, fence: relative(state.world.issuer.fence) },
    { ...state.world.repo, fence: relative(state.world.repo.fence) },
    Object.entries(state.world.hosts).map(([n, h]) => [n, { ...h, fence: relative(h.fence) }]),
    state.late.map((l) => [l.command, relative(l.fence)]),
    state.faults,
  ]);
}

function story(state: State): string {
  const steps: string[] = [];
  for (let t = state.trace; t !== undefined; t = t.before) steps.unshift(t.step);
  return steps.join(' | ');
}

interface Exploration {
  states: number;
  ends: Record<string, number>;
  problem?: string;
  stuck: number;
}

function explore(variant: Variant, faults: number): Exploration {
  const seen = new Set<string>();
  const result: Exploration = { states: 0, ends: {}, stuck: 0 };
  const stack: State[] = [initial(variant, faults)];
  for (let state = stack.pop(); state !== undefined; state = stack.pop()) {
    const k = key(state);
    if (seen.has(k)) continue;
    seen.add(k);
    const bad =
      violation(state, variant) ?? (state.journal.endedAt === undefined ? undefined : badEnd(state, variant));
    if (bad !== undefined && result.problem === undefined) {
      result.problem = `${bad}: ${story(state)}`;
      return result;
    }
    if (state.journal.endedAt !== undefined) {
      result.ends[state.journal.state] = (result.ends[state.journal.state] ?? 0) + 1;
    }
    const next = successors(state, variant);
    if (next.length === 0 && state.journal.endedAt === undefined) result.stuck += 1;
    stack.push(...next);
  }
  result.states = seen.size;
  return result;
}

describe('the protocol, explored in full', () => {
  test('keeps its invariant and its ends in every order of three faults', () => {
    const result = explore({}, 3);
    expect(result.problem).toBeUndefined();
    expect(result.stuck).toBe(0);
    expect(result.states).toBeGreaterThan(10_000);
    expect(Object.keys(result.ends).sort()).toEqual(['done', 'failed', 'refused', 'rolled-back']);
  }, 120_000);

  test('keeps them when one host may fail', () => {
    const result = explore({ maxFailures: 1 }, 2);
    expect(result.problem).toBeUndefined();
    expect(result.stuck).toBe(0);
    expect(Object.keys(result.ends).sort()).toEqual(['done', 'failed', 'refused', 'rolled-back']);
  }, 120_000);

  test.each(['swap', 'drop', 'made'] as const)(
    'keeps its ends in the shape %s',
    (shape) => {
      const result = explore({ shape }, 2);
      expect(result.problem).toBeUndefined();
      expect(result.stuck).toBe(0);
      expect(result.states).toBeGreaterThan(1_000);
      expect(Object.keys(result.ends).sort()).toEqual(['done', 'failed', 'refused', 'rolled-back']);
    },
    120_000,
  );

  test('keeps them when one host may fail, and others drop the old value', () => {
    const result = explore({ shape: 'drop', maxFailures: 1 }, 3);
    expect(result.problem).toBeUndefined();
    expect(result.stuck).toBe(0);
    expect(Object.keys(result.ends).sort()).toEqual(['done', 'failed', 'refused', 'rolled-back']);
  }, 120_000);

  test('finds the late attempt that does harm when targets ignore the fence', () => {
    expect(explore({ ignoreFences: true }, 2).problem).toBeDefined();
  });
});
