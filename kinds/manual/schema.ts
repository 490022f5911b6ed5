/** The `manual:` block of a secret in `rotate.yaml`. Light: config imports it, without the kind. */
import { z } from 'zod';
import { formatDuration } from '../../domain/duration.js';
import {
  checkSchema,
  effectSchema,
  places,
  report,
  type CheckBlock,
  type EffectBlock,
  type Mistake,
} from './blocks.js';
import { attemptMs, defaultTimeouts, millisecondsOf } from './times.js';

export const manualSchema = z
  .strictObject({
    overlap: z
      .enum(['dual', 'swap'], { error: 'must be `dual` or `swap`' })
      .describe(
        '`dual`: the vendor accepts the old and the new value at once. `swap`: it knows one value at a time.',
      ),
    provision: effectSchema
      .optional()
      .describe('How the vendor gets to accept the new value. Without it: it does so already (dual only).'),
    check: checkSchema
      .optional()
      .describe('Tries a value: exit code 0 for accepted, 1 for refused, all else for unknown.'),
    revoke: effectSchema.optional().describe('How the vendor gets to refuse the old value.'),
    undo: effectSchema.optional().describe('swap only: how the old value is put back at the vendor.'),
    minLength: z
      .int({ error: 'must be a number of characters' })
      .min(1, 'must be at least 1')
      .max(4096, 'must be at most 4096')
      .optional()
      .describe('A value with fewer characters is refused.'),
    pattern: z
      .string({ error: 'must be a regular expression' })
      .min(1, 'must not be empty')
      .max(500, 'must be at most 500 characters')
      .refine(isExpression, 'is not a regular expression of JavaScript')
      .optional()
      .describe('A regular expression that the whole value must match.'),
  })
  .superRefine((settings, context) => {
    report(context, overlapMistakes(settings));
    report(context, timeMistakes(settings));
  })
  .describe('a value that a person brings and a vendor accepts: SMTP passwords, API keys');

export type ManualSettings = z.infer<typeof manualSchema>;

interface Blocks {
  overlap: 'dual' | 'swap';
  provision?: EffectBlock | undefined;
  check?: CheckBlock | undefined;
  revoke?: EffectBlock | undefined;
  undo?: EffectBlock | undefined;
}

function overlapMistakes({ overlap, provision, undo }: Blocks): Mistake[] {
  if (overlap === 'dual')
    return undo === undefined
      ? []
      : [
          {
            path: ['undo'],
            message: '`undo` is for `swap`: with `dual` the old value stays valid until it is revoked',
            hint: 'remove it; what `revoke` says also takes the new value away again',
          },
        ];
  const missing: Mistake[] = [];
  if (provision === undefined)
    missing.push({
      path: [],
      message: '`swap` needs `provision`: how the vendor takes the new value in place of the old one',
      hint: 'add `provision`, or say `overlap: dual` where both values are valid at once',
    });
  if (undo === undefined)
    missing.push({
      path: [],
      message: '`swap` needs `undo`: how the old value is put back at the vendor',
      hint: 'add `undo`; the command of `provision` is often the right one, it gets the old value then',
    });
  return missing;
}

/** An attempt looks by the check, and then runs the command. What does not fit would be given up each time. */
function timeMistakes(settings: Blocks): Mistake[] {
  const { check } = settings;
  const most = formatDuration(attemptMs);
  const looking = check === undefined ? 0 : millisecondsOf(check.timeout ?? defaultTimeouts.check);
  const hint = 'an attempt that takes longer is given up, and begun anew';
  if (looking > attemptMs) return [{ path: ['check', 'timeout'], message: `must be at most ${most}`, hint }];
  return (['provision', 'revoke', 'undo'] as const).flatMap((key) => {
    const block = settings[key];
    if (block?.command === undefined || block.on === places.worker) return [];
    const own = millisecondsOf(block.timeout ?? defaultTimeouts.effect);
    if (looking + own <= attemptMs) return [];
    const path = block.timeout === undefined ? [key] : [key, 'timeout'];
    const message =
      looking === 0
        ? `must be at most ${most}`
        : `it has ${formatDuration(own)} and the check before it ${formatDuration(looking)}: together at most ${most}`;
    return [{ path, message, hint }];
  });
}

function isExpression(pattern: string): boolean {
  try {
    return new RegExp(pattern, 'u').unicode;
  } catch {
    return false;
  }
}

/** Hosts of the file that the settings name, with their places in the block. */
export function hostsNamed(settings: ManualSettings): { path: string[]; name: string }[] {
  return (['provision', 'check', 'revoke', 'undo'] as const).flatMap((key) => {
    const name = settings[key]?.on;
    return name === undefined || name === places.worker || name === places.consumers
      ? []
      : [{ path: [key, 'on'], name }];
  });
}
