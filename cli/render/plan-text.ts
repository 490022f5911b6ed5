/** A plan as a person reads it: step by step, host by host. */
import {
  overlapOf,
  type DigestedPlan,
  type Plan,
  type PlannedHost,
  type PlannedSecret,
} from '../../domain/plan.js';
import type { Paint } from './style.js';
import { count, duration, oneLine, wrap } from './text.js';

/** Each under a heading of its own when there are several. @param columns as {@link planText} */
export function plansText(plans: readonly DigestedPlan[], columns: number | undefined, paint: Paint): string {
  return plans
    .map((plan, i) => {
      const text = planText(plan, columns, paint);
      return plans.length === 1
        ? text
        : `${paint('bold', `rotation ${i + 1} of ${plans.length}`)}\n\n${text}`;
    })
    .join('\n');
}

/** @param columns width to wrap at; undefined: 100 */
export function planText({ plan, digest }: DigestedPlan, columns: number | undefined, paint: Paint): string {
  const width = Math.min(columns ?? 100, 100);
  const lines: string[] = [];
  const say = (text: string, indent: string): void => {
    lines.push(...wrap(text, width, indent));
  };
  const step = (name: string): void => {
    lines.push(paint('bold', name));
  };
  const of = (s: PlannedSecret): string => (plan.secrets.length > 1 ? `${s.name}: ` : '');
  for (const s of plan.secrets) {
    lines.push(paint('bold', oneLine(`${s.environment}/${s.name}`)));
    say(`${s.kind}, ${overlapWords[s.overlap]}${accounts(s)}`, '  ');
  }
  say(`computed at commit ${plan.commit.slice(0, 12)}, digest ${digest.slice(0, 12)}`, '  ');
  lines.push('');

  step('generate');
  for (const s of plan.secrets) say(of(s) + s.effects.generate, '  ');
  step('encrypt');
  for (const s of plan.secrets) {
    const others = s.sharesFile ? ', which holds other secrets too' : '';
    say(`${s.file}${others}, for ${count(s.recipients.length, 'recipient')}:`, '  ');
    for (const recipient of s.recipients) say(shortRecipient(recipient), '    ');
  }
  step('deploy');
  if (overlapOf(plan) === 'swap') {
    say(`all at once: ${plan.waves.map((wave) => wave.map((h) => h.name).join(', ')).join('; then ')}`, '  ');
    say(failuresAllowed(plan), '  ');
  } else {
    for (const [i, wave] of plan.waves.entries())
      say(`wave ${i + 1}: ${wave.map((h) => h.name).join(', ')}`, '  ');
    say(`${plan.policy.parallel} at once; ${failuresAllowed(plan)}`, '  ');
  }
  step('restart');
  for (const line of restarts(plan.waves.flat())) say(line, '  ');
  step('verify');
  for (const s of plan.secrets)
    say(
      s.endpoints.length === 0
        ? `${of(s)}the file, and what consumers run with`
        : `${of(s)}the file, what consumers run with, and a login through ${s.endpoints.join(', ')}`,
      '  ',
    );
  const { soakMs, proveAgainMs } = plan.policy;
  say(soakMs === 0 ? 'then merge' : `then merge, and watch for ${duration(soakMs)}`, '  ');
  step('revoke');
  for (const s of plan.secrets) {
    if (s.canDisable) say(of(s) + s.effects.disable, '  ');
    say(of(s) + s.effects.destroy, '  ');
  }
  say(
    `proved at once, and again ${proveAgainMs === 0 ? 'at the end' : `after ${duration(proveAgainMs)}`}`,
    '  ',
  );
  if (plan.notes.length > 0) {
    step('notes');
    for (const note of plan.notes) say(`- ${note}`, '  ');
  }
  return lines.map((line) => `${line.trimEnd()}\n`).join('');
}

const overlapWords = {
  dual: 'old and new are valid at once',
  swap: 'the issuer knows one value at a time',
} as const satisfies Record<PlannedSecret['overlap'], string>;

function accounts(s: PlannedSecret): string {
  return s.account === undefined ? '' : `; ${s.account} is in use`;
}

/** Keys are long; their beginning says the type and their end tells them apart. */
function shortRecipient(recipient: string): string {
  return recipient
    .split(' ')
    .map((word) => (word.length > 40 ? `${word.slice(0, 12)}…${word.slice(-12)}` : word))
    .join(' ');
}

function failuresAllowed(plan: Plan): string {
  const n = plan.policy.maxFailures;
  return n === 0 ? 'one that fails undoes the rotation' : `more than ${n} that fail undo the rotation`;
}

/** Hosts with the same units share a line. */
function restarts(hosts: readonly PlannedHost[]): string[] {
  const byUnits = new Map<string, string[]>();
  for (const host of hosts) {
    const units =
      host.units.length === 0
        ? 'nothing: no unit reads it'
        : host.units
            .map((u) => (u.action === 'none' ? `leave ${u.unit} alone` : `${u.action} ${u.unit}`))
            .join(', ');
    byUnits.set(units, [...(byUnits.get(units) ?? []), host.name]);
  }
  return [...byUnits].map(([units, names]) => `${names.join(', ')}: ${units}`);
}
