import { execFileSync } from 'node:child_process';
import { array, assert, property, string } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jobScript } from '../../hosts/job/job-script.js';
import { confirmScript, startScript, statusScript } from '../../hosts/job/protocol.js';
import { decodeName, encodeName } from '../../hosts/remote-paths.js';
import { commandLine, routeTo, shellQuote } from '../../hosts/ssh/shell.js';

const system = `/nix/store/${'0'.repeat(32)}-nixos-system-x`;
const request = {
  jobId: 'job-1',
  from: [system],
  to: system,
  secrets: ["prod/it's $(id)"],
  fence: { epoch: 1, seq: 2 },
  deadManMs: 1_000,
  pin: 'p',
};

describe.each(['dash', 'bash'])('in %s', (shell) => {
  test('a quoted text is one word, whatever it holds', () => {
    assert(
      property(
        array(
          string({ unit: 'binary' }).map((text) => text.replaceAll('\0', '')),
          { maxLength: 5 },
        ),
        (texts) => {
          const words = texts.map((text) => Buffer.from(text, 'utf8').toString('utf8'));
          const printed = execFileSync(shell, ['-c', `printf '%s\\0' x ${words.map(shellQuote).join(' ')}`]);
          expect(printed.toString('utf8').split('\0').slice(1, -1)).toEqual(words);
        },
      ),
      { numRuns: 30 },
    );
  });

  test('a command line runs its script with its arguments', () => {
    const line = commandLine('printf "%s|" "$@"; pwd', ["a'b\\", '$HOME'], { type: 'direct' });
    expect(execFileSync(shell, ['-c', line], { encoding: 'utf8' })).toBe("a'b\\|$HOME|/\n");
  });

  test.each([
    ['job', jobScript(request)],
    ['start', startScript],
    ['status', statusScript],
    ['confirm', confirmScript],
  ])('the script %s is well formed', (_, script) => {
    expect(execFileSync(shell, ['-n'], { input: script, encoding: 'utf8' })).toBe('');
  });
});

describe('names', () => {
  test('become file names and come back', () => {
    assert(
      property(string({ minLength: 1 }), (name) => {
        const encoded = encodeName(name);
        expect(encoded).toMatch(/^[A-Za-z0-9_%-][A-Za-z0-9_%.-]*$/);
        expect(decodeName(encoded)).toBe(name);
      }),
    );
    expect(encodeName('prod/db')).toBe('prod%2Fdb');
    expect(encodeName('..')).toBe('%2E.');
    expect(decodeName('%')).toBeUndefined();
  });

  test('that could be read as more than names are refused', () => {
    expect(() => jobScript({ ...request, jobId: 'a/../b' })).toThrow(/cannot be the id of a job/);
    expect(() => jobScript({ ...request, to: '/etc/passwd' })).toThrow(/is not a store path/);
    expect(() => routeTo('root; id', { name: 'h', user: 'root', sudo: false })).toThrow(
      /is not the name of a user of h/,
    );
    expect(() => shellQuote('a\0b')).toThrow(/nul byte/);
  });
});
