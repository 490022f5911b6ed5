import { describe, expect, test } from 'vitest';
import { parseDryActivation } from '../../hosts/job/dry-activate.js';
import { parseStatus } from '../../hosts/job/protocol.js';
import { repoPath } from '../../hosts/nix/evaluate.js';
import { knownFailure, lastLines, nixError } from '../../hosts/nix/failures.js';

describe('a dry activation', () => {
  test('is read from every line that nixpkgs prints', () => {
    const text = [
      'would stop the following units: a.service, b.timer',
      'would NOT stop the following changed units: dbus.service',
      'would stop swap device: /dev/vdb',
      'would activate the configuration...',
      'removing group ‘x’',
      'would stop the following units as well: c.service',
      'would NOT restart the following changed units as well: systemd-logind.service',
      'would restart systemd',
      'would reload the following units: reload-me.service, dev-disk-by\\x2dlabel-x.mount',
      'would restart the following units: nginx.service',
      'would start the following units: a.service, c@1.service',
      'stopping the following units: not-dry.service',
    ].join('\n');
    expect(parseDryActivation(text)).toEqual({
      stop: ['a.service', 'b.timer', '/dev/vdb', 'c.service'],
      start: ['a.service', 'c@1.service'],
      restart: ['nginx.service'],
      reload: ['reload-me.service', 'dev-disk-by\\x2dlabel-x.mount'],
      skip: ['dbus.service', 'systemd-logind.service'],
      restartsSystemd: true,
    });
  });

  test('that would do nothing is empty', () => {
    expect(parseDryActivation('would activate the configuration...\n')).toEqual({
      stop: [],
      start: [],
      restart: [],
      reload: [],
      skip: [],
      restartsSystemd: false,
    });
  });
});

describe('a file in the store', () => {
  const hash = 'a'.repeat(64);
  const files = new Map([
    ['secrets/x.age', hash],
    ['secrets/copy/x.age', hash],
    ['secrets/y.age', 'b'.repeat(64)],
  ]);
  const store = `/nix/store/${'0'.repeat(32)}`;

  test('is found in the repo by its path, its name, or at least its content', () => {
    expect(repoPath(`${store}-source/secrets/copy/x.age`, hash, files)).toBe('secrets/copy/x.age');
    expect(repoPath(`${store}-x.age`, hash, files)).toBe('secrets/x.age');
    expect(repoPath(`${store}-renamed`, hash, files)).toBe('secrets/x.age');
  });

  test('of another flake is not taken for ours, though it has the same path', () => {
    expect(repoPath(`${store}-source/secrets/y.age`, hash.replaceAll('a', 'c'), files)).toBeUndefined();
  });
});

describe('what nix prints', () => {
  test.each([
    [
      "ssh: connect to host 10.0.0.1 port 22: No route to host\nerror: cannot connect to 'h'",
      'HostUnreachable',
    ],
    ['Host key verification failed.\nerror: failed to start SSH connection', 'HostKeyMismatch'],
    ['root@h: Permission denied (publickey).', 'HostAuthFailed'],
    ['error: writing to file: No space left on device', 'NoSpace'],
    ['sudo: a password is required', 'HostAuthFailed'],
  ])('tells the failure: %s', (stderr, type) => {
    expect(knownFailure(stderr, 'h')?.type).toBe(type);
  });

  test('names its last error', () => {
    expect(nixError('warning: x\nerror: builder failed\n  with exit code 1\n')).toBe(
      'builder failed with exit code 1',
    );
    expect(knownFailure('error: builder for x failed', 'h')).toBeUndefined();
    expect(lastLines(`first\n${'x'.repeat(5_000)}\nlast`)).toBe('last');
  });
});

describe('the state of a job', () => {
  test('that cannot be read is an error, not a guess', () => {
    expect(() => parseStatus('h', 'state=odd\nboot=1')).toThrow(/cannot be read/);
    expect(() => parseStatus('h', 'state=finished\nboot=1\noutcome=switched')).toThrow(/cannot be read/);
    expect(parseStatus('h', 'state=running\nboot=1')).toMatchObject({ state: 'running', result: undefined });
  });
});
