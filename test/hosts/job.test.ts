import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { readFacts } from '../../hosts/facts.js';
import { converge } from '../../hosts/job/converge.js';
import type { ConvergeOptions, ConvergeResult } from '../../hosts/job/converge.js';
import type { JobRequest } from '../../hosts/job/job-script.js';
import { unpinSystems } from '../../hosts/job/pins.js';
import type { SshPool } from '../../hosts/ssh/pool.js';
import { Fleet } from './fleet.js';
import { failure } from './failure.js';
import { useLab } from './lab.js';

const lab = useLab('job', ['h1']);
let fleet: Fleet;
let pool: SshPool;
let jobs = 0;
let seq = 100;
/** Systems of the host; `first` is installed before each test. */
let first: string;
let second: string;

/** An app that is restarted by the switch whenever its label changes. */
const app = (label: string, more: object = {}) => ({
  label,
  services: {
    app: {
      wantedBy: ['multi-user.target'],
      environment: { LABEL: label },
      serviceConfig: { ExecStart: '/usr/bin/sleep infinity' },
    },
  },
  ...more,
});

/** Begins a switch and stops waiting for it, as a worker that dies does. */
async function giveUp(once: JobRequest): Promise<void> {
  const abort = new AbortController();
  await lab.exec('h1', 'mkdir -p /etc/lab; echo 1 > /etc/lab/slow');
  const waiting = converge(pool.host('h1'), once, { signal: abort.signal });
  await pause(700);
  abort.abort(new Error('given up'));
  await expect(waiting).rejects.toThrow('given up');
  await lab.exec('h1', 'rm /etc/lab/slow');
}

/** Ends every SSH session of the host, as a broken network would. */
const killSessions =
  'for p in /proc/[0-9]*; do case $(cat $p/comm 2>/dev/null) in sshd-session) kill -9 ${p#/proc/} 2>/dev/null ;; esac; done;';

function request(to: string, changes: Partial<JobRequest> = {}): JobRequest {
  jobs += 1;
  seq += 1;
  return {
    jobId: `t${jobs}`,
    from: [first],
    to,
    secrets: ['prod/db-password'],
    fence: { epoch: 1, seq },
    deadManMs: 60_000,
    pin: 'p1',
    ...changes,
  };
}

async function switchTo(
  to: string,
  changes: Partial<JobRequest> = {},
  options: ConvergeOptions = {},
): Promise<ConvergeResult> {
  return await converge(pool.host('h1'), request(to, changes), options);
}

/** Puts `first` back, whatever a test has left. */
async function reset(): Promise<void> {
  const { running, profile, bootDefault, armed } = await readFacts(pool.host('h1'));
  if (running === first && profile === first && bootDefault === first && armed.length === 0) return;
  const result = await switchTo(first, { from: running === undefined ? [] : [running], pin: 'reset' });
  expect(['switched', 'already']).toContain(result.outcome);
}

beforeAll(async () => {
  fleet = await Fleet.create(lab);
  pool = lab.pool(undefined, { connectTimeoutMs: 2_000, keepaliveIntervalMs: 500 });
  first = await fleet.install('h1', app('1'));
  second = await fleet.deliver('h1', app('2'));
}, 120_000);

afterEach(reset);

describe('a switch', () => {
  test('installs the system as running, profile and boot default, and says what it restarted', async () => {
    const result = await switchTo(second);
    expect(result).toMatchObject({
      outcome: 'switched',
      rc: 0,
      newlyFailed: [],
      restartedUnits: ['app.service'],
      undone: false,
    });
    const facts = await readFacts(pool.host('h1'));
    expect(facts).toMatchObject({
      running: second,
      profile: second,
      bootDefault: second,
      jobs: [],
      armed: [],
    });
    expect(facts.fences.get('prod/db-password')).toEqual({ epoch: 1, seq });
    expect(facts.monotonicUs).toBeGreaterThan(result.endedMonotonicUs);
    expect(await lab.exec('h1', 'ls /nix/var/nix/gcroots')).toContain(`rotate-p1-${second.slice(11, 43)}`);
    // What it remembers is for root alone; what NixOS writes has its usual modes.
    expect(await lab.exec('h1', 'stat -c %a /var/lib/rotate /run/rotate /boot/loader/default')).toBe(
      '700\n700\n644\n',
    );
    await unpinSystems(pool.host('h1'), 'p1');
    expect(await lab.exec('h1', 'ls /nix/var/nix/gcroots')).not.toContain('rotate-p1-');
  });

  test('with the same id once more reads the result instead of switching again', async () => {
    const once = request(second);
    const result = await converge(pool.host('h1'), once);
    const since = await lab.exec('h1', 'systemctl show -P InvocationID app.service');
    expect(await converge(pool.host('h1'), once)).toEqual(result);
    expect(await lab.exec('h1', 'systemctl show -P InvocationID app.service')).toBe(since);
  });

  test('to what runs already does nothing, but raises the fence', async () => {
    const since = await lab.exec('h1', 'systemctl show -P InvocationID app.service');
    expect(await switchTo(first)).toMatchObject({ outcome: 'already', undone: false });
    expect((await readFacts(pool.host('h1'))).fences.get('prod/db-password')?.seq).toBe(seq);
    expect(await lab.exec('h1', 'systemctl show -P InvocationID app.service')).toBe(since);
  });

  test('to what runs but is neither profile nor boot default makes it so', async () => {
    expect(await switchTo(first)).toMatchObject({ outcome: 'already' });
    expect(await readFacts(pool.host('h1'))).toMatchObject({
      running: first,
      profile: first,
      bootDefault: first,
    });
  });

  test('two callers with the same id make one switch', async () => {
    const once = request(second);
    const [a, b] = await Promise.all([converge(pool.host('h1'), once), converge(pool.host('h1'), once)]);
    expect(a).toEqual(b);
    expect(a.outcome).toBe('switched');
  });

  test('two jobs that race: one switches, the other is told that the host is busy', async () => {
    await lab.exec('h1', 'mkdir -p /etc/lab; echo 2 > /etc/lab/slow');
    const one = switchTo(second);
    await pause(700);
    const other = await failure(switchTo(second));
    await lab.exec('h1', 'rm /etc/lab/slow');
    expect(other.type).toBe('HostBusy');
    expect((await one).outcome).toBe('switched');
  });

  test('someone else who holds the lock of NixOS makes the host busy, and nothing is changed', async () => {
    await lab.exec(
      'h1',
      'systemd-run -q --unit=holder --collect /opt/lab/sw/bin/flock /run/nixos/switch-to-configuration.lock /opt/lab/sw/bin/sleep 30',
    );
    await pause(300);
    const waiting = request(second);
    expect((await failure(converge(pool.host('h1'), waiting))).type).toBe('HostBusy');
    expect(await readFacts(pool.host('h1'))).toMatchObject({ running: first, profile: first });
    await lab.exec('h1', 'systemctl stop holder');
    expect((await converge(pool.host('h1'), waiting)).outcome).toBe('switched');
  });
});

describe('a host', () => {
  test('that is reached through sudo, and whose sh is bash, is switched as well', async () => {
    const deploy = lab.pool([lab.spec('h1', { user: 'deploy', sudo: true })]).host('h1');
    await lab.exec('h1', 'ln -sfn bash /usr/bin/sh');
    try {
      expect(await converge(deploy, request(second))).toMatchObject({
        outcome: 'switched',
        restartedUnits: ['app.service'],
      });
      const bad = await fleet.deliver('h1', app('9', { knobs: { failActivation: true } }));
      expect(await converge(deploy, request(bad, { from: [second] }))).toMatchObject({
        outcome: 'failed',
        undone: true,
      });
      expect((await readFacts(deploy)).running).toBe(second);
    } finally {
      await lab.exec('h1', 'ln -sfn dash /usr/bin/sh');
    }
  });
});

describe('what must not be overwritten', () => {
  test('a stale attempt is refused, and told what it met', async () => {
    await switchTo(first);
    const stale = await failure(switchTo(second, { fence: { epoch: 1, seq: 1 } }));
    expect(stale.type).toBe('Superseded');
    expect(stale.details).toEqual({ stored: `1.${seq - 1}` });
    expect((await readFacts(pool.host('h1'))).running).toBe(first);
  });

  test('a host that runs something else is left alone', async () => {
    const moved = await failure(switchTo(second, { from: [second] }));
    expect(moved.type).toBe('HostMoved');
    expect(moved.message).toContain(first);
    expect((await readFacts(pool.host('h1'))).running).toBe(first);
  });

  test('a closure that was collected is to be copied again', async () => {
    expect((await failure(switchTo(`/nix/store/${'0'.repeat(32)}-gone`))).type).toBe('CopyFailed');
  });
});

describe('a switch that fails', () => {
  test('because of a unit is undone, naming the units that failed', async () => {
    const bad = await fleet.deliver(
      'h1',
      app('3', {
        services: {
          app: {
            wantedBy: ['multi-user.target'],
            serviceConfig: { Type: 'oneshot', ExecStart: '/usr/bin/false' },
          },
        },
      }),
    );
    const result = await switchTo(bad);
    expect(result).toMatchObject({ outcome: 'failed', rc: 4, newlyFailed: ['app.service'], undone: true });
    expect(await readFacts(pool.host('h1'))).toMatchObject({
      running: first,
      profile: first,
      bootDefault: first,
      armed: [],
    });
    expect((await lab.exec('h1', 'systemctl is-active app.service')).trim()).toBe('active');
    // Who starts it again afterwards judges it then.
    const tolerant = await switchTo(bad, { tolerate: ['app.service'] });
    expect(tolerant).toMatchObject({ outcome: 'switched', rc: 4, newlyFailed: [] });
  });

  test('because of a unit that had failed before counts as switched', async () => {
    await lab.exec(
      'h1',
      'printf "[Service]\\nType=oneshot\\nExecStart=/usr/bin/false\\n" > /run/systemd/system/other.service; systemctl daemon-reload; systemctl start other.service || :',
    );
    // Each activation starts it again, as a unit of the system would be.
    const next = await fleet.deliver(
      'h1',
      app('4', { activate: '/usr/bin/systemctl start --no-block other.service || :\n' }),
    );
    await lab.exec('h1', 'mkdir -p /etc/lab; echo 1 > /etc/lab/slow');
    const result = await switchTo(next);
    await lab.exec(
      'h1',
      'rm -f /etc/lab/slow; rm /run/systemd/system/other.service; systemctl daemon-reload; systemctl reset-failed',
    );
    expect(result).toMatchObject({ outcome: 'switched', newlyFailed: [] });
  });

  test('in its activation, or at the boot loader, is undone', async () => {
    const broken = await fleet.deliver('h1', app('5', { knobs: { failActivation: true } }));
    expect(await switchTo(broken)).toMatchObject({ outcome: 'failed', rc: 2, undone: true });
    const noBoot = await fleet.deliver('h1', app('6', { knobs: { failBoot: true } }));
    expect(await switchTo(noBoot)).toMatchObject({ outcome: 'failed', rc: 1, undone: true });
    expect(await readFacts(pool.host('h1'))).toMatchObject({
      running: first,
      profile: first,
      bootDefault: first,
    });
  });

  test('is left as it is when that is asked for', async () => {
    const broken = await fleet.deliver('h1', app('5', { knobs: { failActivation: true } }));
    expect(await switchTo(broken, { onFailure: 'keep' })).toMatchObject({
      outcome: 'failed',
      rc: 2,
      undone: false,
    });
    expect((await readFacts(pool.host('h1'))).running).toBe(broken);
  });

  test('for want of disk space is told so, and nothing is switched', async () => {
    await lab.sh('fill', 'h1');
    try {
      await lab.exec('h1', 'head -c 1000000 /dev/zero > /var/lib/fill 2>/dev/null || :');
      expect((await failure(switchTo(second))).type).toBe('NoSpace');
    } finally {
      await lab.sh('drain', 'h1');
      await lab.exec('h1', 'rm -f /var/lib/fill');
    }
    expect(await readFacts(pool.host('h1'))).toMatchObject({ running: first, profile: first });
  });
});

describe('a disk that is full', () => {
  const full = async (directory: string, mount: string, work: () => Promise<void>) => {
    await lab.exec(
      'h1',
      `cp -a ${directory} /tmp/kept; mount -t tmpfs -o ${mount} full ${directory}; cp -a /tmp/kept/. ${directory}/`,
    );
    await lab.exec('h1', `i=0; while ln -s x ${directory}/fill$i 2>/dev/null; do i=$((i+1)); done`);
    try {
      await work();
    } finally {
      await lab.exec('h1', `umount ${directory}; rm -rf /tmp/kept`);
    }
  };

  test('where the fences are changes nothing', async () => {
    await switchTo(first);
    await full('/var/lib/rotate/fence', 'nr_inodes=20', async () => {
      const error = await failure(switchTo(second, { secrets: ['prod/db-password', 'prod/other'] }));
      expect(error.type).toBe('NoSpace');
    });
    expect(await readFacts(pool.host('h1'))).toMatchObject({ running: first, profile: first, armed: [] });
  });

  test('where the profiles are changes nothing, and disarms the dead man', async () => {
    await full('/nix/var/nix/profiles', 'nr_inodes=60', async () => {
      expect((await failure(switchTo(second))).type).toBe('NoSpace');
      expect(await readFacts(pool.host('h1'))).toMatchObject({ running: first, profile: first, armed: [] });
    });
  });
});

describe('the connection', () => {
  test('may be lost during the switch', async () => {
    await lab.exec('h1', 'mkdir -p /etc/lab; echo 2 > /etc/lab/slow');
    const switching = switchTo(second);
    await pause(800);
    await lab.exec('h1', `${killSessions} rm /etc/lab/slow`);
    expect((await switching).outcome).toBe('switched');
  });

  test('is put back by the dead man when the switch lets nobody in any more', async () => {
    const open = 'systemctl unmask --runtime ssh.service; systemctl --no-block start ssh.service\n';
    const shut = 'systemctl mask --runtime ssh.service; systemctl stop ssh.service;';
    const back = await fleet.deliver('h1', app('8', { activate: open }));
    const cutting = await fleet.deliver('h1', app('7', { activate: `${shut} ${killSessions}\n` }));
    expect((await switchTo(back)).outcome).toBe('switched');
    const result = await switchTo(cutting, { from: [back], deadManMs: 2_000 }, { patienceMs: 60_000 });
    expect(result).toMatchObject({ outcome: 'undone-by-dead-man', rc: 0, undone: true });
    expect(await readFacts(pool.host('h1'))).toMatchObject({
      running: back,
      profile: back,
      bootDefault: back,
      armed: [],
    });
  });

  test('that nobody makes after the switch has the old system put back, and a later call says so', async () => {
    const once = request(second, { deadManMs: 1_500 });
    await giveUp(once);
    await lab.exec(
      'h1',
      'for i in $(seq 150); do [ -e /var/lib/rotate/jobs/' +
        once.jobId +
        '/undone ] && break; sleep 0.1; done',
    );
    expect(await converge(pool.host('h1'), once)).toMatchObject({
      outcome: 'undone-by-dead-man',
      undone: true,
    });
    expect((await readFacts(pool.host('h1'))).running).toBe(first);
  });

  test('of a later job makes the dead man of an earlier one stand down', async () => {
    const once = request(second, { deadManMs: 3_000 });
    await giveUp(once);
    await lab.exec(
      'h1',
      `for i in $(seq 100); do [ -e /var/lib/rotate/jobs/${once.jobId}/result ] && break; sleep 0.05; done`,
    );
    expect((await switchTo(second)).outcome).toMatch(/^(already|switched)$/);
    await pause(4_000);
    expect((await readFacts(pool.host('h1'))).running).toBe(second);
  });
});

describe('a host that reboots', () => {
  test('in the middle of a switch is looked at again and ends where it should', async () => {
    await lab.exec('h1', 'mkdir -p /etc/lab; echo 20 > /etc/lab/slow');
    const once = request(second);
    const switching = converge(pool.host('h1'), once);
    const begun = `/var/lib/rotate/jobs/${once.jobId}/switching`;
    await lab.exec(
      'h1',
      `for i in $(seq 100); do [ -e ${begun} ] && break; sleep 0.1; done; rm /etc/lab/slow`,
    );
    await lab.sh('reboot', 'h1', '--hard');
    expect((await switching).outcome).toMatch(/^(already|switched)$/);
    expect(await readFacts(pool.host('h1'))).toMatchObject({
      running: second,
      profile: second,
      bootDefault: second,
    });
  });

  test('keeps its fences', async () => {
    await lab.sh('reboot', 'h1', '--hard');
    await expect
      .poll(async () => (await readFacts(pool.host('h1'))).fences.get('prod/db-password')?.seq, {
        timeout: 10_000,
      })
      .toBe(seq);
  });
});
