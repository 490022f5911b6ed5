/** What rotate.yaml, the kind and the log branch say of a secret. Pure: neither git, a server nor a clock is asked. */
import { ageOf } from '../../domain/age.js';
import type { SecretFacts } from '../../domain/due-verdict.js';
import { dueNow } from '../../domain/due.js';
import { factsFrom } from '../../domain/facts.js';
import { type PlannedHost, unitsOf } from '../../domain/plan.js';
import { rhythmWords } from '../../domain/schedule-words.js';
import { type ConfigSpec, type ProbeSpec, type SecretSpec, formatSecretRef } from '../../domain/spec.js';
import type { RotationRecord } from '../../repo/record.js';
import type { ExplainedRotation, ExplainedSchedule, Explanation } from './explanation.js';
import { sayKill, sayRotation, type Traits } from './say-secret.js';

/** Rotations that are shown. */
const recent = 3;

export interface Known {
  config: ConfigSpec;
  secret: SecretSpec;
  /** What the kind says of the secret's settings. */
  traits: Traits & { about: string; endpoints: readonly string[] };
  /** Rotations of the secret, newest first. */
  records: readonly RotationRecord[];
  /** RFC 3339 in UTC. */
  now: string;
}

export function explainSecret({ config, secret, traits, records, now }: Known): Explanation {
  const { environment, name, kind, file, format, tags, maxAgeMs, warnBeforeMs } = secret;
  const inside = config.secrets.filter((other) => other.environment === environment && other !== secret);
  const consumers = consumersByHost(secret);
  const policy = {
    ...secret.policy,
    canary: secret.policy.canary.filter((host) => environmentOf(config, host) === environment),
  };
  const { budgets: _, ...shownPolicy } = policy;
  const facts = factsFrom(records, name);
  const age = ageOf(secret, facts.lastSuccess, now);
  return {
    environment,
    name,
    kind,
    about: traits.about,
    store: config.environments.find((each) => each.name === environment)?.store ?? 'agenix',
    file,
    format: {
      type: format.type,
      ...(format.variable === undefined ? {} : { variable: format.variable }),
      ...(format.path === undefined ? {} : { path: format.path }),
      ...(format.template === undefined ? {} : { template: format.template }),
      list: format.list !== undefined,
    },
    sharesFileWith: inside.filter((other) => other.file === file).map((other) => other.name),
    consumers,
    endpoints: [...traits.endpoints],
    probes: secret.probes.map(sayProbe),
    tags: [...tags],
    after: [...secret.after],
    before: inside.filter((other) => other.after.includes(name)).map((other) => other.name),
    policy: shownPolicy,
    rotation: {
      source: traits.source,
      overlap: traits.overlap,
      generate: traits.effects.generate,
      retire: traits.retire,
      ...(traits.keepOldMs === undefined ? {} : { keepOldMs: traits.keepOldMs }),
      words: sayRotation(traits, policy),
    },
    kill: {
      by: traits.kill,
      canDisable: traits.canDisable,
      disable: traits.effects.disable,
      destroy: traits.effects.destroy,
      words: sayKill(traits, policy, consumers),
    },
    schedules: schedulesOf(config, secret, facts, now),
    ...(maxAgeMs === undefined ? {} : { maxAgeMs }),
    ...(warnBeforeMs === undefined ? {} : { warnBeforeMs }),
    ...(age === undefined ? {} : { age }),
    history: records.slice(0, recent).map(brief),
    commands: commandsFor(secret, traits, facts.lastEnd?.state === 'failed' || blocked(records[0])),
  };
}

function environmentOf(config: ConfigSpec, host: string): string | undefined {
  return config.hosts.find((each) => each.name === host)?.environment;
}

/** Sorted by host; units in the order in which they are restarted. */
function consumersByHost({ consumers }: SecretSpec): PlannedHost[] {
  const names = [...new Set(consumers.flatMap(({ hosts }) => hosts))].toSorted();
  return names.map((name) => ({ name, units: unitsOf(consumers, name) }));
}

function sayProbe(probe: ProbeSpec): string {
  switch (probe.type) {
    case 'http':
      return `${probe.url} answers ${probe.status}`;
    case 'tcp':
      return `${probe.address}:${probe.port} accepts a connection`;
    default:
      return `${probe.argv.join(' ')} exits with 0`;
  }
}

function schedulesOf(
  { schedules, freezes }: ConfigSpec,
  { environment, name }: SecretSpec,
  facts: SecretFacts,
  now: string,
): ExplainedSchedule[] {
  return schedules
    .filter((schedule) => schedule.environment === environment && schedule.secrets.includes(name))
    .flatMap((schedule) =>
      dueNow({ schedule, freezes, secrets: [facts], now }).secrets.map(({ state, reason, next }) => ({
        name: schedule.name,
        rhythm: rhythmWords(schedule),
        state,
        why: reason,
        ...(next === undefined ? {} : { next }),
      })),
    );
}

function brief({ id, state, startedAt, endedAt, by, why, reason }: RotationRecord): ExplainedRotation {
  return {
    id,
    state,
    startedAt,
    ...(endedAt === undefined ? {} : { endedAt }),
    by,
    ...(why === undefined ? {} : { why }),
    ...(reason === undefined ? {} : { reason }),
  };
}

/** Refused because one that was given up still holds it: all that records tell of one that was terminated. */
function blocked(last: RotationRecord | undefined): boolean {
  return last?.state === 'refused' && last.reason?.type === 'Blocked';
}

/** @param givenUp whether the next rotation has to take over what one before it has left */
function commandsFor(
  secret: SecretSpec,
  { source, kill }: Traits,
  givenUp: boolean,
): Explanation['commands'] {
  const name = formatSecretRef(secret);
  const takeOver = givenUp ? ' --take-over' : '';
  return [
    {
      command: `rotate plan ${name}`,
      does: 'what would happen, step by step and host by host; changes nothing',
    },
    {
      command: `rotate start ${name}${takeOver} --reason TEXT`,
      does: [
        source === 'person' ? 'ask for the new value, and rotate' : 'rotate it now',
        ...(takeOver === '' ? [] : ['a rotation of it was given up: see what that left behind first']),
      ].join('; '),
    },
    { command: 'rotate status', does: 'what is under way; with an id, its steps, hosts and proof' },
    ...(kill === 'manual'
      ? [{ command: 'rotate confirm ID', does: 'what it asked you to do at the vendor is done' }]
      : []),
    { command: `rotate history ${name}`, does: 'every rotation that it had' },
    { command: 'rotate rollback ID', does: 'undo one that has not yet begun to destroy the old value' },
  ];
}
