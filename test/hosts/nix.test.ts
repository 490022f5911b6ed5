import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { dryActivate } from '../../hosts/job/dry-activate.js';
import { build, evaluateToplevel } from '../../hosts/nix/build.js';
import { copy } from '../../hosts/nix/copy.js';
import { evaluate } from '../../hosts/nix/evaluate.js';
import { nixEnvironment } from '../../hosts/nix/process.js';
import { SharedConnection } from '../../hosts/ssh/shared-connection.js';
import { writeSshConfig } from '../../hosts/ssh/ssh-config.js';
import { failure } from './failure.js';
import { Fleet } from './fleet.js';
import { useLab } from './lab.js';

const run = promisify(execFile);
const lab = useLab('nix', ['h1', 'h2']);
let fleet: Fleet;
let first: string;

const description = {
  secrets: { db: { file: 'secrets/prod/db.age', owner: 'app', group: 'app', mode: '0440' } },
  services: {
    app: { wantedBy: ['multi-user.target'], serviceConfig: { ExecStart: '/usr/bin/sleep infinity' } },
  },
};

beforeAll(async () => {
  fleet = await Fleet.create(lab);
  first = await fleet.install('h1', description, {
    'secrets/prod/db.age': await lab.encrypt('h1', 'hunter2'),
  });
}, 120_000);

describe('a system', () => {
  test('is built by nixos-rebuild on the worker or on a build host, with the same result, and leaves no trace', async () => {
    const commit = await fleet.commit({ h1: { label: 'b' } });
    const request = { ...fleet.source, commit, configuration: 'h1', ssh: await fleet.ssh() };
    const toplevel = await build(request);
    expect(toplevel).toMatch(/^\/nix\/store\/[a-z0-9]{32}-nixos-system-h1-b$/);
    expect(await build({ ...request, buildHost: 'h2' })).toBe(toplevel);
    expect(await evaluateToplevel(request)).toBe(toplevel);
    expect(await fleet.git('status', '--porcelain')).toBe('');
  });

  test('is built at the commit that was asked for, from a bare clone and from another branch too', async () => {
    const old = await fleet.commit({ h1: { label: 'old' } });
    await fleet.git('checkout', '-q', '-b', 'side');
    const side = await fleet.commit({ h1: { label: 'side' } });
    await fleet.git('checkout', '-q', 'main');
    await fleet.commit({ h1: { label: 'new' } });
    const bare = join(lab.scratch, 'a bare clone.git');
    await run('git', ['clone', '-q', '--bare', fleet.repository, bare]);
    const request = { ...fleet.source, configuration: 'h1', ssh: await fleet.ssh(), repository: bare };
    expect(await build({ ...request, commit: old })).toMatch(/h1-old$/);
    expect(await build({ ...request, commit: side })).toMatch(/h1-side$/);
    expect((await failure(build({ ...request, commit: '0'.repeat(40) }))).type).toBe('BuildFailed');
  });

  test('that does not build fails with the last lines', async () => {
    const commit = await fleet.commit({ h1: { secrets: { x: { file: 'secrets/none.age' } } } });
    const request = { ...fleet.source, commit, configuration: 'h1', ssh: await fleet.ssh() };
    const error = await failure(build(request));
    expect(error.type).toBe('BuildFailed');
    expect(error.message).toMatch(/^cannot build h1 at [0-9a-f]{12}: .*none\.age/);
    expect(String(error.details?.['output']).length).toBeLessThanOrEqual(4_096);
    expect((await failure(build({ ...request, configuration: 'h1"; x' }))).type).toBe('BadConfig');
  });

  test('ends its build when it is aborted', async () => {
    const commit = await fleet.commit({ h1: { label: 'c' } });
    const abort = new AbortController();
    const building = build({
      ...fleet.source,
      commit,
      configuration: 'h1',
      ssh: await fleet.ssh(),
      signal: abort.signal,
    });
    abort.abort(new Error('given up'));
    await expect(building).rejects.toThrow('given up');
  });

  test('is copied as root, and through sudo to a login that is not trusted', async () => {
    const toplevel = await fleet.deliver('h1', { label: 'copied' });
    expect(await lab.exec('h1', `nix-store --check-validity ${toplevel} && echo there`)).toBe('there\n');
    await lab.exec(
      'h2',
      'sed -i "s/^trusted-users.*/trusted-users = root/" /etc/nix/nix.conf; systemctl restart nix-daemon.socket',
    );
    const spec = lab.spec('h2', { user: 'deploy', sudo: true });
    const ssh = await writeSshConfig({
      directory: join(lab.scratch, 'ssh2'),
      hosts: [spec],
      auth: { identityFile: lab.inventory.identityFile },
    });
    await copy({ toplevel, host: spec, ssh, environment: fleet.source.environment });
    expect(await lab.exec('h2', `nix-store --check-validity ${toplevel} && echo there`)).toBe('there\n');
  });

  describe('that is copied over a shared connection', () => {
    const logins = async (host: string): Promise<number> =>
      Number(
        await lab.exec(
          host,
          `journalctl --sync; journalctl --quiet --output=cat | grep -c '^Accepted publickey' || true`,
        ),
      );

    test('makes one login for all copies, and one of its own where that has gone', async () => {
      const ssh = await fleet.ssh();
      const environment = nixEnvironment(fleet.source.environment);
      const shared = new SharedConnection({ ssh, host: 'h1', environment });
      const request = { host: lab.spec('h1'), ssh, environment: fleet.source.environment };
      const before = await logins('h1');
      for (const label of ['shared-1', 'shared-2'])
        await copy({ ...request, toplevel: await fleet.build('h1', { label }), shared });
      expect(await logins('h1')).toBe(before + 1);
      const socket = ssh.controlPath('h1') ?? '';
      expect(existsSync(socket)).toBe(true);
      shared.close();
      await expect.poll(() => existsSync(socket)).toBe(false);
      const third = await fleet.build('h1', { label: 'shared-3' });
      const gone = { sshOptions: shared.sshOptions, ready: async () => {} };
      await copy({ ...request, toplevel: third, shared: gone });
      expect(await logins('h1')).toBe(before + 2);
      expect(await lab.exec('h1', `nix-store --check-validity ${third} && echo there`)).toBe('there\n');
    });

    test('ends with the worker, however that ends', async () => {
      const ssh = await fleet.ssh();
      const socket = ssh.controlPath('h1') ?? '';
      const program = `
        import { existsSync } from 'node:fs';
        import { SharedConnection } from '${new URL('../../hosts/ssh/shared-connection.ts', import.meta.url).href}';
        const [nixSshOpts, controlPath, alias] = process.argv.slice(1);
        const ssh = { nixSshOpts, controlPath: () => controlPath, alias: () => alias };
        await new SharedConnection({ ssh, host: 'h1', environment: process.env }).ready();
        if (!existsSync(controlPath)) throw new Error('it was not opened');
        process.kill(process.pid, 'SIGKILL');
      `;
      const sources = new URL('../support/resolve-sources.mjs', import.meta.url).href;
      const args = ['--import', sources, '--input-type=module', '-e', program];
      const killed = run(process.execPath, [...args, '--', ssh.nixSshOpts, socket, ssh.alias('h1')], {
        env: nixEnvironment(fleet.source.environment),
      });
      await expect(killed).rejects.toMatchObject({ signal: 'SIGKILL' });
      await expect.poll(() => existsSync(socket)).toBe(false);
    });
  });

  test('is not copied to a host with another key, or to one that does not answer, or that is full', async () => {
    const toplevel = await fleet.build('h1', { label: 'refused', etc: { big: 'x'.repeat(300_000) } });
    const to = async (changes: object, directory: string) => {
      const spec = lab.spec('h1', changes);
      const ssh = await writeSshConfig({
        directory: join(lab.scratch, directory),
        hosts: [spec],
        auth: { identityFile: lab.inventory.identityFile },
      });
      const { environment } = fleet.source;
      const shared = new SharedConnection({ ssh, host: 'h1', environment: nixEnvironment(environment) });
      const error = await failure(copy({ toplevel, host: spec, ssh, shared, environment }));
      shared.close();
      return error;
    };
    expect((await to({ hostKey: lab.host('h2').hostKey }, 'ssh3')).type).toBe('HostKeyMismatch');
    expect((await to({ port: 23 }, 'ssh4')).type).toBe('HostUnreachable');
    expect((await to({ user: 'nobody-here' }, 'ssh5')).type).toBe('HostAuthFailed');
    await lab.sh('fill', 'h1');
    expect((await to({}, 'ssh6')).type).toBe('NoSpace');
    await lab.sh('drain', 'h1');
  });

  test('says by a dry activation what it would do to units', async () => {
    const changed = structuredClone(description);
    changed.services.app.serviceConfig.ExecStart = '/usr/bin/sleep 1000';
    const next = await fleet.deliver('h1', changed);
    expect(await dryActivate(lab.pool().host('h1'), next)).toEqual({
      stop: ['app.service'],
      start: ['app.service'],
      restart: [],
      reload: [],
      skip: [],
      restartsSystemd: false,
    });
    expect(await dryActivate(lab.pool().host('h1'), first)).toMatchObject({
      stop: [],
      start: [],
      restart: [],
    });
  });
});

describe('a configuration', () => {
  test('tells where its secrets come from and go to', async () => {
    const files = {
      'secrets/prod/db.age': await lab.encrypt('h1', 'v'),
      'secrets/other.age': await lab.encrypt('h1', 'w'),
    };
    const commit = await fleet.commit(
      { h1: { ...description, age: { identityPaths: ['/persist/key', '/etc/ssh/ssh_host_ed25519_key'] } } },
      files,
    );
    const found = await evaluate({
      ...fleet.source,
      commit,
      configuration: 'h1',
      files: new Map(Object.entries(files)),
    });
    expect(found).toEqual({
      ageBin: '/opt/lab/age/bin/age',
      identityPaths: ['/persist/key', '/etc/ssh/ssh_host_ed25519_key'],
      secrets: [
        {
          name: 'db',
          file: 'secrets/prod/db.age',
          path: '/run/agenix/db',
          owner: 'app',
          group: 'app',
          mode: '0440',
        },
      ],
    });
  });
});
