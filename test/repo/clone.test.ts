import { mkdir, readdir, readFile, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Clone } from '../../repo/clone.js';
import { commitFiles } from '../../repo/commit.js';
import { gitAt, gitText } from '../../repo/git.js';
import { author, bytes, file, makeFleet } from './fixtures.js';

const reopen = (clone: Clone, environment: Record<string, string>, remote = clone.remote) =>
  Clone.open({ remote, stateDir: clone.stateDir, environment });

const mainOf = (clone: Clone) => clone.tip('main');

async function makeOld(path: string): Promise<void> {
  const then = new Date(Date.now() - 7_200_000);
  await utimes(path, then, then);
}

describe('open', () => {
  test('clones the branches and claims, and knows the default branch', async () => {
    const fleet = await makeFleet();
    await fleet.remote({ args: ['update-ref', 'refs/rotate/x', 'refs/heads/main'] });
    const clone = await fleet.worker();
    expect(await mainOf(clone)).toBe(fleet.base);
    expect(await clone.resolve('refs/rotate/x')).toBe(fleet.base);
    expect(await clone.defaultBranch()).toBe('main');
    expect(await clone.tip('no-such')).toBeUndefined();
  });

  test('a half-made clone is made again', async () => {
    const fleet = await makeFleet();
    const clone = await fleet.worker();
    for (const damage of ['rotate-clone.json', 'HEAD', 'objects', 'refs']) {
      await rm(join(clone.gitDir, damage), { recursive: true });
      expect(await mainOf(await reopen(clone, fleet.environment))).toBe(fleet.base);
    }
    await rm(clone.gitDir, { recursive: true });
    await mkdir(join(clone.gitDir, 'objects'), { recursive: true });
    await mkdir(`${clone.gitDir}.new-left-by-a-killed-one`);
    expect(await mainOf(await reopen(clone, fleet.environment))).toBe(fleet.base);
    expect((await readdir(clone.stateDir)).filter((name) => name.startsWith('clone'))).toEqual(['clone.git']);
  });

  test('an object that the disk lost is found at the next fetch, and the clone made again', async () => {
    const fleet = await makeFleet();
    const clone = await fleet.worker();
    for (const name of await readdir(join(clone.gitDir, 'objects'), { recursive: true })) {
      const path = join(clone.gitDir, 'objects', name);
      if ((await stat(path)).isFile()) await rm(path);
    }
    const tip = await fleet.person({ 'flake.nix': '{}\n' });
    await clone.fetch();
    expect(await mainOf(clone)).toBe(tip);
    expect(await clone.readBlob(tip, 'flake.nix')).toEqual(bytes('{}\n'));
  });

  test('drafts that a killed worker left are removed when they are old', async () => {
    const fleet = await makeFleet();
    const clone = await fleet.worker();
    const drafts = ['clone.lock.1234', 'tmp/index-old', 'tmp/index-young'].map((name) =>
      join(clone.stateDir, name),
    );
    for (const draft of drafts) await writeFile(draft, '');
    for (const draft of drafts.slice(0, 2)) await makeOld(draft);
    await reopen(clone, fleet.environment);
    expect(await readdir(join(clone.stateDir, 'tmp'))).toEqual(['index-young']);
    expect(await readdir(clone.stateDir)).not.toContain('clone.lock.1234');
  });

  test('another address makes another clone', async () => {
    const [fleet, elsewhere] = [await makeFleet(), await makeFleet()];
    await elsewhere.person({ 'flake.nix': '{ elsewhere = 1; }\n' });
    const clone = await fleet.worker();
    const moved = await reopen(clone, fleet.environment, elsewhere.url);
    expect(await mainOf(moved)).not.toBe(fleet.base);
  });

  test('a good clone opens without the remote; none can be made without it', async () => {
    const fleet = await makeFleet();
    const clone = await fleet.worker();
    await rename(fleet.bare, `${fleet.bare}.away`);
    expect(await mainOf(await reopen(clone, fleet.environment))).toBe(fleet.base);
    await expect(clone.fetch()).rejects.toMatchObject({ type: 'GitUnreachable' });
    await expect(fleet.worker()).rejects.toMatchObject({ type: 'GitUnreachable' });
  });

  test('an empty remote can be opened', async () => {
    const fleet = await makeFleet();
    await fleet.remote({ args: ['update-ref', '-d', 'refs/heads/main'] });
    const clone = await fleet.worker();
    expect(await mainOf(clone)).toBeUndefined();
  });

  test('ten at once on one folder make one clone', async () => {
    const fleet = await makeFleet();
    const stateDir = join(fleet.folder, 'shared');
    const open = () => Clone.open({ remote: fleet.url, stateDir, environment: fleet.environment });
    const clones = await Promise.all(Array.from({ length: 10 }, open));
    expect(await Promise.all(clones.map(mainOf))).toEqual(Array.from({ length: 10 }, () => fleet.base));
    expect((await readdir(stateDir)).sort()).toEqual(['clone.git', 'tmp', 'trees']);
  });

  test.each([
    'https://bob:hunter2@forge.example/x.git',
    'https://ghp_abc@forge.example/x',
    'ext::sh -c id',
    '-x',
    '',
  ])('the address %s is refused, since others could read or misuse it', async (remote) => {
    const fleet = await makeFleet();
    const failure = await fleet.worker({ remote }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ type: 'BadConfig' });
    expect(String(failure)).not.toMatch(/hunter2|ghp_abc/);
  });
});

describe('fetch', () => {
  test('follows a remote that was moved back, and forgets branches that are gone', async () => {
    const fleet = await makeFleet();
    await fleet.person({ 'flake.nix': '{ a = 1; }\n' });
    await fleet.person({ x: 'y' }, { branch: 'feature', onto: fleet.base });
    const clone = await fleet.worker();
    expect(await clone.tip('feature')).toBeDefined();
    await fleet.remote({ args: ['update-ref', 'refs/heads/main', fleet.base] });
    await fleet.remote({ args: ['update-ref', '-d', 'refs/heads/feature'] });
    await clone.fetch();
    expect(await mainOf(clone)).toBe(fleet.base);
    expect(await clone.tip('feature')).toBeUndefined();
  });

  test('a lock file that a killed git left is cleared when it is old, and a conflict while it is young', async () => {
    const fleet = await makeFleet();
    const clone = await fleet.worker();
    const tip = await fleet.person({ 'flake.nix': '{ a = 1; }\n' });
    const lock = join(clone.gitDir, 'refs', 'heads', 'main.lock');
    await mkdir(join(clone.gitDir, 'refs', 'heads'), { recursive: true });
    await writeFile(lock, '');
    await expect(clone.fetch()).rejects.toMatchObject({ type: 'GitConflict', retryable: true });
    await makeOld(lock);
    await clone.fetch();
    expect(await mainOf(clone)).toBe(tip);
  });

  test('many at once all see the new tip', async () => {
    const fleet = await makeFleet();
    const clone = await fleet.worker();
    const second = await reopen(clone, fleet.environment);
    const tip = await fleet.person({ 'flake.nix': '{ a = 1; }\n' });
    await Promise.all([clone, second, clone, second].map((each) => each.fetch()));
    expect(await mainOf(second)).toBe(tip);
  });

  test('an abort while waiting for another gives the reason and does not stop the other', async () => {
    const fleet = await makeFleet();
    const clone = await fleet.worker();
    const stop = new AbortController();
    const first = clone.fetch();
    const second = clone.fetch(stop.signal);
    const reason = new Error('cancelled');
    stop.abort(reason);
    await expect(second).rejects.toBe(reason);
    await expect(first).resolves.toBeUndefined();
    await expect(clone.fetch()).resolves.toBeUndefined();
  });
});

describe('reading', () => {
  test('bytes are what was committed, whatever .gitattributes says', async () => {
    const fleet = await makeFleet();
    const clone = await fleet.worker();
    const tip = await commitFiles(clone, {
      base: fleet.base,
      files: { '.gitattributes': bytes('*.age text eol=lf ident filter=evil\n') },
      message: 'x',
      author,
    });
    expect(await clone.readBlob(tip, file)).toEqual(bytes('old ciphertext\r\n'));
    const tree = await clone.checkout(tip);
    expect(await readFile(join(tree.path, file), 'utf8')).toBe('old ciphertext\r\n');
    await tree.dispose();
  });

  test('tells commits, changed paths, ancestors and files', async () => {
    const fleet = await makeFleet();
    const clone = await fleet.worker();
    const one = await fleet.person({ 'a b.nix': '1\n' }, { message: 'first: a "thing"' });
    const two = await fleet.person({ 'é.nix': '2\n' }, { message: 'second\n\nbody' });
    await clone.fetch();
    const log = await clone.log(fleet.base, two);
    expect(log.map(({ sha, author: by, subject }) => [sha, by, subject])).toEqual([
      [two, 'Eve', 'second'],
      [one, 'Eve', 'first: a "thing"'],
    ]);
    expect(log[0]?.date).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/);
    expect(await clone.log(two, fleet.base)).toEqual([]);
    expect(await clone.changedPaths(fleet.base, two)).toEqual(['a b.nix', 'é.nix']);
    expect(await clone.isAncestor(fleet.base, two)).toBe(true);
    expect(await clone.isAncestor(two, fleet.base)).toBe(false);
    const paths = (await clone.listTree(two, 'secrets/prod')).map(({ path }) => path);
    expect(paths).toEqual([file, 'secrets/prod/secrets.nix']);
    expect(await clone.resolve('--all')).toBeUndefined();
  });

  test.each([
    '../x',
    '/etc/passwd',
    '-rf',
    'a/../../b',
    'a//b',
    '.git/config',
    'a/.GIT/x',
    '',
    'a\nb',
    './a',
  ])('the path %j is refused', async (path) => {
    const fleet = await makeFleet();
    const clone = await fleet.worker();
    await expect(clone.readBlob(fleet.base, path)).rejects.toMatchObject({ type: 'BadConfig' });
    const commit = commitFiles(clone, {
      base: fleet.base,
      files: { [path]: bytes('x') },
      message: 'x',
      author,
    });
    await expect(commit).rejects.toMatchObject({ type: 'BadConfig' });
  });

  test('links are followed inside the repo and never out of it', async () => {
    const fleet = await makeFleet();
    const person = join(fleet.folder, 'person');
    await symlink('secrets/prod', join(person, 'short'));
    await symlink('/etc/passwd', join(person, 'passwd'));
    await symlink('../../home/.gitconfig', join(person, 'secrets', 'up'));
    await symlink('.', join(person, 'here'));
    await symlink('here/here/../../clone.git/HEAD', join(person, 'tricky'));
    await symlink('loop', join(person, 'loop'));
    await symlink('nowhere', join(person, 'dangling'));
    const tip = await fleet.person({});
    const clone = await fleet.worker();
    const through = await clone.readBlob(tip, 'short/db-password.age');
    expect(through).toEqual(bytes('old ciphertext\r\n'));
    for (const link of ['passwd', 'secrets/up', 'loop', 'dangling', 'short'])
      await expect(clone.readBlob(tip, link)).rejects.toMatchObject({ type: 'BadConfig' });
    const tree = await clone.checkout(tip);
    expect((await readdir(tree.path)).sort()).toEqual([
      'flake.nix',
      'here',
      'rotate.yaml',
      'secrets',
      'short',
    ]);
    expect(await readdir(join(tree.path, 'secrets'))).toEqual(['prod']);
    await tree.dispose();
    for (const path of ['short/db-password.age', 'passwd']) {
      const commit = commitFiles(clone, { base: tip, files: { [path]: bytes('x') }, message: 'x', author });
      await expect(commit).rejects.toMatchObject({ type: 'BadConfig' });
    }
  });
});

describe('checkout', () => {
  test('two who want the same at once get the same tree, and one going away leaves it to the other', async () => {
    const fleet = await makeFleet();
    const clone = await fleet.worker();
    const other = await reopen(clone, fleet.environment);
    const trees = await Promise.all([clone, other, clone, other].map((each) => each.checkout(fleet.base)));
    expect(new Set(trees.map(({ path }) => path)).size).toBe(1);
    for (const tree of trees.slice(1)) await tree.dispose();
    expect(await readFile(join(trees[0]?.path ?? '', 'flake.nix'), 'utf8')).toContain('outputs');
    expect(await readdir(join(clone.stateDir, 'trees'))).toHaveLength(1);
    expect(await readdir(join(clone.stateDir, 'tmp'))).toEqual([]);
  });

  test('an attempt that is aborted does not spoil the tree for the next', async () => {
    const fleet = await makeFleet();
    const clone = await fleet.worker();
    const stop = new AbortController();
    const first = clone.checkout(fleet.base, stop.signal);
    const second = clone.checkout(fleet.base);
    stop.abort(new Error('cancelled'));
    await Promise.allSettled([first]);
    const tree = await second;
    expect(await readFile(join(tree.path, 'rotate.yaml'), 'utf8')).toBe('version: 1\n');
  });

  test('old trees that nobody uses are removed, and one in use stays', async () => {
    const fleet = await makeFleet();
    const clone = await fleet.worker();
    const used = await clone.checkout(fleet.base);
    const stale = join(clone.stateDir, 'trees', `another-boot-${fleet.base}`);
    await mkdir(stale);
    await makeOld(stale);
    await makeOld(used.path);
    await reopen(clone, fleet.environment);
    expect(await readdir(join(clone.stateDir, 'trees'))).toEqual([used.path.split('/').pop()]);
  });

  test('a commit that is not there fails and leaves nothing behind', async () => {
    const fleet = await makeFleet();
    const clone = await fleet.worker();
    await expect(clone.checkout('1'.repeat(40))).rejects.toMatchObject({ type: 'GitFailed' });
    expect(await readdir(join(clone.stateDir, 'trees'))).toEqual([]);
  });
});

test('nix finds a commit that is on no branch by the ref that keeps it', async () => {
  const fleet = await makeFleet();
  const clone = await fleet.worker();
  const files = { 'flake.nix': bytes('{ outputs = _: { answer = 42; }; }\n') };
  const trial = await commitFiles(clone, { base: fleet.base, files, message: 'trial', author, trial: true });
  const ref = await clone.keep(trial);
  await clone.git({ args: ['gc', '--quiet', '--prune=now'] });
  const url = `git+file://${clone.gitDir}?ref=${ref}&rev=${trial}#answer`;
  const { execFile } = await import('node:child_process');
  const { promisify } = await import('node:util');
  const environment = { ...fleet.environment, NIX_CONFIG: 'experimental-features = nix-command flakes' };
  const { stdout } = await promisify(execFile)('nix', ['eval', '--json', url], { env: environment });
  expect(stdout).toBe('42');
});

describe('commitFiles', () => {
  test('the same input gives the same commit, here and in another clone', async () => {
    const fleet = await makeFleet();
    const options = { base: fleet.base, files: { [file]: bytes('new') }, message: 'rotate: x\n', author };
    const [one, two] = [await fleet.worker(), await fleet.worker()];
    const commit = await commitFiles(one, options);
    expect(await commitFiles(one, options)).toBe(commit);
    expect(await commitFiles(two, options)).toBe(commit);
    expect(await one.changedPaths(fleet.base, commit)).toEqual([file]);
    expect(await commitFiles(two, { ...options, files: { [file]: bytes('newer') } })).not.toBe(commit);
  });

  test('is kept whatever its date, until nobody has asked for it in a long time', async () => {
    const fleet = await makeFleet();
    const clone = await fleet.worker();
    const ancient = { ...author, date: new Date(0) };
    const files = { [file]: bytes('x') };
    const trial = await commitFiles(clone, {
      base: fleet.base,
      files,
      message: 'x',
      author: ancient,
      trial: true,
    });
    const ref = await clone.keep(trial);
    await clone.maintain();
    expect(await clone.resolve(ref)).toBe(trial);
    const longAgo = new Date(Date.now() - 100 * 86_400_000);
    await utimes(join(clone.gitDir, ref), longAgo, longAgo);
    await clone.maintain();
    expect(await clone.resolve(ref)).toBeUndefined();
  });

  test('keeps the mode of a file, makes new ones plain and removes what is to go', async () => {
    const fleet = await makeFleet();
    const person = gitAt({ environment: fleet.environment, cwd: join(fleet.folder, 'person') });
    await person({ args: ['update-index', '--chmod=+x', file] });
    await person({ args: ['commit', '-q', '-m', 'x'] });
    await person({ args: ['push', '-q', 'origin', 'main'] });
    const clone = await fleet.worker();
    const base = (await clone.tip('main')) ?? '';
    const files = { [file]: bytes('new'), 'new.age': bytes('x'), 'rotate.yaml': undefined };
    const commit = await commitFiles(clone, { base, files, message: 'x', author });
    const modes = (await clone.listTree(commit)).map(({ path, mode }) => [path, mode]);
    expect(modes).toContainEqual([file, '100755']);
    expect(modes).toContainEqual(['new.age', '100644']);
    expect(modes.flat()).not.toContain('rotate.yaml');
  });

  test('signs when git is configured to, not for a trial, and a retry gives the same commit', async () => {
    const fleet = await makeFleet();
    const key = join(fleet.folder, 'key');
    const { execFileSync } = await import('node:child_process');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
    const config = `[commit]\n\tgpgSign = true\n[gpg]\n\tformat = ssh\n[user]\n\tsigningKey = ${key}\n`;
    await writeFile(join(fleet.folder, 'home', '.gitconfig'), config);
    const clone = await fleet.worker();
    const options = { base: fleet.base, files: { [file]: bytes('new') }, message: 'x', author };
    const commit = await commitFiles(clone, options);
    expect(await gitText(clone.git, { args: ['cat-file', 'commit', commit] })).toContain(
      'BEGIN SSH SIGNATURE',
    );
    expect(await commitFiles(clone, options)).toBe(commit);
    const trial = await commitFiles(clone, { ...options, trial: true });
    expect(await gitText(clone.git, { args: ['cat-file', 'commit', trial] })).not.toContain('SIGNATURE');
    await rm(key);
    const failed = commitFiles(clone, { ...options, message: 'y' });
    await expect(failed).rejects.toMatchObject({
      type: 'GitFailed',
      hint: expect.stringContaining('gpgSign'),
    });
  });
});
