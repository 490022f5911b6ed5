import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findRotateYaml, findWorkerYaml } from '../../config/find-file.js';
import { errorOf } from './errors.js';

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'rotate-find-')));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function write(...path: string[]): string {
  const file = join(folder, ...path);
  writeFileSync(file, 'version: 1\n');
  return file;
}

describe('rotate.yaml', () => {
  beforeEach(() => {
    mkdirSync(join(folder, 'repo', 'infra', 'hosts'), { recursive: true });
    execFileSync('git', ['init', '-q', join(folder, 'repo')]);
  });

  test('is found from a folder deep in the repo, with the root of the repo', () => {
    const file = write('repo', 'rotate.yaml');
    expect(findRotateYaml(join(folder, 'repo', 'infra', 'hosts'))).toEqual({
      file,
      root: join(folder, 'repo'),
    });
  });

  test('beside a flake in a subfolder still has its paths from the root of the repo', () => {
    const file = write('repo', 'infra', 'rotate.yaml');
    expect(findRotateYaml(join(folder, 'repo', 'infra', 'hosts'))).toEqual({
      file,
      root: join(folder, 'repo'),
    });
  });

  test('above the root of the repo is not taken, and the error names where it looked', () => {
    write('rotate.yaml');
    const error = errorOf(() => findRotateYaml(join(folder, 'repo', 'infra')));
    expect(error.type).toBe('BadConfig');
    expect(error.message).toBe(`no rotate.yaml in ${folder}/repo/infra, ${folder}/repo`);
    expect(error.hint).toBe(
      'run rotate in the repo that holds it, or name it with --config; `rotate init` writes a first one',
    );
  });

  test('called rotate.yml is named in the hint', () => {
    const file = write('repo', 'rotate.yml');
    expect(errorOf(() => findRotateYaml(join(folder, 'repo'))).hint).toBe(`rename ${file} to rotate.yaml`);
  });

  test('outside any repo has its own folder as root', () => {
    mkdirSync(join(folder, 'plain', 'deep'), { recursive: true });
    const file = write('plain', 'rotate.yaml');
    expect(findRotateYaml(join(folder, 'plain', 'deep'))).toEqual({ file, root: join(folder, 'plain') });
  });
});

describe('worker.yaml', () => {
  test('is the one that --config names, then the one of $ROTATE_WORKER_CONFIG, then a fallback', () => {
    const [a, b, c] = [write('a.yaml'), write('b.yaml'), write('c.yaml')];
    const env = { ROTATE_WORKER_CONFIG: b };
    expect(findWorkerYaml(a, env, [c])).toBe(a);
    expect(findWorkerYaml(undefined, env, [c])).toBe(b);
    expect(findWorkerYaml(undefined, {}, [join(folder, 'none'), c])).toBe(c);
  });

  test('that was named and is not there is an error, never another file', () => {
    const missing = join(folder, 'missing.yaml');
    const error = errorOf(() =>
      findWorkerYaml(undefined, { ROTATE_WORKER_CONFIG: missing }, [write('c.yaml')]),
    );
    expect(error.message).toBe(`there is no file ${missing}, which $ROTATE_WORKER_CONFIG names`);
  });

  test('that is nowhere is an error with the places and the ways to name it', () => {
    const error = errorOf(() => findWorkerYaml(undefined, {}, [join(folder, 'none')]));
    expect(error.message).toBe(`no configuration of the worker in /etc/rotate/worker.yaml, ${folder}/none`);
    expect(error.hint).toBe(
      'name it with --config or $ROTATE_WORKER_CONFIG; for a try `rotate dev` makes one',
    );
  });
});
