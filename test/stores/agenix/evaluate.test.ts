/** The rules file is other people's code: it is evaluated by the real nix, and may see the repo only. */
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { evaluateRules } from '../../../stores/agenix/evaluate.js';
import { failureOf, privateFolder } from '../support.js';
import { repoWith } from './repo.js';

afterEach(() => vi.unstubAllEnvs());

describe('a rules file', () => {
  it('may be any Nix that stays in the repo: let, with, ++, //, import, readFile, listToAttrs, readDir', async () => {
    const root = await repoWith({
      'keys/web.pub': 'ssh-ed25519 AAAAweb root@web\n',
      'keys/db.pub': 'ssh-ed25519 AAAAdb root@db\n',
      'lib/keys.nix': '{ alice = "age1alice"; bob = "age1bob"; }',
      'secrets/secrets.nix': `
        let
          users = with import ../lib/keys.nix; [ alice ] ++ [ bob ];
          systems = map (n: builtins.readFile (../keys + "/\${n}")) (builtins.attrNames (builtins.readDir ../keys));
          one = name: { name = "\${name}.age"; value.publicKeys = users; };
        in
        builtins.listToAttrs (map one [ "a" "b" ]) // {
          "c.age" = { publicKeys = users ++ systems; armor = true; owner = "extra"; mode = { deep = [ 1 ]; }; };
          "d.age" = { comment = "nobody yet"; };
        }`,
    });
    expect(await evaluateRules({ root, rules: 'secrets/secrets.nix' })).toEqual({
      'a.age': { publicKeys: ['age1alice', 'age1bob'], armor: false },
      'b.age': { publicKeys: ['age1alice', 'age1bob'], armor: false },
      'c.age': {
        publicKeys: [
          'age1alice',
          'age1bob',
          'ssh-ed25519 AAAAdb root@db\n',
          'ssh-ed25519 AAAAweb root@web\n',
        ],
        armor: true,
      },
      'd.age': { publicKeys: [], armor: false },
    });
  });

  it('may lie behind a link to the checkout', async () => {
    const root = await repoWith({ 'secrets.nix': '{ "a.age".publicKeys = [ "x" ]; }' });
    const link = join(await privateFolder(), 'link');
    await symlink(root, link);
    expect(await evaluateRules({ root: link, rules: 'secrets.nix' })).toHaveProperty(['a.age']);
  });

  it('with names that would be code is only data', async () => {
    const names = ['${builtins.abort "x"}.age', '"; builtins.abort "x', "'' + x", '$(id).age', 'ä b.age'];
    const literal = (name: string) => JSON.stringify(name).replaceAll('$', '\\$');
    const rules = `{ ${names.map((name) => `${literal(name)}.publicKeys = [ "k" ];`).join(' ')} }`;
    const root = await repoWith({ 'secrets.nix': rules });
    expect(Object.keys(await evaluateRules({ root, rules: 'secrets.nix' })).toSorted()).toEqual(
      names.toSorted(),
    );
  });

  it.each([
    ['reading a file', 'builtins.readFile /etc/shadow'],
    ['reading a file by string', 'builtins.readFile "/etc/shadow"'],
    ['reading through the environment of a path', 'builtins.readFile "${/etc/shadow}"'],
    ['listing a folder', 'toString (builtins.attrNames (builtins.readDir /root))'],
    ['importing', 'import /etc/shadow'],
    ['copying into the store', 'builtins.readFile (builtins.path { path = /etc/shadow; })'],
    ['the search path', 'builtins.readFile <nixpkgs/default.nix>'],
    ['leaving by ..', 'builtins.readFile (./. + "/../../../../../../etc/shadow")'],
    ['a link in the repo', 'builtins.readFile ./link'],
    ['a link to a folder', 'builtins.readFile (./folder + "/shadow")'],
    ['fetchurl', 'builtins.readFile (builtins.fetchurl "http://127.0.0.1:9/x")'],
    ['fetchurl of a file', 'builtins.readFile (builtins.fetchurl "file:///etc/shadow")'],
    ['fetchTarball', 'builtins.readFile (builtins.fetchTarball "http://127.0.0.1:9/x.tgz")'],
    ['fetchGit', 'builtins.readFile (builtins.fetchGit "file:///etc")'],
    [
      'the builder of nix',
      'builtins.readFile (import <nix/fetchurl.nix> { url = "file:///etc/shadow"; sha256 = ""; })',
    ],
    [
      'a derivation (import from derivation)',
      'builtins.readFile (derivation { name = "x"; system = builtins.currentSystem; builder = "/bin/sh"; args = [ "-c" "cat /etc/shadow > $out" ]; })',
    ],
    ['running a program', 'builtins.exec [ "id" ]'],
    ['a native plugin', 'builtins.importNative /lib/x86_64-linux-gnu/libc.so.6 "x"'],
    ['the store', 'toString (builtins.attrNames (builtins.readDir builtins.storeDir))'],
  ])('cannot reach outside by %s', async (_, code) => {
    const root = await repoWith({ 'secrets.nix': `{ "a.age".publicKeys = [ (${code}) ]; }` });
    await symlink('/etc/shadow', join(root, 'link'));
    await symlink('/etc', join(root, 'folder'));
    const failure = await failureOf(() => evaluateRules({ root, rules: 'secrets.nix' }));
    expect(failure.type).toBe('BadRules');
    expect(failure.message).toMatch(
      /restricted mode|search path|is not valid|import-from-derivation|missing/,
    );
    expect(failure.message).not.toContain('root:');
  });

  it('does not even learn whether a file outside exists', async () => {
    const root = await repoWith({
      'secrets.nix':
        '{ "a.age".publicKeys = [ (if builtins.pathExists /etc/shadow then "yes" else "no") ]; }',
    });
    const rules = await evaluateRules({ root, rules: 'secrets.nix' }).catch(() => ({}));
    expect(JSON.stringify(rules)).not.toContain('yes');
  });

  it('sees nothing of the environment, whatever the worker has in it', async () => {
    vi.stubEnv('ROTATE_IDENTITY', '/var/lib/rotate/identity');
    vi.stubEnv('NIX_CONFIG', 'restrict-eval = false\nallowed-uris = file:///');
    vi.stubEnv('NIX_PATH', 'etc=/etc');
    const get = (name: string) => `(builtins.getEnv "${name}")`;
    const root = await repoWith({
      'secrets.nix': `{ "a.age".publicKeys = [ ${['ROTATE_IDENTITY', 'HOME', 'PATH', 'NIX_CONFIG'].map(get).join(' ')} ]; }`,
      'path.nix': '{ "a.age".publicKeys = [ (builtins.readFile <etc/shadow>) ]; }',
      'uri.nix': '{ "a.age".publicKeys = [ (builtins.readFile (builtins.fetchurl "file:///etc/shadow")) ]; }',
    });
    const { 'a.age': rule } = await evaluateRules({ root, rules: 'secrets.nix' });
    expect(rule?.publicKeys).toEqual(['', '', '', '']);
    for (const rules of ['path.nix', 'uri.nix']) {
      expect((await failureOf(() => evaluateRules({ root, rules }))).type).toBe('BadRules');
    }
  });

  it('that fails is an error, although nix prints what it had got so far', async () => {
    const root = await repoWith({
      'secrets.nix': '{ "a.age".publicKeys = [ "x" ]; "b.age".publicKeys = [ (throw "no key for b") ]; }',
    });
    const failure = await failureOf(() => evaluateRules({ root, rules: 'secrets.nix' }));
    expect(failure.message).toBe('secrets.nix cannot be evaluated: no key for b');
  });

  it('does not get its traces into error messages', async () => {
    const root = await repoWith({ 'secrets.nix': 'builtins.trace "error-free secret text" (throw "stop")' });
    expect((await failureOf(() => evaluateRules({ root, rules: 'secrets.nix' }))).message).not.toContain(
      'secret text',
    );
  });

  it.each([
    ['a list', '[ ]'],
    ['keys that are no strings', '{ "a.age".publicKeys = [ 1 ]; }'],
    ['keys that are no list', '{ "a.age".publicKeys = "ssh-ed25519 AAAA"; }'],
    ['armor that is no boolean', '{ "a.age" = { publicKeys = [ ]; armor = "yes"; }; }'],
    ['a syntax error', '{ "a.age".publicKeys = '],
  ])('that is something else is refused: %s', async (_, text) => {
    const root = await repoWith({ 'secrets.nix': text });
    expect((await failureOf(() => evaluateRules({ root, rules: 'secrets.nix' }))).type).toBe('BadRules');
  });

  it('that never ends is killed', async () => {
    const root = await repoWith({
      'secrets.nix': `
        let
          many = n: f: builtins.foldl' (a: b: builtins.seq b a) { } (builtins.genList f n);
        in
        many 100000 (_: many 100000 (x: x))`,
    });
    const failure = await failureOf(() => evaluateRules({ root, rules: 'secrets.nix', timeout: 500 }));
    expect(failure.message).toContain('did not end within 0.5 s');
  });

  it('that needs more than 1 GiB fails, and does not take the worker with it', async () => {
    const hungry = 'let l = builtins.genList (x: [ x x x x x x x x ]) 20000000; in';
    const root = await repoWith({
      'secrets.nix': `${hungry} builtins.seq (builtins.foldl' (a: b: builtins.deepSeq b a) null l) { a.publicKeys = [ (toString (builtins.length l)) ]; }`,
    });
    const failure = await failureOf(() => evaluateRules({ root, rules: 'secrets.nix', timeout: 50_000 }));
    expect(failure.message).toContain('out of memory');
  });

  it('cannot be evaluated without nix, and the error says so', async () => {
    const root = await repoWith({ 'secrets.nix': '{ }' });
    const failure = await failureOf(() =>
      evaluateRules({ root, rules: 'secrets.nix', nixInstantiate: '/no/such/nix' }),
    );
    expect(failure).toMatchObject({ type: 'BadRules', hint: expect.stringContaining('install nix') });
  });
});
