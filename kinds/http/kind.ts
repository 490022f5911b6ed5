/**
 * Kind `http`: a vendor with an HTTP API that makes keys, lists and deletes them, as `rotate.yaml` describes it. Two
 * keys are valid at once; the vendor keeps no fence. See docs/kinds/http.md.
 */
import type { Credential } from '../../domain/credential.js';
import type { SecretValue } from '../../domain/secret-value.js';
import type { Kind } from '../kind.js';
import { applyTarget } from './apply.js';
import { budgets } from './attempt.js';
import { generateKey } from './generate.js';
import { inspectVendor } from './inspect.js';
import { placeOf, titleOf } from './prepare.js';
import { probe } from './probe.js';
import { type HttpSettings, needsAccount } from './schema.js';
import { secretText } from './secret-text.js';
import type { Values } from './template.js';
import { openVendor } from './vendor.js';
import { wrongValue } from './wrong-value.js';

export const http: Kind<HttpSettings> = {
  id: 'http',
  kill: 'issuer',
  source: 'issuer',
  overlap: () => 'dual',
  canDisable: ({ disable, enable }) => disable !== undefined && enable !== undefined,
  retirement: () => ({ by: 'issuer' }),
  issuerHosts: () => [],
  // whatever its query and its login, one list may show the keys of another
  pool: (settings) => ({
    id: new URL(placeOf(settings, settings.list)).href.replace(/\/+$/, ''),
    marked: settings.list.labels !== undefined,
  }),
  needsAccount,
  endpoints: (settings) => [placeOf(settings, settings.check)],

  describe(settings, account) {
    const old = needsAccount(settings) && account !== undefined ? `the key ${account}` : 'the key in use';
    const labelled = settings.list.labels === undefined ? '' : ', labelled as of this rotation';
    return {
      generate: `make a new key${labelled} (${titleOf(settings, settings.create)}); ${old} stays as it is`,
      disable:
        settings.disable === undefined
          ? 'nothing: the vendor cannot refuse a key for a while'
          : `disable ${old} (${titleOf(settings, settings.disable)})`,
      destroy: `delete ${old} (${titleOf(settings, settings.delete)})`,
    };
  },

  async inspect(context, settings, current) {
    return inspectVendor(context, openVendor(context, settings, budgets.inspect), current);
  },
  async generate(context, settings, current, given = {}) {
    return generateKey(context, openVendor(context, settings, budgets.generate), current, given);
  },
  async apply(context, settings, credentials, target) {
    return applyTarget(context, openVendor(context, settings, budgets.apply), credentials, target);
  },
  async check(context, settings, credential, from) {
    return probe(context, settings, valuesOf(credential, credential.value), from);
  },
  async checkWrong(context, settings, credential, from) {
    return probe(context, settings, valuesOf(credential, wrongValue(credential.value)), from);
  },
  async users() {
    return undefined;
  },
};

function valuesOf({ account }: Credential, value: SecretValue): Values {
  return { value: secretText(value, 'the value'), ...(account === undefined ? {} : { account }) };
}
