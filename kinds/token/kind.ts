/**
 * Kind `token`: a random value that the fleet itself accepts (session, CSRF, JWT-HMAC and internal API secrets).
 * There is no issuer: a host accepts what it has installed. As a single value it is swapped on all hosts at once; as
 * a list, the old value stays behind the new one until what it signed has expired. See docs/kinds/token.md.
 */
import { RotateError } from '../../domain/failure.js';
import { noFence } from '../../domain/fence.js';
import { formatSecretRef } from '../../domain/spec.js';
import type { Kind } from '../kind.js';
import { advisedBits, entropyBits, keepOldMs, type TokenSettings } from './schema.js';
import { newToken } from './value.js';

export const token: Kind<TokenSettings> = {
  id: 'token',
  kill: 'deploy',
  source: 'worker',
  overlap: (settings) => (keepOldMs(settings) === undefined ? 'swap' : 'dual'),
  canDisable: () => false,
  retirement(settings) {
    const keep = keepOldMs(settings);
    return keep === undefined ? { by: 'issuer' } : { by: 'deploy', keepOldMs: keep };
  },
  issuerHosts: () => [],
  needsAccount: () => false,
  endpoints: () => [],

  describe(settings) {
    const weak = entropyBits(settings) < advisedBits ? `, fewer than the advised ${advisedBits}` : '';
    return {
      generate: `a new random value: ${formOf(settings)}, ${Math.floor(entropyBits(settings))} bits of entropy${weak}`,
      disable: 'nothing: hosts accept what they have installed',
      destroy:
        settings.keepOld === undefined
          ? 'nothing more: no host has the old value any more'
          : `leave the old value out of the file ${settings.keepOld} after the soak, and deploy that`,
    };
  },

  async inspect(_context, settings) {
    return {
      fence: noFence,
      facts: { form: formOf(settings), entropy: `${Math.floor(entropyBits(settings))} bits` },
      problems: [],
    };
  },

  async generate(context, settings, current) {
    const value = newToken(settings);
    if ([current.value, ...(current.previous ?? [])].some((other) => other.equals(value)))
      throw new RotateError('Internal', `${formatSecretRef(context.secret)}: the new value is an old one`);
    return { value };
  },

  async apply() {
    return { changed: false, endedSessions: 0 };
  },
  async check() {
    return [];
  },
  async checkWrong() {
    return [];
  },
  async users() {
    return undefined;
  },
};

function formOf(settings: TokenSettings): string {
  if (settings.alphabet !== undefined) return `${settings.length ?? 0} characters of ${settings.alphabet}`;
  if (settings.words !== undefined) return `${settings.words} words`;
  if (settings.hex !== undefined) return `${settings.hex} bytes, hex`;
  if (settings.base64 !== undefined) return `${settings.base64} bytes, base64`;
  return `${settings.base64url ?? 32} bytes, base64url`;
}
