/** What is told of a clone without git is what git tells; real git. */
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { plainLogTip } from '../../repo/plain-clone.js';

let home: string;
let repo: string;
let env: Record<string, string>;

beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'rotate-plain-clone-')));
  repo = join(home, 'infra');
  env = { HOME: home, PATH: process.env['PATH'] ?? '' };
  git('init', '--quiet', '--initial-branch=main', repo);
});
afterEach(() => rmSync(home, { recursive: true }));

function git(...args: string[]): string {
  return execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@example.org', ...args], {
    cwd: home,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim();
}

function commit(branch: string): string {
  const tree = git('-C', repo, 'hash-object', '-t', 'tree', '-w', '/dev/null');
  const id = git('-C', repo, 'commit-tree', '-m', branch, tree);
  git('-C', repo, 'update-ref', `refs/heads/${branch}`, id);
  return id;
}

describe('a plain clone', () => {
  test('has no log before the first rotation', () => {
    expect(plainLogTip(repo, env)).toEqual({ tip: undefined });
    commit('main');
    commit('other/rotate-log');
    git('-C', repo, 'pack-refs', '--all');
    expect(plainLogTip(repo, env)).toEqual({ tip: undefined });
  });

  test('has its log, loose and packed, and the newer one of both', () => {
    const first = commit('rotate-log');
    expect(plainLogTip(repo, env)).toEqual({ tip: first });
    git('-C', repo, 'pack-refs', '--all');
    expect(plainLogTip(repo, env)).toEqual({ tip: first });
    const second = git('-C', repo, 'commit-tree', '-m', 'second', '-p', first, `${first}^{tree}`);
    git('-C', repo, 'update-ref', 'refs/heads/rotate-log', second);
    expect(plainLogTip(repo, env)).toEqual({ tip: second });
  });

  test('may have a detached HEAD, and settings of all sorts', () => {
    git('-C', repo, 'checkout', '--quiet', '--detach', commit('main'));
    for (const [name, value] of [
      ['user.name', 'Ada "the" Lovelace # and more'],
      ['core.sshCommand', 'ssh -o Batch=yes'],
      ['alias.l', '!git log --pretty="%h %s" | head'],
      ['url.git@example.org:.insteadOf', 'https://example.org/'],
    ] as const) {
      git('config', '--global', name, value);
      git('-C', repo, 'config', name, value);
    }
    expect(plainLogTip(repo, env)).toEqual({ tip: undefined });
  });
});

describe('git has to be asked', () => {
  test.each<[string, () => void]>([
    ['where there is a remote', () => git('-C', repo, 'remote', 'add', 'origin', '/nowhere')],
    ['where there is one by another file', () => git('-C', repo, 'config', 'include.path', '/etc/more')],
    [
      'where there is one for every repository',
      () => git('config', '--global', 'remote.origin.url', '/nowhere'),
    ],
    [
      'where there is one in the other file of the person',
      () => {
        mkdirSync(join(home, '.config', 'git'), { recursive: true });
        writeFileSync(join(home, '.config', 'git', 'config'), '[remote "origin"]\n\turl = /nowhere\n');
      },
    ],
    [
      'where there is one on the line of another section',
      () => appendFileSync(join(repo, '.git', 'config'), '[core] [remote "origin"] url = /nowhere\n'),
    ],
    [
      'where there is one in the old form',
      () => appendFileSync(join(repo, '.git', 'config'), '[REMOTE.origin]\n\turl = /nowhere\n'),
    ],
    [
      'where a line goes on',
      () => appendFileSync(join(repo, '.git', 'config'), '[user]\n\tname = a\\\n\tb\n'),
    ],
    ['where its configuration is broken', () => writeFileSync(join(repo, '.git', 'config'), 'no config\n')],
    [
      'where its configuration cannot be read',
      () => {
        rmSync(join(repo, '.git', 'config'));
        mkdirSync(join(repo, '.git', 'config'));
      },
    ],
    ['where it is kept in another way', () => git('-C', repo, 'config', 'extensions.worktreeConfig', 'true')],
    ['where its format is another', () => git('-C', repo, 'config', 'core.repositoryFormatVersion', '1')],
    ['where it is none', () => rmSync(join(repo, '.git', 'HEAD'))],
    ['where the log is a folder', () => commit('rotate-log/more')],
    [
      'where the log is another branch',
      () => git('-C', repo, 'symbolic-ref', 'refs/heads/rotate-log', 'refs/heads/main'),
    ],
    [
      'where the log is broken',
      () => writeFileSync(join(repo, '.git', 'refs', 'heads', 'rotate-log'), 'x\n'),
    ],
  ])('%s', (_, change) => {
    expect(plainLogTip(repo, env)).toEqual({ tip: undefined });
    change();
    expect(plainLogTip(repo, env)).toBeUndefined();
  });

  test('where there is a remote in the file that GIT_CONFIG_GLOBAL names', () => {
    writeFileSync(join(home, 'named'), '[remote "origin"]\n\turl = /nowhere\n');
    expect(plainLogTip(repo, { ...env, GIT_CONFIG_GLOBAL: join(home, 'named') })).toBeUndefined();
  });

  test('in a worktree', () => {
    commit('main');
    git('-C', repo, 'worktree', 'add', '--quiet', join(home, 'beside'));
    expect(plainLogTip(join(home, 'beside'), env)).toBeUndefined();
  });

  test('where there is no repository', () => {
    expect(plainLogTip(home, env)).toBeUndefined();
  });

  // Only root can give a file away.
  test.runIf(process.getuid?.() === 0)("where it is somebody else's", () => {
    chownSync(join(repo, '.git'), 1234, 1234);
    expect(plainLogTip(repo, env)).toBeUndefined();
    expect(() => git('-C', repo, 'for-each-ref')).toThrow(/dubious ownership/);
  });
});
