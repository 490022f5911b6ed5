/** Files go both ways between this code and the real `age` (and keys come from the real ssh-keygen). */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { decrypt, encrypt } from '../../../stores/age/file.js';
import { describeStanzas, readHeader } from '../../../stores/age/header.js';
import { parseRecipient, sshToAge } from '../../../stores/age/recipient.js';
import { ageKey, run, sshKey, type TestKey } from '../support.js';

let folder: string;
const keys = new Map<string, TestKey>();

const kinds: Readonly<Record<string, (folder: string) => Promise<TestKey>>> = {
  'ssh-ed25519': (at) => sshKey(at, '-t', 'ed25519'),
  'ssh-rsa 2048': (at) => sshKey(at, '-t', 'rsa', '-b', '2048'),
  'ssh-rsa 3072': (at) => sshKey(at, '-t', 'rsa', '-b', '3072'),
  'ssh-rsa 4096 (legacy PEM)': (at) => sshKey(at, '-t', 'rsa', '-b', '4096', '-m', 'PEM'),
  'ssh-rsa 2048 (PKCS#8)': (at) => sshKey(at, '-t', 'rsa', '-b', '2048', '-m', 'PKCS8'),
  X25519: ageKey,
};

const payloads: Readonly<Record<string, Uint8Array>> = {
  'an empty payload': new Uint8Array(0),
  'a password': Buffer.from('hunter2\n'),
  '1 MiB of noise': randomBytes(1024 * 1024),
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rotate-interop-'));
  for (const [kind, make] of Object.entries(kinds)) keys.set(kind, await make(folder));
}, 120_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

function keyOf(kind: string): TestKey {
  const key = keys.get(kind);
  if (key === undefined) throw new Error(`no key ${kind}`);
  return key;
}

describe.each(Object.keys(kinds))('%s', (kind) => {
  describe.each(Object.entries(payloads))('%s', (_, payload) => {
    it.each([true, false])('written by us is read by age (armor: %s)', async (armor) => {
      const { publicLine, privateFile } = keyOf(kind);
      const file = await encrypt(payload, [publicLine], { armor });
      expect((await run('age', ['-d', '-i', privateFile], file)).equals(payload)).toBe(true);
    });

    it.each([true, false])('written by age is read by us (armor: %s)', async (armor) => {
      const { publicFile, identities } = keyOf(kind);
      const file = await run('age', ['-R', publicFile, ...(armor ? ['-a'] : [])], payload);
      expect(Buffer.from((await decrypt(file, identities)).bytes()).equals(payload)).toBe(true);
      expect(readHeader(file).armored).toBe(armor);
    });
  });

  it('has the tag that age writes', async () => {
    const { publicFile, publicLine } = keyOf(kind);
    const { tags, x25519 } = describeStanzas(readHeader(await run('age', ['-R', publicFile], 'x')).stanzas);
    const { tag } = parseRecipient(publicLine);
    expect(tags).toEqual(tag === undefined ? [] : [tag]);
    expect(x25519).toBe(tag === undefined ? 1 : 0);
  });
});

describe('a file for a whole team', () => {
  it('as agenix writes it (one age call, all keys) is opened by each of them', async () => {
    const everyone = join(folder, 'everyone.pub');
    await writeFile(everyone, [...keys.values()].map(({ publicLine }) => publicLine).join(''));
    const file = await run('age', ['-R', everyone], 'shared');
    for (const { identities } of keys.values())
      expect((await decrypt(file, identities)).text()).toBe('shared');
    expect(describeStanzas(readHeader(file).stanzas)).toMatchObject({ x25519: 1, postQuantum: 0 });
  });

  it('written by us is opened by each of them with age', async () => {
    const recipients = [...keys.values()].map(({ publicLine }) => publicLine);
    const file = await encrypt(Buffer.from('shared'), recipients, { armor: true });
    for (const { privateFile } of keys.values()) {
      expect((await run('age', ['-d', '-i', privateFile], file)).toString()).toBe('shared');
    }
  });
});

describe('an SSH key as an age key', () => {
  it('is one that age accepts', async () => {
    const { publicLine } = keyOf('ssh-ed25519');
    const recipient = sshToAge(publicLine);
    expect(recipient).toMatch(/^age1[a-z0-9]{58}$/);
    const file = await run('age', ['-r', recipient], 'x'); // age accepts it: the checksum is right
    expect(describeStanzas(readHeader(file).stanzas).x25519).toBe(1);
  });
});
