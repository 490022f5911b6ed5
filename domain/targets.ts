/** Where each purpose wants the issuer to be. */
import type { Target } from './credential.js';
import type { ApplyPurpose } from './journal.js';

const dual: Readonly<Record<ApplyPurpose, Target>> = {
  provision: { old: 'valid', new: 'valid' },
  disable: { old: 'disabled', new: 'valid' },
  destroy: { old: 'destroyed', new: 'valid' },
  reenable: { old: 'valid', new: 'valid' },
  withdraw: { old: 'valid', new: 'absent' },
};

/** The issuer knows one value at a time: there is no place where both are valid. */
const swap: Readonly<Record<ApplyPurpose, Target>> = {
  provision: { old: 'disabled', new: 'valid' },
  disable: { old: 'disabled', new: 'valid' },
  destroy: { old: 'destroyed', new: 'valid' },
  reenable: { old: 'valid', new: 'absent' },
  withdraw: { old: 'valid', new: 'absent' },
};

export function targetOf(purpose: ApplyPurpose, overlap: 'dual' | 'swap'): Target {
  return (overlap === 'swap' ? swap : dual)[purpose];
}
