/** Secrets that each go with a third, and not with one another: cut into batches, and refused in one. */
import { expect, test } from 'vitest';
import { planAt } from '../../activities/plan.js';
import { planBatches } from '../../activities/select.js';
import { plain } from '../kinds/http/fixture.js';
import { configSpec, consumer, runActivity, secretSpec, servicesOf } from './services.js';

const http = { kind: 'http', settings: { base: 'https://api.vendor.example/v1', ...plain } };
const secrets = [
  secretSpec('a', { kind: 'manual', settings: { overlap: 'dual' }, consumers: [consumer('web-1', 'app')] }),
  secretSpec('b', { ...http, consumers: [consumer('web-1', 'app')] }),
  secretSpec('c', { ...http, consumers: [consumer('web-1', 'app')] }),
];
const services = servicesOf({
  config: configSpec(secrets, ['web-1']),
  contents: { c0: Object.fromEntries(secrets.map(({ file, name }) => [file, `value-of-${name}`])) },
  fleet: {
    evaluate: async () => ({
      ageBin: 'age',
      identityPaths: [],
      secrets: secrets.map(({ file }) => ({ file, path: file, owner: '0', group: '0', mode: '0400' })),
    }),
  },
});
const pulse = { heartbeat: () => undefined, signal: new AbortController().signal };

test('keys of one list that has no labels are made in rotations of their own', async () => {
  const plans = await runActivity(async () =>
    planBatches(services, await services.repo.at('c0', pulse.signal), secrets, pulse),
  );
  expect(plans.map(({ plan }) => plan.secrets.map(({ name }) => name))).toEqual([['a', 'b'], ['c']]);
});

test('named together they are refused, also behind one that goes with both', async () => {
  const planned = runActivity(async () =>
    planAt(services, await services.repo.at('c0', pulse.signal), secrets, pulse),
  );
  await expect(planned).rejects.toMatchObject({
    type: 'BadConfig',
    message:
      'prod/b and prod/c cannot be rotated in one batch: their new values are made at one place, where that of one could be taken for what the other has left',
    hint: 'rotate them one after the other',
  });
});
