/** The program as a process of its own: pipes, files, signals and what it loads. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { generateCodecKey } from '../../codec/keyring.js';
import { program, sourceProgram } from '../support/program.js';
import { rotateYaml } from './fleet.js';
import { pushLog, record } from './log-branch.js';

const pathOf = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const [execPath = '', ...rest] = program;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rotate-process-'));
  writeFileSync(join(folder, 'rotate.yaml'), rotateYaml);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** In a shell, with `rotate` for the program. */
function shell(script: string) {
  const { status, stdout, stderr } = spawnSync(
    'bash',
    ['-c', `rotate() { ${program.map((word) => `'${word}'`).join(' ')} "$@"; }; ${script}`],
    { cwd: folder, encoding: 'utf8', env: { ...process.env, HOME: folder } },
  );
  return { status, stdout, stderr };
}

describe('the program', () => {
  test('ends with the exit code of its command', () => {
    expect(shell('rotate plan no-such-secret')).toMatchObject({ status: 2, stdout: '' });
    expect(shell('rotate worker --config /nonexistent.yaml')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('there is no file /nonexistent.yaml'),
    });
  });

  test('is quiet when nobody reads on', () => {
    expect(shell('set -o pipefail; rotate list | head -c 1')).toEqual({
      status: 0,
      stdout: 'E',
      stderr: expect.stringMatching(/^rotate: no history: /),
    });
  });

  test('keeps its exit code when nobody reads its errors', () => {
    expect(shell('rotate strat 2> /dev/full')).toMatchObject({ status: 2, stdout: '' });
  });

  test('says that it cannot write', () => {
    expect(shell('rotate --help > /dev/full')).toEqual({
      status: 3,
      stdout: '',
      stderr: 'rotate: error: cannot write to stdout: no space is left there (ENOSPC)\n',
    });
  });

  test('keeps colour and cursor movement out of pipes', () => {
    const { stdout, stderr } = shell('rotate list; rotate strat');
    expect(stdout + stderr).not.toContain('\u001B');
  });

  test('ends with 130 on Ctrl-C, without waiting for a server that is silent', async () => {
    writeFileSync(join(folder, 'key'), generateCodecKey(), { mode: 0o600 });
    const silent = createServer();
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const address = silent.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const child = spawn(execPath, [...rest, 'status', '--codec-key', join(folder, 'key')], {
      cwd: folder,
      env: { ...process.env, HOME: folder, TEMPORAL_ADDRESS: `127.0.0.1:${address.port}` },
    });
    silent.once('connection', () => child.kill('SIGINT'));
    const [code] = await once(child, 'exit');
    silent.close();
    expect(code).toBe(130);
  });

  test('shows a new record although it keeps those it has read', () => {
    const repo = join(folder, 'kept');
    const list = (): unknown => {
      const { stdout, stderr } = shell(`cd '${repo}'; rotate list --env prod --json`);
      expect(stderr).toBe('');
      const [secret]: { lastRotation?: { id: string } }[] = JSON.parse(stdout);
      return secret?.lastRotation?.id;
    };
    execFileSync('git', ['init', '--quiet', repo]);
    execFileSync('git', ['init', '--quiet', '--bare', join(folder, 'remote.git')]);
    writeFileSync(join(repo, 'rotate.yaml'), rotateYaml);
    expect([list(), list()]).toEqual([undefined, undefined]);
    for (const id of ['01JDH00000000000000000000A', '01JDH00000000000000000000B']) {
      pushLog(folder, [record(id, 'prod', 'db-password', {})]);
      execFileSync('git', ['-C', repo, 'fetch', '--quiet', '../remote.git', 'rotate-log:rotate-log']);
      expect([list(), list()]).toEqual([id, id]);
    }
  });

  test('loads neither Temporal nor zod for help, nor Temporal and the parser for list', () => {
    const loaded = (args: string): string[] => {
      const { stderr } = spawnSync(
        process.execPath,
        ['--import', pathOf('loaded-modules.mjs'), ...sourceProgram.slice(1), ...args.split(' ')],
        { cwd: folder, encoding: 'utf8' },
      );
      return JSON.parse(stderr.trimEnd().split('\n').at(-1) ?? '');
    };
    expect(loaded('--help')).toEqual(['commander']);
    expect(loaded('start --help')).toEqual(['commander']);
    expect(loaded('list').filter((name) => /commander|temporal|grpc|protobuf|ssh2|^pg$/.test(name))).toEqual(
      [],
    );
  });
});
