/**
 * Kind `manual`: a value that a person brings, and a vendor accepts (SMTP passwords, API keys). What is done at the
 * vendor is done by commands of the user's own, or by the person himself. See docs/kinds/manual.md.
 */
import { formatSecretRef } from '../../domain/spec.js';
import type { Kind } from '../kind.js';
import { applyTarget } from './apply.js';
import { takeBrought } from './brought.js';
import { inspectCommands } from './inspect.js';
import { checkOf, nameOf } from './means.js';
import { probe, wrongValue } from './probe.js';
import type { ManualSettings } from './schema.js';
import { describeEffects } from './told.js';

export const manual: Kind<ManualSettings> = {
  id: 'manual',
  kill: 'manual',
  source: 'person',
  overlap: ({ overlap }) => overlap,
  canDisable: () => false,
  retirement: () => ({ by: 'issuer' }),
  issuerHosts: () => [],
  needsAccount: () => false,
  endpoints: ({ check }) => (check === undefined ? [] : [nameOf(checkOf(check))]),
  describe: (settings) => describeEffects(settings),

  async inspect(context, settings) {
    return inspectCommands(context, settings);
  },

  async generate(context, settings, current, given) {
    return takeBrought(formatSecretRef(context.secret), settings, current, given?.brought);
  },

  async apply(context, settings, credentials, target) {
    return applyTarget(context, settings, credentials, target);
  },

  async check(context, settings, { value }, from) {
    return probe(context, settings, value, from);
  },

  async checkWrong(context, settings, { value }, from) {
    return probe(context, settings, wrongValue(value), from);
  },

  async users() {
    return undefined;
  },
};
