/**
 * What the codec hands to the worker in place of a payload that it refused.
 *
 * A codec that throws on the worker makes a workflow task fail and be tried again
 * for ever, so that whoever reaches Temporal's port could hang the worker with one
 * plain start. The worker's codec therefore hands over this marker, and what reads
 * it (workflows/interceptors.ts, worker/activity-interceptors.ts) fails cleanly.
 */

export const refusals = ['unsealed', 'forged', 'unknown-key'] as const;

/**
 * `unsealed`: it came without encryption. `forged`: it does not authenticate, or was sealed for another workflow
 * or activity. `unknown-key`: sealed with a key that this keyring lacks - perhaps an operator's mistake.
 */
export type Refusal = (typeof refusals)[number];

const marker = '__rotateRefused';

export interface RefusedPayload {
  readonly [marker]: Refusal;
}

export function refusedPayload(refusal: Refusal): RefusedPayload {
  return { [marker]: refusal };
}

/** Whether `value` stands for a payload that was refused. */
export function isRefusedPayload(value: unknown): value is RefusedPayload {
  return (
    typeof value === 'object' &&
    value !== null &&
    marker in value &&
    (refusals as readonly unknown[]).includes(value[marker])
  );
}

/** Why the first refused one of `values` was refused; undefined when none was. */
export function refusalOf(values: readonly unknown[]): Refusal | undefined {
  return values.find(isRefusedPayload)?.[marker];
}

/** The failure that a refusal ends in: its type, message and hint. */
export function describeRefusal(
  refusal: Refusal,
  what: string,
): { type: 'Forged' | 'WrongKey'; message: string; hint: string } {
  if (refusal === 'unknown-key')
    return {
      type: 'WrongKey',
      message: `${what} was sealed with a codec key that this side does not have`,
      hint: 'give the command line and the worker the same codec keys (codecKeys in worker.yaml; --codec-key or ROTATE_CODEC_KEY_FILE)',
    };
  return {
    type: 'Forged',
    message:
      refusal === 'unsealed'
        ? `${what} came without encryption and was refused`
        : `${what} does not authenticate for this workflow and was refused`,
    hint: 'use the rotate command line with the codec key; close the access of others to Temporal',
  };
}
