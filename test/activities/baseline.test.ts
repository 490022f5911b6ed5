/** The baseline of a batch: each value is tried from where it is used, and from nowhere else. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { preflightActivities } from '../../activities/preflight.js';
import type { RemoteHost } from '../../domain/remote.js';
import { type Bench, makeBench, onHost } from '../kinds/manual/vendor.js';
import { hostAccess, localHost } from '../kinds/postgres/local-host.js';
import { configSpec, consumer, runActivity, sealValue, secretSpec, servicesOf } from './services.js';

/** Values that commands were given on a host. */
function watchedHost(name: string): RemoteHost & { given: string[] } {
  const host = localHost(name);
  const given: string[] = [];
  return {
    ...host,
    given,
    run(command) {
      given.push(new TextDecoder().decode(command.input));
      return host.run(command);
    },
  };
}

let bench: Bench;
beforeEach(async () => {
  bench = await makeBench();
});
afterEach(() => bench.vendor.remove());

test('a value is tried from hosts with a unit that reads it, not from those of others in the batch', async () => {
  const hosts = [watchedHost('web-1'), watchedHost('web-2')];
  const settings = { overlap: 'dual', check: onHost(bench.vendor, 'vendor-check', 'consumers') };
  const secrets = ['1', '2'].map((n) =>
    secretSpec(`key-${n}`, { kind: 'manual', settings, consumers: [consumer(`web-${n}`, 'app.service')] }),
  );
  const services = servicesOf({
    config: configSpec(secrets, ['web-1', 'web-2']),
    fleet: { access: () => hostAccess(...hosts) },
  });
  await bench.vendor.accept('value-of-key-1', 'value-of-key-2');
  const { takeBaseline } = preflightActivities(services);
  const scope = { id: 'ID', environment: 'prod', secrets: secrets.map(({ name }) => name), base: 'c0' };
  const batch = await Promise.all(
    scope.secrets.map(async (name) => ({ name, old: await sealValue(services, `value-of-${name}`) })),
  );
  for (const [i, host] of hosts.entries()) {
    const { proof } = await runActivity(() =>
      takeBaseline({ scope: { ...scope, host: host.name }, secrets: batch }),
    );
    expect(proof.map(({ claim, host: from, result }) => [claim, from, result])).toEqual([
      ['the old value is accepted at the start', host.name, 'passed'],
      ['a wrong value is refused at the start', host.name, 'passed'],
    ]);
    expect(host.given).toHaveLength(2);
    expect(host.given).toContain(`value-of-key-${i + 1}`);
    expect(host.given).not.toContain(`value-of-key-${2 - i}`);
  }
});
