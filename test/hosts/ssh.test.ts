import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { RotateError } from '../../domain/failure.js';
import type { RemoteCommand } from '../../domain/remote.js';
import type { HostSpec } from '../../domain/spec.js';
import { writeSshConfig } from '../../hosts/ssh/ssh-config.js';
import { failure } from './failure.js';
import { useLab } from './lab.js';

const run = promisify(execFile);
const lab = useLab('ssh', ['h1', 'h2']);
const command = (script: string, more: Partial<RemoteCommand> = {}): RemoteCommand => ({
  script,
  timeoutMs: 20_000,
  ...more,
});

describe('running a command', () => {
  test('arguments arrive as they are, whatever they hold', async () => {
    const args = [
      "a'b",
      '$(id)',
      '`id`',
      'two words',
      'back\\slash',
      '\\\\',
      'new\nline',
      '',
      '*',
      '!x',
      '"q"',
      'ü',
    ];
    const { stdout, code } = await lab
      .pool()
      .host('h1')
      .run(command('for a in "$@"; do printf "%s\\0" "$a"; done', { args }));
    expect(code).toBe(0);
    expect(stdout.split('\0').slice(0, -1)).toEqual(args);
  });

  test('input reaches the program byte for byte', async () => {
    const input = Uint8Array.from({ length: 70_000 }, (_, i) => (i * 7) % 256);
    const { stdout } = await lab.pool().host('h1').run(command('cksum', { input }));
    const { stdout: again } = await lab.pool().host('h1').run(command('head -c 1 | od -An -tx1', { input }));
    expect(stdout).toMatch(/^\d+ 70000$/m);
    expect(again.trim()).toBe('00');
  });

  test('an exit code is the result, and a signal is 128 and its number', async () => {
    const host = lab.pool().host('h1');
    expect(await host.run(command('echo out; echo err >&2; exit 4'))).toEqual({
      code: 4,
      stdout: 'out\n',
      stderr: 'err\n',
    });
    expect((await host.run(command('kill -9 $$'))).code).toBe(137);
  });

  test('the shortest command is heard to its end, also when everything comes at once', async () => {
    const host = lab.pool().host('h1');
    const results = await Promise.all(Array.from({ length: 100 }, () => host.run(command('echo x; exit 3'))));
    expect(results.every(({ code, stdout }) => code === 3 && stdout === 'x\n')).toBe(true);
  });

  test('a program that ends without reading its input is no failure', async () => {
    const input = new Uint8Array(500_000);
    expect((await lab.pool().host('h1').run(command('exit 0', { input }))).code).toBe(0);
  });

  test('more output than a megabyte is refused instead of cut', async () => {
    const host = lab.pool().host('h1');
    expect((await host.run(command('head -c 1000000 /dev/zero | tr "\\0" x'))).stdout).toHaveLength(
      1_000_000,
    );
    expect((await failure(host.run(command('head -c 3000000 /dev/zero')))).type).toBe('Internal');
  });

  test('a command that takes too long is given up, and its channel with it', async () => {
    const host = lab.pool(undefined, { maxSessions: 1 }).host('h1');
    expect((await failure(host.run(command('sleep 60', { timeoutMs: 300 })))).type).toBe('Timeout');
    expect((await host.run(command('echo next'))).stdout).toBe('next\n');
  });

  test('an aborted command ends with the reason of the abort', async () => {
    const abort = new AbortController();
    const running = lab
      .pool()
      .host('h1')
      .run(command('sleep 60', { signal: abort.signal }));
    setTimeout(() => abort.abort(new RotateError('Interrupted', 'given up')), 300);
    expect((await failure(running)).message).toBe('given up');
  });
});

describe('becoming another user', () => {
  test('root reaches other users, and a login reaches root through sudo', async () => {
    const root = lab.pool().host('h1');
    expect((await root.run(command('id -un', { as: 'app' }))).stdout).toBe('app\n');
    const deploy = lab.pool([lab.spec('h1', { user: 'deploy', sudo: true })]).host('h1');
    expect((await deploy.run(command('id -un; printf %s "$1"', { args: ["it's"] }))).stdout).toBe(
      "root\nit's",
    );
    expect((await deploy.run(command('id -un', { as: 'app' }))).stdout).toBe('app\n');
    expect((await deploy.run(command('id -un', { as: 'deploy' }))).stdout).toBe('deploy\n');
    const input = new TextEncoder().encode('through sudo');
    expect((await deploy.run(command('cat', { input }))).stdout).toBe('through sudo');
  });

  test('without sudo there is no way to root, and it says what to set', async () => {
    const host = lab.pool([lab.spec('h1', { user: 'deploy' })]).host('h1');
    const error = await failure(host.run(command('true')));
    expect(error.type).toBe('HostAuthFailed');
    expect(error.hint).toContain('sudo: true');
  });

  test('sudo that asks for a password is a refused login, not a failed command', async () => {
    await lab.exec('h2', 'mv /etc/sudoers.d/lab /root/sudoers.kept');
    try {
      const host = lab.pool([lab.spec('h2', { user: 'deploy', sudo: true })]).host('h2');
      const error = await failure(host.run(command('true')));
      expect(error.type).toBe('HostAuthFailed');
      expect(error.message).toMatch(/deploy cannot become root on h2: sudo: /);
    } finally {
      await lab.exec('h2', 'mv /root/sudoers.kept /etc/sudoers.d/lab');
    }
  });
});

describe('host keys', () => {
  test('another key than the pinned one is refused, naming both', async () => {
    const pool = lab.pool([lab.spec('h1', { hostKey: lab.host('h2').hostKey })]);
    const error = await failure(pool.host('h1').run(command('true')));
    expect(error.type).toBe('HostKeyMismatch');
    expect(error.message.match(/SHA256:[A-Za-z0-9+/]{43}/g)).toHaveLength(2);
  });

  test('a host without a pinned or known key is refused', async () => {
    const { hostKey: _, ...spec } = lab.spec('h1');
    expect((await failure(lab.pool([spec]).host('h1').run(command('true')))).type).toBe('HostKeyMismatch');
    const known = lab.pool([spec], { knownHosts: lab.inventory.knownHosts });
    expect((await known.host('h1').run(command('echo known'))).stdout).toBe('known\n');
  });

  test('the server is asked for the type of key that is pinned', async () => {
    await lab.exec(
      'h2',
      "ssh-keygen -q -t ecdsa -N '' -f /etc/ssh/ssh_host_ecdsa_key; ssh-keygen -q -t rsa -b 2048 -N '' -f /etc/ssh/ssh_host_rsa_key;" +
        'printf "HostKey /etc/ssh/ssh_host_rsa_key\\nHostKey /etc/ssh/ssh_host_ecdsa_key\\n" > /etc/ssh/sshd_config.d/more.conf; systemctl restart ssh',
    );
    for (const type of ['ecdsa', 'rsa', 'ed25519']) {
      const hostKey = await lab.exec('h2', `cat /etc/ssh/ssh_host_${type}_key.pub`);
      const pool = lab.pool([lab.spec('h2', { hostKey })]);
      expect((await pool.host('h2').run(command('echo hello'))).stdout).toBe('hello\n');
    }
  });

  test('a pinned type that the server does not have is a mismatch that shows what it has', async () => {
    const hostKey = await lab.exec(
      'h2',
      'ssh-keygen -q -t ecdsa -b 521 -N "" -f /tmp/k521; cat /tmp/k521.pub',
    );
    const error = await failure(
      lab
        .pool([lab.spec('h2', { hostKey })])
        .host('h2')
        .run(command('true')),
    );
    expect(error.type).toBe('HostKeyMismatch');
    expect(error.message.match(/SHA256:/g)).toHaveLength(2);
  });
});

describe('the kept connection', () => {
  const connections = "ss -Htn state established '( sport = :22 )' | wc -l";

  test('ten callers that race share one connection, which is never more than eight sessions wide', async () => {
    const host = lab.pool().host('h2');
    const before = Number(await lab.exec('h2', connections));
    const results = await Promise.all(
      Array.from({ length: 30 }, (_, i) => host.run(command('sleep 0.2; echo "$1"', { args: [String(i)] }))),
    );
    expect(results.map((r) => r.stdout.trim())).toEqual(Array.from({ length: 30 }, (_, i) => String(i)));
    expect(Number(await lab.exec('h2', connections))).toBe(before + 1);
  });

  test('a session that is killed in a command leaves the outcome unknown, and the next call connects again', async () => {
    const host = lab.pool().host('h1');
    const ppid = (await host.run(command('echo $PPID'))).stdout.trim();
    const session = (await lab.exec('h1', `grep PPid /proc/${ppid}/status | cut -f2`)).trim();
    const running = host.run(command('sleep 30'));
    setTimeout(() => void lab.exec('h1', `kill -9 ${ppid} ${session} || :`), 300);
    expect((await failure(running)).type).toBe('HostUnknownOutcome');
    expect((await host.run(command('echo again'))).stdout).toBe('again\n');
  });

  test('a link that is cut in a command leaves the outcome unknown, and heals by itself', async () => {
    const host = lab.pool(undefined, { keepaliveIntervalMs: 300, connectTimeoutMs: 1_000 }).host('h1');
    const running = host.run(command('sleep 30'));
    await host.run(command('true'));
    await lab.sh('cut', 'h1');
    try {
      expect((await failure(running)).type).toBe('HostUnknownOutcome');
      expect((await failure(host.run(command('true')))).type).toBe('HostUnreachable');
    } finally {
      await lab.sh('heal', 'h1');
    }
    await vi.waitFor(
      async () => expect((await host.run(command('echo back'))).stdout).toBe('back\n'),
      15_000,
    );
  });

  test('a fresh connection is another one', async () => {
    const host = lab.pool().host('h1');
    const client = 'set -- $SSH_CONNECTION; echo $2';
    const kept = (await host.run(command(client))).stdout;
    const fresh = await host.freshConnection();
    expect((await fresh.run(command(client))).stdout).not.toBe(kept);
    fresh.close();
    expect((await host.run(command(client))).stdout).toBe(kept);
  });

  test('a closed pool connects again when it is used', async () => {
    const pool = lab.pool();
    await pool.host('h1').run(command('true'));
    pool.close();
    expect((await pool.host('h1').run(command('echo again'))).stdout).toBe('again\n');
  });
});

describe('an agent', () => {
  test('proves who the worker is as well as a key file', async () => {
    const socket = join(lab.scratch, 'agent');
    const { stdout } = await run('ssh-agent', ['-a', socket]);
    const pid = Number(/SSH_AGENT_PID=(\d+)/.exec(stdout)?.[1]);
    try {
      await run('ssh-add', ['-q', lab.inventory.identityFile], {
        env: { ...process.env, SSH_AUTH_SOCK: socket },
      });
      const host = lab.pool(undefined, { auth: { agent: socket } }).host('h1');
      expect((await host.run(command('echo hello'))).stdout).toBe('hello\n');
    } finally {
      process.kill(pid);
    }
  });
});

describe('settings for OpenSSH', () => {
  const ssh = async (specs: HostSpec[], directory: string, knownHosts?: string) => {
    const config = await writeSshConfig({
      directory: join(lab.scratch, directory),
      hosts: specs,
      auth: { identityFile: lab.inventory.identityFile },
      ...(knownHosts === undefined ? {} : { knownHosts }),
    });
    // It may lie elsewhere than it was wanted.
    const [, file = ''] = config.nixSshOpts.split(' ');
    onTestFinished(() => rm(dirname(file), { recursive: true, force: true }));
    return await run('ssh', ['-F', file, config.alias('h1'), 'echo hello']);
  };

  test('let ssh in where our own connections are let in', async () => {
    expect((await ssh([lab.spec('h1')], 'plain')).stdout).toBe('hello\n');
    expect((await ssh([lab.spec('h1')], 'with a space')).stdout).toBe('hello\n');
    const { hostKey: _, ...unpinned } = lab.spec('h1');
    expect((await ssh([unpinned], 'known', lab.inventory.knownHosts)).stdout).toBe('hello\n');
  });

  test('refuse where those refuse', async () => {
    await expect(ssh([lab.spec('h1', { hostKey: lab.host('h2').hostKey })], 'wrong')).rejects.toThrow(
      /Host key verification failed/,
    );
    const { hostKey: _, ...unpinned } = lab.spec('h1');
    await expect(ssh([unpinned], 'unknown')).rejects.toThrow(/Host key verification failed/);
  });

  test('hold nothing that a value could smuggle in', async () => {
    for (const changes of [
      { address: '10.0.0.1\n  ProxyCommand touch /tmp/x' },
      { address: '%h' },
      { address: '-oProxyCommand=x' },
      { user: 'root ProxyCommand' },
      { hostKey: 'ssh-ed25519 AAAA,*' },
    ])
      expect((await failure(ssh([lab.spec('h1', changes)], 'bad'))).type).toBe('BadConfig');
  });
});

describe('refusals', () => {
  test('each has a type of its own', async () => {
    const nobody = lab.pool([lab.spec('h1', { user: 'nobody-here' })]).host('h1');
    expect((await failure(nobody.run(command('true', { as: 'nobody-here' })))).type).toBe('HostAuthFailed');
    const noAgent = lab.pool(undefined, { auth: { agent: '/nowhere/agent' } }).host('h1');
    expect((await failure(noAgent.run(command('true')))).type).toBe('HostAuthFailed');
    const locked = join(lab.scratch, 'locked');
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'passphrase', '-f', locked]);
    const withPassphrase = lab.pool(undefined, { auth: { identityFile: locked } }).host('h1');
    expect((await failure(withPassphrase.run(command('true')))).type).toBe('BadConfig');
    const closed = lab.pool([lab.spec('h1', { port: 23 })]).host('h1');
    expect((await failure(closed.run(command('true')))).type).toBe('HostUnreachable');
    expect(() => lab.pool().host('h9')).toThrow(/there is no host h9/);
  });
});

describe('forwarding', () => {
  test('a forwarded connection carries data both ways and ends with the far side', async () => {
    await lab.exec('h2', `systemd-run -q --unit=banner --collect sleep 1`);
    const socket = await lab.pool().host('h1').forward(lab.host('h2').address, 22);
    const banner = await new Promise<string>((resolve, reject) => {
      socket.once('data', (chunk: Buffer) => resolve(chunk.toString()));
      socket.once('error', reject);
    });
    expect(banner).toMatch(/^SSH-2.0-/);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.end('not an ssh client\r\n');
    await closed;
    expect(socket.destroyed).toBe(true);
  });

  test('a port where nobody listens is an unreachable issuer, naming host and endpoint', async () => {
    const error = await failure(lab.pool().host('h1').forward('127.0.0.1', 5999));
    expect(error.type).toBe('IssuerUnreachable');
    expect(error.message).toBe('h1 cannot connect to 127.0.0.1:5999');
  });

  test('pg speaks through it', async () => {
    await lab.exec(
      'h2',
      'install -d -o postgres /run/pg && P=$(ls -d /usr/lib/postgresql/*/bin) && runuser -u postgres -- $P/initdb -D /tmp/pg -A trust >/dev/null && ' +
        'systemd-run -q --unit=pg -p User=postgres $P/postgres -D /tmp/pg -k /run/pg -c fsync=off; for i in $(seq 100); do [ -S /run/pg/.s.PGSQL.5432 ] && break; sleep 0.1; done',
    );
    const socket = await lab.pool().host('h2').forward('127.0.0.1', 5432);
    const client = new Client({ user: 'postgres', database: 'postgres', stream: () => socket });
    await client.connect();
    expect((await client.query('select 6 * 7 as answer')).rows).toEqual([{ answer: 42 }]);
    await client.end();
  });
});
