/** Values that a person brings leave his machine only sealed for the worker. */
import { sealTo } from '../codec/seal.js';
import { encodeCredential } from '../domain/credential-form.js';
import { RotateError } from '../domain/failure.js';
import type { DigestedPlan } from '../domain/plan.js';
import type { SecretValue } from '../domain/secret-value.js';

/** Names of a plan's secrets whose value a person brings. */
export function toBring({ plan }: DigestedPlan): string[] {
  return plan.secrets.filter(({ source }) => source === 'person').map(({ name }) => name);
}

/**
 * @param values by the secret's name
 * @returns for {@link StartRequest.brought}
 * @throws RotateError BadConfig when the worker does not say for whom to seal
 */
export async function sealBrought(
  { sealTo: recipient, plan }: DigestedPlan,
  values: ReadonlyMap<string, SecretValue>,
): Promise<Record<string, string>> {
  const sealed: Record<string, string> = {};
  for (const { name } of plan.secrets) {
    const value = values.get(name);
    if (value === undefined) continue;
    if (recipient === undefined)
      throw new RotateError('BadConfig', 'the worker does not say for whom to seal the value', {
        hint: 'use the same version of rotate as the worker',
      });
    sealed[name] = await sealTo(recipient, encodeCredential({ value }));
  }
  return sealed;
}
