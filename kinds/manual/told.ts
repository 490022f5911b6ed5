/** What a person is told: sentences of the plan, what he is asked to do, and that it is not done. */
import { RotateError, type FailureType } from '../../domain/failure.js';
import { formatSecretRef } from '../../domain/spec.js';
import type { KindContext } from '../kind.js';
import type { Act } from './acts.js';
import type { EffectBlock } from './blocks.js';
import { effectOf, toldOf } from './means.js';
import type { ManualSettings } from './schema.js';

/** What is to be so at the vendor, as `a person has to …`. */
function taskOf(overlap: ManualSettings['overlap'], act: Act): string {
  switch (act) {
    case 'provision':
      return overlap === 'swap'
        ? 'set the new value at the vendor, in place of the old one'
        : 'add the new value at the vendor, beside the old one';
    case 'revoke':
      return 'revoke the old value at the vendor';
    case 'withdraw':
      return 'take the new value away at the vendor again; the old one stays';
    case 'restore':
      return 'add the old value at the vendor again, beside the new one';
    case 'undo':
      return 'put the old value back at the vendor, in place of the new one';
    default:
      return act satisfies never;
  }
}

/** Before a checklist that is written for the other value. */
const forOther: Partial<Record<Act, string>> = {
  withdraw: 'for the new value, not for the old one: ',
  restore: 'for the old value, not for the new one: ',
};

/**
 * The checklist is the hint: what to do, in the words of who knows the vendor.
 * @param what `lost`: it was so before, and the check says that it is no more
 */
export function asked(
  context: KindContext,
  { overlap, act, lost }: { overlap: ManualSettings['overlap']; act: Act; lost: boolean },
  checklist: string,
): RotateError {
  const confirm = `\`rotate confirm ${context.rotation ?? 'ID'}\``;
  const why = lost ? `the check ${found[act]}, which hosts work with: ` : '';
  return new RotateError(
    'NeedsPerson',
    `${formatSecretRef(context.secret)}: ${why}a person has to ${taskOf(overlap, act)}, and then say ${confirm}`,
    { hint: `${forOther[act] ?? ''}${checklist}`, details: { act } },
  );
}

const found = {
  provision: 'refuses the new value',
  revoke: 'still accepts the old value',
  withdraw: 'still accepts the new value',
  restore: 'refuses the old value',
  undo: 'refuses the old value',
} as const satisfies Record<Act, string>;

/** @param by who said that it is done; absent: nobody had to, it was to be so from the start */
export function contradicted(
  context: KindContext,
  act: Act,
  type: FailureType,
  by: string | undefined,
): RotateError {
  const said = by === undefined ? '' : `, though ${by} has said that it is done`;
  return new RotateError(type, `${formatSecretRef(context.secret)}: the check ${found[act]}${said}`, {
    hint:
      by === undefined
        ? 'there is no `provision`: the vendor has to accept the value before it is brought'
        : 'see what the vendor has; some take a while until they know of a change',
  });
}

/** For `dual`, where the vendor has only one value. */
export function replaced(context: KindContext): RotateError {
  return new RotateError(
    'OldValueRejected',
    `${formatSecretRef(context.secret)}: since the vendor accepts the new value, it refuses the old one`,
    {
      hint: 'does it know one value at a time? then say `overlap: swap`. Or was the old one revoked too early?',
    },
  );
}

/** For the plan; see {@link Kind.describe}. */
export function describeEffects(settings: ManualSettings): {
  generate: string;
  disable: string;
  destroy: string;
} {
  const swap = settings.overlap === 'swap';
  return {
    generate: swap ? swapped(settings) : added(settings),
    disable: 'nothing: a value cannot be suspended at the vendor',
    destroy: revoked(settings),
  };
}

function added({ provision }: ManualSettings): string {
  const take = 'take the value that a person brings';
  return provision === undefined
    ? `${take}; the vendor has to accept it already, beside the old one`
    : `${take}, and ${how(provision, taskOf('dual', 'provision'))}`;
}

function swapped({ provision, undo }: ManualSettings): string {
  const there =
    provision === undefined
      ? ''
      : `; when all hosts are ready, ${how(provision, taskOf('swap', 'provision'))}`;
  const back = undo === undefined ? '' : `. An undo would ${how(undo, taskOf('swap', 'undo'))}`;
  return `take the value that a person brings${there}${back}`;
}

function revoked({ overlap, revoke, check }: ManualSettings): string {
  const proof = check === undefined ? '. There is no `check`: nothing proves that it is refused' : '';
  if (revoke !== undefined) return `${how(revoke, taskOf(overlap, 'revoke'))}${proof}`;
  if (overlap === 'swap') return `nothing more: the vendor has one value, and it is the new one${proof}`;
  return `nothing: there is no \`revoke\`, so the old value stays valid until it ends at the vendor by itself${proof}`;
}

function how(block: EffectBlock, task: string): string {
  const means = effectOf(block);
  if (means.by !== 'person') return `run ${toldOf(means)} to ${task}`;
  return `ask a person to ${task}: ${means.checklist.trim().replace(/\s*\n\s*/g, '; ')}`;
}
