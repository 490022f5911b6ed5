/**
 * The contract, with real commands. A person brings a random value each time; the check runs where it is asked from,
 * on the host or on the worker: a block of settings has one of the two.
 */
import { randomBytes } from 'node:crypto';
import { afterEach } from 'vitest';
import { SecretValue } from '../../../domain/secret-value.js';
import type { Kind } from '../../../kinds/kind.js';
import { manual } from '../../../kinds/manual/kind.js';
import type { ManualSettings } from '../../../kinds/manual/schema.js';
import { kindContract } from '../contract.js';
import { type Vendor, makeBench, onHost, onWorker, settings } from './vendor.js';

const vendors: Vendor[] = [];
afterEach(async () => {
  for (const vendor of vendors.splice(0)) await vendor.remove();
});

const at = (block: ManualSettings, from: string | undefined): ManualSettings =>
  from === undefined ? { ...block, check: onWorker('vendor-check') } : block;

const brought: Kind<ManualSettings> = {
  ...manual,
  generate: (context, block, current) =>
    manual.generate(context, block, current, {
      brought: { value: SecretValue.fromText(randomBytes(24).toString('hex')) },
    }),
  check: (context, block, credential, from) => manual.check(context, at(block, from), credential, from),
  checkWrong: (context, block, credential, from) =>
    manual.checkWrong(context, at(block, from), credential, from),
};

kindContract(
  brought,
  async () => {
    const { vendor, context, current } = await makeBench();
    vendors.push(vendor);
    return {
      context,
      current,
      host: 'web-1',
      settings: settings({
        overlap: 'dual',
        provision: onHost(vendor, 'vendor-add'),
        revoke: onWorker('vendor-remove'),
        check: onHost(vendor, 'vendor-check', 'consumers'),
      }),
    };
  },
  { fence: false, sessions: false, disable: false },
);
