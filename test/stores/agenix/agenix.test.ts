import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tmpdir } from 'node:os';
import { SecretValue } from '../../../domain/secret-value.js';
import { describeStanzas, isArmored, readHeader } from '../../../stores/age/header.js';
import { agenixStore } from '../../../stores/agenix/agenix.js';
import { ageKey, failureOf, run, sshKey, type TestKey } from '../support.js';
import { nixString, repoWith } from './repo.js';

let folder: string;
let host: TestKey;
let alice: TestKey;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rotate-agenix-'));
  host = await sshKey(folder, '-t', 'ed25519');
  alice = await ageKey(folder);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const rules = 'secrets/secrets.nix';
const path = 'secrets/db.age';

/** A repo with one secret for both keys, as agenix would have written it. */
async function team(options: { armored?: boolean; rule?: string } = {}): Promise<string> {
  const both = join(folder, 'both.pub');
  await writeFile(both, host.publicLine + alice.publicLine);
  const old = await run('age', ['-R', both, ...(options.armored === true ? ['-a'] : [])], 'old\n');
  return repoWith({
    'keys/host.pub': host.publicLine,
    [rules]: `{ "db.age" = { publicKeys = [ (builtins.readFile ../keys/host.pub) ${nixString(alice.publicLine.trim())} ]; ${options.rule ?? ''} }; }`,
    [path]: old,
  });
}

describe('the agenix store', () => {
  it('reads what agenix has written, with any identity of the rules', async () => {
    const store = agenixStore({ root: await team(), rules });
    for (const { identities } of [host, alice]) {
      expect((await store.read(path, identities)).value.text()).toBe('old\n');
    }
  });

  it('writes for every recipient of the rules, and age opens it', async () => {
    const root = await team();
    const ciphertext = await agenixStore({ root, rules }).write(path, SecretValue.fromText('new'));
    expect(Buffer.from(ciphertext).equals(await readFile(join(root, path)))).toBe(true);
    for (const { privateFile } of [host, alice]) {
      expect((await run('age', ['-d', '-i', privateFile, join(root, path)])).toString()).toBe('new');
    }
    expect(describeStanzas(readHeader(ciphertext).stanzas)).toMatchObject({
      tags: [host.identities[0]?.tag],
      x25519: 1,
    });
  });

  it('lists the rules by path, with keys trimmed', async () => {
    const found = await agenixStore({ root: await team(), rules }).recipients();
    expect([...found]).toEqual([
      [path, { recipients: [host.publicLine.trim(), alice.publicLine.trim()], armor: false }],
    ]);
  });

  it.each([
    ['binary stays binary', {}, false],
    ['an armored file stays armored', { armored: true }, true],
    ['the rule asks for armor', { rule: 'armor = true;' }, true],
    ['a rule without armor does not undo it', { armored: true, rule: 'armor = false;' }, true],
  ])('%s', async (_, options, armored) => {
    const root = await team(options);
    expect(isArmored(await agenixStore({ root, rules }).write(path, SecretValue.fromText('new')))).toBe(
      armored,
    );
  });

  it('replaces the file in one move, keeps its mode and leaves nothing beside it', async () => {
    const root = await team();
    await chmod(join(root, path), 0o640);
    const before = await stat(join(root, path));
    await agenixStore({ root, rules }).write(path, SecretValue.fromText('new'));
    const after = await stat(join(root, path));
    expect(after.ino).not.toBe(before.ino);
    expect(after.mode).toBe(before.mode);
    expect((await readdir(join(root, 'secrets'))).toSorted()).toEqual(['db.age', 'secrets.nix']);
  });

  it('encrypts without touching the checkout, which others may be reading', async () => {
    const root = await team({ armored: true });
    const store = agenixStore({ root, rules });
    const before = await store.ciphertext(path);
    const next = await store.encrypt(path, SecretValue.fromText('new'));
    expect(isArmored(next)).toBe(true);
    expect((await run('age', ['-d', '-i', host.privateFile], next)).toString()).toBe('new');
    expect(await store.ciphertext(path)).toEqual(before);
    expect(Buffer.from(before).equals(await readFile(join(root, path)))).toBe(true);
  });

  it('leaves the old file alone when a recipient is no key, and says whose', async () => {
    const root = await team();
    const before = await readFile(join(root, path));
    await writeFile(join(root, rules), '{ "db.age".publicKeys = [ "ssh-ed25519 AAAA typo@laptop" ]; }');
    const failure = await failureOf(() =>
      agenixStore({ root, rules }).write(path, SecretValue.fromText('new')),
    );
    expect(failure.type).toBe('BadRecipient');
    expect(failure.message).toContain(path);
    expect(failure.message).toContain('typo@laptop');
    expect((await readFile(join(root, path))).equals(before)).toBe(true);
  });

  it('says whose key is none before anything is encrypted', async () => {
    const root = await team();
    const store = agenixStore({ root, rules });
    expect(await store.recipientsOf(path)).toEqual((await store.recipients()).get(path)?.recipients);
    await writeFile(join(root, rules), '{ "db.age".publicKeys = [ "ssh-ed25519 AAAA typo@laptop" ]; }');
    const failure = await failureOf(async () => agenixStore({ root, rules }).recipientsOf(path));
    expect(failure.type).toBe('BadRecipient');
    for (const part of [rules, path, 'typo@laptop']) expect(failure.message).toContain(part);
  });

  it('creates a file that the rules name and that is not there yet', async () => {
    const root = await team();
    await writeFile(
      join(root, rules),
      `{ "new.age".publicKeys = [ ${nixString(alice.publicLine.trim())} ]; }`,
    );
    const store = agenixStore({ root, rules });
    await store.write('secrets/new.age', SecretValue.fromText('first'));
    expect((await store.read('secrets/new.age', alice.identities)).value.text()).toBe('first');
  });

  it('understands names that are relative to the root, as some run agenix there', async () => {
    const root = await team();
    await writeFile(
      join(root, rules),
      `{ "secrets/db.age".publicKeys = [ ${nixString(alice.publicLine)} ]; "../../out.age".publicKeys = [ ]; }`,
    );
    expect([...(await agenixStore({ root, rules }).recipients()).keys()]).toEqual([path]);
  });

  it('takes files of several keys and comments in publicKeys', async () => {
    const root = await team();
    await writeFile(join(root, 'keys/all.pub'), `# the team\n${host.publicLine}\n${alice.publicLine}`);
    await writeFile(join(root, rules), '{ "db.age".publicKeys = [ (builtins.readFile ../keys/all.pub) ]; }');
    const found = await agenixStore({ root, rules }).recipients();
    expect(found.get(path)?.recipients).toEqual([host.publicLine.trim(), alice.publicLine.trim()]);
  });

  it('suggests the file that was probably meant', async () => {
    const store = agenixStore({ root: await team(), rules });
    for (const slip of ['secrets/bd.age', 'secret/db.age', 'db.age']) {
      const failure = await failureOf(async () => store.write(slip, SecretValue.fromText('x')));
      expect(failure).toMatchObject({ type: 'UnknownSecret', hint: `did you mean ${path}?` });
    }
  });

  it('refuses to encrypt to nobody', async () => {
    const root = await team();
    await writeFile(join(root, rules), '{ "db.age".publicKeys = [ ]; }');
    const failure = await failureOf(() =>
      agenixStore({ root, rules }).write(path, SecretValue.fromText('x')),
    );
    expect(failure).toMatchObject({ type: 'BadRules' });
    expect(failure.message).toContain('no public key');
  });

  it('says which rules file is missing', async () => {
    const root = await team();
    for (const wrong of ['secrets/missing.nix', 'nowhere/secrets.nix', '../secrets.nix', '/etc/passwd']) {
      const failure = await failureOf(() => agenixStore({ root, rules: wrong }).recipients());
      expect(failure.type).toBe('BadRules');
      expect(failure.message).toContain(wrong);
    }
  });

  it('tries again after a failed evaluation, and evaluates once otherwise', async () => {
    const root = await team();
    const good = await readFile(join(root, rules), 'utf8');
    await writeFile(join(root, rules), 'throw "half-written"');
    const store = agenixStore({ root, rules });
    await failureOf(() => store.recipients());
    await writeFile(join(root, rules), good);
    const first = await store.recipients();
    expect(await store.recipients()).toBe(first);
  });
});

describe('paths of a repo that someone else has written', () => {
  it.each([
    ['..', '../outside.age'],
    ['an absolute path', '/etc/passwd'],
    ['the folder of git', '.git/config'],
    ['a link to a file', 'secrets/link.age'],
    ['a link to a folder', 'secrets/folder/passwd'],
    ['the root itself', '.'],
  ])('do not lead outside by %s', async (_, wanted) => {
    const root = await team();
    await mkdir(join(root, '.git'));
    await writeFile(join(root, '.git/config'), '[remote]');
    await symlink('/etc/passwd', join(root, 'secrets/link.age'));
    await symlink('/etc', join(root, 'secrets/folder'));
    const failure = await failureOf(() => agenixStore({ root, rules }).read(wanted, alice.identities));
    expect(failure.type).toBe('BadConfig');
    expect(failure.message).toContain('not a file inside the repo');
  });

  it('that do not exist are unknown secrets', async () => {
    const store = agenixStore({ root: await team(), rules });
    for (const missing of ['secrets/no.age', 'no/such.age', 'secrets/db.age/x.age']) {
      expect((await failureOf(() => store.read(missing, alice.identities))).type).toBe('UnknownSecret');
    }
  });
});
