import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, test } from 'vitest';
import { readFacts } from '../../hosts/facts.js';
import { inspectFile, tryOpen } from '../../hosts/secret-file.js';
import { unitStates } from '../../hosts/unit-state.js';
import { restartUnits } from '../../hosts/units.js';
import { failure } from './failure.js';
import { Fleet } from './fleet.js';
import { useLab } from './lab.js';

const lab = useLab('units', ['h1', 'h2']);
let fleet: Fleet;
let first: string;

const description = {
  secrets: { db: { file: 'secrets/prod/db.age', owner: 'app', group: 'app', mode: '0440' } },
  services: {
    app: {
      wantedBy: ['multi-user.target'],
      serviceConfig: { ExecStart: '/usr/bin/sleep infinity', ExecReload: '/usr/bin/true' },
    },
    crash: { serviceConfig: { ExecStart: '/usr/bin/sleep 0.7', Restart: 'always', RestartSec: '0.2' } },
    once: { wantedBy: ['multi-user.target'], serviceConfig: { Type: 'oneshot', ExecStart: '/usr/bin/true' } },
    bad: { serviceConfig: { Type: 'oneshot', ExecStart: '/usr/bin/false' } },
  },
};

beforeAll(async () => {
  fleet = await Fleet.create(lab);
  first = await fleet.install('h1', description, {
    'secrets/prod/db.age': await lab.encrypt('h1', 'hunter2'),
  });
}, 120_000);

describe('restarting units', () => {
  const host = () => lab.pool().host('h1');
  const now = async () => (await unitStates(host(), [])).nowMonotonicUs;
  const invocation = async (unit: string) => (await unitStates(host(), [unit])).states[0]?.invocationId;

  test('restarts what started before the file was installed, once', async () => {
    const installedMonotonicUs = await now();
    const before = await invocation('app.service');
    const units = [{ unit: 'app.service', action: 'restart' as const }];
    const options = { installedMonotonicUs, stableMs: 500 };
    expect(await restartUnits(host(), units, options)).toEqual({
      restarted: ['app.service'],
      reloaded: [],
      already: [],
      runningForMs: expect.any(Number),
    });
    const after = await invocation('app.service');
    expect(after).not.toBe(before);
    expect(await restartUnits(host(), units, options)).toEqual({
      restarted: [],
      reloaded: [],
      already: ['app.service'],
      runningForMs: expect.any(Number),
    });
    expect(await invocation('app.service')).toBe(after);
  });

  test('reloads once, and does not restart for it', async () => {
    const installedMonotonicUs = await now();
    const before = await invocation('app.service');
    const units = [{ unit: 'app.service', action: 'reload' as const }];
    const options = { installedMonotonicUs, stableMs: 200 };
    expect((await restartUnits(host(), units, options)).reloaded).toEqual(['app.service']);
    expect((await restartUnits(host(), units, options)).already).toEqual(['app.service']);
    expect(await invocation('app.service')).toBe(before);
  });

  test('a unit that does not stay up fails, naming it and where to look', async () => {
    const error = await failure(
      restartUnits(host(), [{ unit: 'crash.service', action: 'restart' }], {
        installedMonotonicUs: await now(),
        stableMs: 3_000,
      }),
    );
    await lab.exec('h1', 'systemctl stop crash.service');
    expect(error.type).toBe('UnitFailed');
    expect(error.message).toMatch(/^crash\.service on h1 is /);
    expect(error.hint).toBe('see journalctl -u crash.service on h1');
  });

  test('a oneshot is judged by its last run', async () => {
    const options = { installedMonotonicUs: await now(), stableMs: 60_000 };
    const once = [{ unit: 'once.service', action: 'restart' as const }];
    expect((await restartUnits(host(), once, options)).restarted).toEqual(['once.service']);
    expect((await restartUnits(host(), once, options)).already).toEqual(['once.service']);
    const error = await failure(restartUnits(host(), [{ unit: 'bad.service', action: 'restart' }], options));
    expect(error.message).toBe('bad.service on h1 is failed (failed, exit-code) after the restart');
    expect((await readFacts(host())).failedUnits).toEqual(['bad.service']);
  });

  test('a unit that is not there fails, and a name that is none is never sent', async () => {
    const options = { installedMonotonicUs: 0, stableMs: 0 };
    const missing = await failure(restartUnits(host(), [{ unit: 'no.service', action: 'restart' }], options));
    expect(missing.message).toBe('there is no unit no.service on h1 (not-found)');
    const option = await failure(
      restartUnits(host(), [{ unit: '--now.service', action: 'restart' }], options),
    );
    expect(option.type).toBe('BadConfig');
  });
});

describe('a secret file', () => {
  const identities = {
    ageBin: '/opt/lab/age/bin/age',
    identityPaths: ['/etc/nowhere', '/etc/ssh/ssh_host_ed25519_key'],
  };

  test('is opened on the host by its own age and identities', async () => {
    await expect(
      tryOpen(lab.pool().host('h1'), await lab.encrypt('h1', 'x'), identities),
    ).resolves.toBeUndefined();
  });

  test('that another host could open is refused in the words of age', async () => {
    const error = await failure(tryOpen(lab.pool().host('h1'), await lab.encrypt('h2', 'x'), identities));
    expect(error.type).toBe('HostCannotDecrypt');
    expect(error.message).toMatch(/^h1 cannot open the file: .*no identity matched/);
    const none = { ...identities, identityPaths: ['/etc/nowhere'] };
    expect(
      (await failure(tryOpen(lab.pool().host('h1'), await lab.encrypt('h1', 'x'), none))).message,
    ).toMatch(/none of its identities/);
    const noAge = { ...identities, ageBin: '/nix/no/age' };
    expect(
      (await failure(tryOpen(lab.pool().host('h1'), await lab.encrypt('h1', 'x'), noAge))).message,
    ).toMatch(/no age at/);
  });

  test('as installed shows content, owner, mode, place and when', async () => {
    const host = lab.pool().host('h1');
    const file = await inspectFile(host, '/run/agenix/db');
    expect(file).toMatchObject({
      sha256: createHash('sha256').update('hunter2').digest('hex'),
      owner: 'app',
      group: 'app',
      mode: '0440',
      fsType: 'ramfs',
      inStore: false,
    });
    expect(file?.realPath).toMatch(/^\/run\/agenix\.d\/\d+\/db$/);
    const { states, nowMonotonicUs } = await unitStates(host, ['app.service']);
    expect(file?.installedMonotonicUs).toBeLessThan(states[0]?.startedMonotonicUs ?? 0);
    await lab.exec('h1', 'chmod 0440 /run/agenix/db');
    expect((await inspectFile(host, '/run/agenix/db'))?.installedMonotonicUs).toBeGreaterThan(nowMonotonicUs);
    expect(await inspectFile(host, '/run/agenix/none')).toBeUndefined();
    expect((await inspectFile(host, `${first}/activate`))?.inStore).toBe(true);
  });
});
