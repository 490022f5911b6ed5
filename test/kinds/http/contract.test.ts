/** The contract, on a stand-in: with labels and a way to disable, and with neither. */
import { afterAll, beforeAll, describe } from 'vitest';
import { http } from '../../../kinds/http/kind.js';
import { kindContract } from '../contract.js';
import { fixture, labelled, plain } from './fixture.js';
import { startVendor, type Vendor } from './vendor-server.js';

let vendor: Vendor;
beforeAll(async () => {
  vendor = await startVendor();
});
afterAll(async () => {
  await vendor.stop();
});

describe('with labels, and a way to disable a key', () => {
  kindContract(http, async () => fixture(vendor, labelled), { fence: false, sessions: false, disable: true });
});

describe('without labels, and asked which key a value is', () => {
  kindContract(
    http,
    async () => {
      const { context, settings, current, host } = fixture(vendor, plain);
      // as preflight leaves it
      const { verifier } = await http.inspect(context, settings, { value: current.value });
      return {
        context,
        settings,
        host,
        current: { value: current.value, ...(verifier === undefined ? {} : { verifier }) },
      };
    },
    { fence: false, sessions: false, disable: false },
  );
});
