/** Where each purpose wants the issuer to be. */
import type { Target } from './credential.js';
import type { ApplyPurpose } from './journal.js';

const targets: Readonly<Record<ApplyPurpose, Target>> = {
  provision: { old: 'valid', new: 'valid' },
  disable: { old: 'disabled', new: 'valid' },
  destroy: { old: 'destroyed', new: 'valid' },
  reenable: { old: 'valid', new: 'valid' },
  withdraw: { old: 'valid', new: 'absent' },
};

export function targetOf(purpose: ApplyPurpose): Target {
  return targets[purpose];
}
