import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { describe, expect, test } from 'vitest';
import { nixEnvironment, runProgram } from '../../hosts/nix/process.js';
import { failure } from './failure.js';

const place = { cwd: tmpdir(), env: nixEnvironment(process.env), timeoutMs: 20_000 };
const alive = (pid: number) =>
  execFileSync('sh', ['-c', `kill -0 ${pid} 2>/dev/null && echo yes || echo no`])
    .toString()
    .trim();

describe('a program', () => {
  test('gives its code and output, and heartbeats are no part of it', async () => {
    const seen: string[] = [];
    const result = await runProgram('sh', ['-c', 'echo out; echo err >&2; exit 3'], {
      ...place,
      onOutput: (text) => seen.push(text),
    });
    expect(result).toEqual({ code: 3, stdout: 'out\n', stderr: 'err\n' });
    expect(seen.join('')).toBe('err\n');
  });

  test('dies with all that it started when it is aborted', async () => {
    const abort = new AbortController();
    let child = 0;
    const running = runProgram('sh', ['-c', 'sleep 100 & echo $! >&2; wait'], {
      ...place,
      signal: abort.signal,
      onOutput: (text) => {
        child = Number(text);
        abort.abort(new Error('given up'));
      },
    });
    await expect(running).rejects.toThrow('given up');
    await expect.poll(() => alive(child), { timeout: 5_000 }).toBe('no');
  });

  test('that ignores being asked is killed', async () => {
    const error = await failure(
      runProgram('sh', ['-c', 'trap "" TERM; while :; do sleep 1; done'], { ...place, timeoutMs: 200 }),
    );
    expect(error.type).toBe('Timeout');
  });

  test('that leaves something behind which holds its output open has ended nevertheless', async () => {
    const { code } = await runProgram('sh', ['-c', 'setsid sleep 8 & exit 0'], place);
    expect(code).toBe(0);
  });

  test('that is not there is named, with a hint', async () => {
    const error = await failure(runProgram('no-such-program', [], place));
    expect(error.message).toBe("no-such-program is not on the worker's PATH");
  });

  test('sees of the environment only what Nix, git and ssh need', () => {
    const environment = {
      PATH: '/bin',
      HOME: '/root',
      NIX_PATH: 'x',
      AWS_SECRET_ACCESS_KEY: 'secret',
      ROTATE_KEY: 'k',
      SSH_AUTH_SOCK: '/s',
    };
    expect(nixEnvironment(environment, { NIX_SSHOPTS: '-F f' })).toEqual({
      PATH: '/bin',
      HOME: '/root',
      NIX_PATH: 'x',
      SSH_AUTH_SOCK: '/s',
      LC_ALL: 'C',
      NIX_SSHOPTS: '-F f',
    });
  });
});
