/** How a secret is rotated and how it is killed, in words for a person on call. Pure. */
import type { PlannedHost, PlannedSecret } from '../../domain/plan.js';
import type { PolicySpec } from '../../domain/spec.js';
import { count, duration } from '../render/text.js';

/** What a kind says of a secret with its settings. */
export interface Traits extends Pick<
  PlannedSecret,
  'overlap' | 'kill' | 'source' | 'canDisable' | 'retire' | 'effects'
> {
  keepOldMs?: number;
}

/** @param policy the canary restricted to hosts of the secret's environment */
export function sayRotation(traits: Traits, policy: PolicySpec): string[] {
  const { overlap, kill, source, effects } = traits;
  return [
    `${sourceWords[source]}: ${effects.generate}`,
    overlapWords[kill === 'deploy' ? 'deploy' : 'issuer'][overlap],
    overlap === 'swap'
      ? 'all hosts are switched together, without waves; one that fails undoes the rotation'
      : sayWaves(policy),
    sayCare(policy),
    sayEnd(traits, policy),
  ];
}

const sourceWords = {
  worker: 'the worker makes the new value',
  issuer: 'the issuer makes the new value',
  person: 'a person makes it, and `rotate start` asks for it',
} as const satisfies Record<Traits['source'], string>;

const overlapWords = {
  issuer: {
    dual: 'dual: old and new are valid at once, so no login fails while hosts change',
    swap: 'swap: the issuer knows one value at a time. From the moment it takes the new one until the last consumer has restarted, new logins fail: some 5 to 30 seconds',
  },
  deploy: {
    dual: 'dual: the new value leads a list, and the old one behind it is accepted too. Until the last host has changed, what a changed host signs is refused by those that have not',
    swap: 'swap: hosts accept what they have installed and nothing else. From the first switch to the last restart they disagree, some 5 to 30 seconds, and what the old value signed is refused afterwards',
  },
} as const;

function sayWaves({ canary, waves, parallel, maxFailures }: PolicySpec): string {
  const first = canary.length === 0 ? '' : `first ${canary.join(', ')}; then `;
  const steps = waves.map((wave) => (typeof wave === 'number' ? count(wave, 'host') : `up to ${wave}`));
  const failures =
    maxFailures === 0
      ? 'one that fails undoes the rotation'
      : `more than ${maxFailures} that fail undo the rotation`;
  return `in waves: ${first}${steps.join(', ')}; ${parallel} hosts at once; ${failures}`;
}

function sayCare({ stableMs, soakMs, deadManMs }: PolicySpec): string {
  const soak =
    soakMs === 0 ? 'there is no soak' : `the checks go on for ${duration(soakMs)} before the old value ends`;
  return `a unit must stay up for ${duration(stableMs)}; ${soak}; a host that is not reached ${duration(deadManMs)} after its switch puts itself back`;
}

function sayEnd({ kill, retire, effects, canDisable }: Traits, { proveAgainMs }: PolicySpec): string {
  const steps = [...(canDisable ? [effects.disable] : []), effects.destroy].join('; ');
  const how = retire === 'deploy' ? `by a second deploy: ${steps}` : steps;
  const again = proveAgainMs === 0 ? 'at the end' : `after ${duration(proveAgainMs)}`;
  const proof = kill === 'issuer' ? `; that it is refused is proved at once and again ${again}` : '';
  return `the old value ends: ${how}${proof}. Until that begins, \`rotate rollback\` leads back`;
}

/** @param consumers hosts with a unit that reads it */
export function sayKill(traits: Traits, policy: PolicySpec, consumers: readonly PlannedHost[]): string[] {
  return [killWords[traits.kill], ...saySteps(traits), sayConsequence(traits, policy, consumers)];
}

function saySteps({ overlap, canDisable, effects }: Traits): string[] {
  if (overlap === 'swap') {
    const steps = [...(canDisable ? [effects.disable] : []), effects.destroy].join('; ');
    return ['a new value takes its place, so there is nothing to disable', `after that: ${steps}`];
  }
  return [
    canDisable ? `disable, which can be undone: ${effects.disable}` : `disable: ${effects.disable}`,
    `destroy, for good: ${effects.destroy}`,
  ];
}

const killWords = {
  issuer:
    'by its issuer: what the issuer refuses is worth nothing anywhere, and no host has to be reached for that',
  deploy:
    'by a deploy: there is nobody who could refuse it. A host accepts what it has installed, so it lives until a new value has reached every holder',
  manual:
    'by hand: only whoever runs the vendor’s side can have it refused, and rotate cannot see more than the check does',
} as const satisfies Record<Traits['kill'], string>;

function sayConsequence(
  { kill, overlap, retire, keepOldMs = 0 }: Traits,
  { soakMs }: PolicySpec,
  consumers: readonly PlannedHost[],
): string {
  const who = sayUnits(consumers);
  const after = soakMs === 0 ? 'as soon as' : `${duration(soakMs)} after`;
  if (kill === 'deploy')
    return retire === 'deploy'
      ? `what it has signed stays accepted until ${duration(keepOldMs)} after the soak; who cannot wait takes it out of the file by hand and deploys that, and people log in again`
      : 'what it has signed (sessions, tokens) is refused once it is replaced: people log in again';
  if (overlap === 'swap')
    return `killed by hand, ${who} cannot log in until a new value is deployed; a rotation replaces and kills it in one go, with a gap of some 5 to 30 seconds`;
  const kills = kill === 'manual' ? 'comes to this' : 'kills it';
  return `killed before it is replaced, ${who} cannot log in until a new value is deployed; a rotation replaces it first, so that nothing fails, and ${kills} ${after} the last host has changed`;
}

/** `app.service on 3 hosts`. */
function sayUnits(consumers: readonly PlannedHost[]): string {
  const units = [...new Set(consumers.flatMap((host) => host.units.map(({ unit }) => unit)))];
  if (units.length === 0) return 'whoever uses it';
  const [first = '', ...more] = units;
  const names = more.length > 2 ? `${first} and ${count(more.length, 'unit')} more` : units.join(', ');
  return `${names} on ${count(consumers.length, 'host')}`;
}
