/** The check of the kind `manual`: what exit codes mean, from where it is made, and what others can see of it. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RotateError, type FailureType } from '../../../domain/failure.js';
import type { RemoteHost } from '../../../domain/remote.js';
import { SecretValue } from '../../../domain/secret-value.js';
import { manual } from '../../../kinds/manual/kind.js';
import { wrongValue } from '../../../kinds/manual/probe.js';
import type { ManualSettings } from '../../../kinds/manual/schema.js';
import { hostAccess, localHost } from '../postgres/local-host.js';
import { type Bench, makeBench, onHost, onWorker, settings } from './vendor.js';

let bench: Bench;
beforeEach(async () => {
  bench = await makeBench();
});
afterEach(async () => {
  await bench.vendor.remove();
});

const consumers = (): ManualSettings =>
  settings({ overlap: 'dual', check: onHost(bench.vendor, 'vendor-check', 'consumers') });
const worker = (): ManualSettings => settings({ overlap: 'dual', check: onWorker('vendor-check') });
const check = (block: ManualSettings, credential = bench.current, from: string | undefined = 'web-1') =>
  manual.check(bench.context, block, credential, from);

describe('the exit code decides', () => {
  test.each([
    [0, 'accepted'],
    [1, 'refused'],
    [2, 'unknown'],
    [75, 'unknown'],
    [127, 'unknown'],
  ])('%i means %s', async (code, outcome) => {
    await bench.vendor.ends('vendor-check', code);
    expect(await check(consumers())).toEqual([
      {
        endpoint: bench.vendor.path('vendor-check'),
        host: 'web-1',
        outcome,
        code: `exit ${code}`,
        message: `by ${bench.vendor.path('vendor-check')} on web-1`,
      },
    ]);
    expect(await check(worker())).toEqual([
      {
        endpoint: 'vendor-check',
        outcome,
        code: `exit ${code}`,
        message: 'by vendor-check on the worker',
      },
    ]);
  });

  test('a program that is not there is no refusal', async () => {
    const block = settings({ overlap: 'dual', check: { command: ['no-such-check'], on: 'consumers' } });
    expect(await check(block)).toMatchObject([{ outcome: 'unknown', code: 'exit 127' }]);
  });

  test('a program that does not read the value is judged all the same', async () => {
    const block = settings({ overlap: 'dual', check: { command: ['true'], on: 'consumers' } });
    const long = { value: SecretValue.fromText('x'.repeat(1_000_000)) };
    expect(await check(block, long)).toMatchObject([{ outcome: 'accepted' }]);
  });
});

describe('the check is made', () => {
  test('with the value as it is, and with a random one of the same length', async () => {
    for (const block of [consumers(), worker()]) {
      expect(await check(block)).toMatchObject([{ outcome: 'accepted' }]);
      expect(await check(block, bench.brought)).toMatchObject([{ outcome: 'refused' }]);
      const wrong = await manual.checkWrong(bench.context, block, bench.current, 'web-1');
      expect(wrong).toMatchObject([{ outcome: 'refused' }]);
    }
    for (const length of [1, 2, 40]) {
      const right = SecretValue.fromText('a'.repeat(length));
      const wrong = wrongValue(right);
      expect(wrong.length).toBe(length);
      expect(wrong.equals(right)).toBe(false);
    }
  });

  test('on one host, whoever asks, and says so', async () => {
    const block = settings({ overlap: 'dual', check: onHost(bench.vendor, 'vendor-check', 'mail-1') });
    expect(await check(block)).toMatchObject([{ outcome: 'accepted', host: 'mail-1' }]);
  });

  test('nowhere, where only consumers can make it and none is left, or where there is none', async () => {
    expect(await manual.check(bench.context, consumers(), bench.current)).toEqual([]);
    expect(await check(settings({ overlap: 'dual' }))).toEqual([]);
    expect(await manual.check(bench.context, worker(), bench.current)).toMatchObject([
      { outcome: 'accepted' },
    ]);
  });

  test('as the user that the settings name', async () => {
    const ran = localHost('web-1');
    bench.context = { ...bench.context, hosts: hostAccess(ran) };
    const block = settings({
      overlap: 'dual',
      check: { command: ['sh', '-c', 'test "$(id -un)" = nobody || exit 3'], on: 'consumers', as: 'nobody' },
    });
    await check(block);
    expect(ran.ran.map(({ as }) => as)).toEqual(['nobody']);
  });
});

describe('silence is no refusal:', () => {
  test('a check that hangs is ended on the host', async () => {
    await bench.vendor.hangs('vendor-check');
    const block = settings({
      overlap: 'dual',
      check: { ...onHost(bench.vendor, 'vendor-check', 'consumers'), timeout: '300ms' },
    });
    expect(await check(block)).toEqual([
      {
        endpoint: bench.vendor.path('vendor-check'),
        host: 'web-1',
        outcome: 'unknown',
        message: `${bench.vendor.path('vendor-check')} on web-1 did not end within 0.3 s`,
      },
    ]);
  });

  const answering = (type: FailureType): RemoteHost => ({
    ...localHost('web-1'),
    run: async () => {
      throw new RotateError(type, `web-1: ${type}`);
    },
  });

  test.each(['HostUnreachable', 'HostUnknownOutcome', 'HostBusy', 'Timeout'] as const)('%s', async (type) => {
    bench.context = { ...bench.context, hosts: hostAccess(answering(type)) };
    expect(await check(consumers())).toMatchObject([{ outcome: 'unknown', message: `web-1: ${type}` }]);
  });

  test.each(['HostKeyMismatch', 'HostAuthFailed'] as const)('but %s is an error', async (type) => {
    bench.context = { ...bench.context, hosts: hostAccess(answering(type)) };
    await expect(check(consumers())).rejects.toMatchObject({ type });
  });

  test('and so is a command that worker.yaml does not have', async () => {
    const block = settings({ overlap: 'dual', check: { command: 'vendor-chekc', on: 'worker' } });
    await expect(check(block)).rejects.toMatchObject({
      type: 'BadConfig',
      message: 'worker.yaml has no command `vendor-chekc`',
    });
  });
});

describe('the value', () => {
  test.each([
    ['a host', consumers],
    ['the worker', worker],
  ])(
    'stands in no argument and no environment, of a command on %s and of what has started it',
    async (_, block) => {
      await check(block());
      const seen = (await bench.vendor.seen()).split('\n');
      // The search finds what is there: arguments of the command, what has started it, and the environment.
      expect(seen).toContain('decoy-argument');
      expect(seen).toContain(bench.vendor.path('vendor-check'));
      expect(seen.some((line) => line.startsWith('PATH='))).toBe(true);
      expect(seen.join('\n')).not.toContain(bench.current.value.text());
      expect(seen.join('\n')).not.toContain('ROTATE_DECOY');
    },
  );

  test('is nowhere in what a host is asked to run but its input', async () => {
    const host = localHost('web-1');
    bench.context = { ...bench.context, hosts: hostAccess(host) };
    await check(consumers());
    expect(host.ran).toHaveLength(1);
    for (const { script, args } of host.ran)
      expect([script, ...(args ?? [])].join(' ')).not.toContain(bench.current.value.text());
    // It has been wiped by now.
    expect(host.ran[0]?.input?.every((byte) => byte === 0)).toBe(true);
    expect(host.ran[0]?.input).toHaveLength(bench.current.value.length);
  });

  test('does not come back with what a command prints, which stays on the host', async () => {
    await bench.vendor.ends('vendor-check', 4);
    const host = localHost('web-1');
    const printed: string[] = [];
    const run: RemoteHost['run'] = async (command) => {
      const result = await host.run(command);
      printed.push(result.stdout, result.stderr);
      return result;
    };
    bench.context = { ...bench.context, hosts: hostAccess({ ...host, run }) };
    for (const block of [consumers(), worker()])
      expect(JSON.stringify(await check(block))).not.toContain(bench.current.value.text());
    expect(printed).toEqual(['', '']);
  });
});

describe('preflight', () => {
  const inspect = (block: unknown) => manual.inspect(bench.context, settings(block), bench.current);

  test('finds nothing wrong with commands that are there, and runs none of them', async () => {
    const state = await inspect({
      overlap: 'dual',
      provision: onHost(bench.vendor, 'vendor-add'),
      check: onHost(bench.vendor, 'vendor-check', 'consumers'),
      revoke: onWorker('vendor-remove'),
    });
    expect(state).toEqual({
      fence: { epoch: 0, seq: 0 },
      facts: {
        provision: `${bench.vendor.path('vendor-add')} on mail-1`,
        check: `${bench.vendor.path('vendor-check')} on each consumer's host`,
        revoke: 'vendor-remove on the worker',
      },
      problems: [],
    });
    expect(await bench.vendor.calls()).toEqual([]);
  });

  test('finds what a later step would miss', async () => {
    const state = await inspect({
      overlap: 'swap',
      provision: { checklist: 'set it' },
      undo: { command: ['/no/such/program'], on: 'mail-1', as: 'nobody' },
      revoke: { command: 'vendor-revoke', on: 'worker' },
    });
    expect(state.facts).toMatchObject({ provision: 'a person' });
    expect(state.problems).toEqual([
      {
        message: 'worker.yaml has no command `vendor-revoke`',
        hint: 'declare it under `commands` there; it has: vendor-check, vendor-add, vendor-remove, vendor-set',
      },
      {
        message: '/no/such/program on mail-1 is not there, or nobody may not run it',
        hint: 'install it on mail-1: it is needed in a later step',
      },
    ]);
  });
});
