/** Decides what is left to do at the vendor for a target: pure. */
import type { CheckResult, Target } from '../../domain/credential.js';
import type { FailureType } from '../../domain/failure.js';
import type { ApplyPurpose } from '../../domain/journal.js';

export type Act =
  /** The vendor accepts the new value: beside the old one, or (`swap`) instead of it. */
  | 'provision'
  /** It refuses the old one. */
  | 'revoke'
  /** `dual`: it refuses the new one. */
  | 'withdraw'
  /** `dual`: it accepts the old one again, which nobody was to take away. */
  | 'restore'
  /** `swap`: it accepts the old one instead of the new one. */
  | 'undo';

/** What the check says of both values; `unknown` where there is none. */
export interface Look {
  old: CheckResult['outcome'];
  new: CheckResult['outcome'];
}

/**
 * What the target asks for, in order, whether it has been done already or not.
 * @param purpose absent: any; the target alone decides
 */
export function actsFor(
  overlap: 'dual' | 'swap',
  target: Target,
  purpose: ApplyPurpose | undefined,
): readonly Act[] {
  if (target.old === 'destroyed') return ['provision', 'revoke'];
  if (overlap === 'swap') return target.new === 'absent' ? ['undo'] : ['provision'];
  if (target.new === 'absent') return ['restore', 'withdraw'];
  // On the way back a new value that the vendor does not accept is not wanted any more.
  if (purpose === 'reenable') return ['restore'];
  return purpose === 'provision' ? ['provision'] : ['restore', 'provision'];
}

/** An act as it stands in an attempt. */
export interface Attempt {
  act: Act;
  target: Target;
  purpose?: ApplyPurpose;
  byPerson: boolean;
}

/** What an earlier step has brought about and proven: not done, or asked for, once more unless the check says otherwise. */
export function isPresumed({ act, target, purpose, byPerson }: Attempt, look: Look): boolean {
  switch (act) {
    // Hosts work with the new value by then.
    case 'provision':
      return target.old === 'destroyed' && look.new !== 'refused';
    case 'restore':
      return !isReplaced(look);
    // It came first on the way back; a command makes sure once more, a person need not.
    case 'undo':
      return purpose === 'withdraw' && byPerson && look.old !== 'refused';
    default:
      return false;
  }
}

/** Whether the check shows it to be done. A refusal counts only beside a value that is accepted: a check that refuses everything proves nothing. */
export function isDone(act: Act, look: Look): boolean {
  switch (act) {
    case 'provision':
      return look.new === 'accepted';
    case 'revoke':
      return isReplaced(look);
    case 'withdraw':
      return look.new === 'refused' && look.old === 'accepted';
    case 'restore':
    case 'undo':
      return look.old === 'accepted';
    default:
      return act satisfies never;
  }
}

/** The vendor has the new value, and the old one no more. */
export function isReplaced(look: Look): boolean {
  return look.old === 'refused' && look.new === 'accepted';
}

/** Type of the failure when it is said to be done, and the check says otherwise; undefined when it does not. */
export function contradiction(act: Act, look: Look): FailureType | undefined {
  switch (act) {
    case 'provision':
      return look.new === 'refused' ? 'NewValueRejected' : undefined;
    case 'revoke':
      return look.old === 'accepted' ? 'NotDead' : undefined;
    case 'withdraw':
      return look.new === 'accepted' ? 'NotDead' : undefined;
    case 'restore':
    case 'undo':
      return look.old === 'refused' ? 'OldValueRejected' : undefined;
    default:
      return act satisfies never;
  }
}
