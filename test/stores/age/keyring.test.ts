import {
  Encrypter,
  generateHybridIdentity,
  generateX25519Identity,
  identityToRecipient,
  Stanza,
} from 'age-encryption';
import { describe, expect, it } from 'vitest';
import { decrypt, encrypt, openWithKeyring } from '../../../stores/age/file.js';
import { describeStanzas, readHeader } from '../../../stores/age/header.js';
import { type AgeIdentity, parseIdentities } from '../../../stores/age/identity.js';
import { failureOf, privateFolder, sshKey } from '../support.js';

describe('a keyring', () => {
  it('opens with the newest key that fits, and says which it was', async () => {
    const [newest, older] = [await x25519(), await x25519()];
    const both = await encrypt(Buffer.from('v'), [older.recipient, newest.recipient], { armor: false });
    expect((await openWithKeyring(both, [newest, older], 'f')).identity).toBe(newest);
    const old = await encrypt(Buffer.from('v'), [older.recipient], { armor: true });
    const { value, identity } = await openWithKeyring(old, [newest, older], 'f');
    expect(identity).toBe(older);
    expect(value.text()).toBe('v');
  });

  it('of which no key fits fails with the file, its readers and our keys by name', async () => {
    const folder = await privateFolder();
    const [theirs, ours] = [await sshKey(folder, '-t', 'ed25519'), await sshKey(folder, '-t', 'ed25519')];
    const anonymous = await x25519();
    const file = await encrypt(Buffer.from('v'), [theirs.publicLine, anonymous.recipient], { armor: false });
    const failure = await failureOf(() => openWithKeyring(file, ours.identities, 'secrets/db.age'));
    expect(failure.type).toBe('CannotOpen');
    expect(failure.message).toContain('secrets/db.age');
    expect(failure.message).toContain(`ssh-ed25519 ${theirs.identities[0]?.tag}`);
    expect(failure.message).toContain('1 age1…');
    expect(failure.message).toContain(`ssh-ed25519 ${ours.identities[0]?.tag}`);
    expect(failure.details).toMatchObject({
      stage: 'no-match',
      file: 'secrets/db.age',
      tags: [theirs.identities[0]?.tag],
    });
  });

  it('that is empty fails the same way', async () => {
    const file = await encrypt(Buffer.from('v'), [(await x25519()).recipient], { armor: false });
    expect((await failureOf(() => decrypt(file, []))).details).toMatchObject({ stage: 'no-match' });
  });

  it('names the file when it is damaged', async () => {
    const key = await x25519();
    const file = await encrypt(Buffer.from('v'), [key.recipient], { armor: false });
    const cases: [Uint8Array, string][] = [
      [file.subarray(0, -1), 'payload'],
      [Buffer.from('hello'), 'header'],
      [new Uint8Array(0), 'header'],
      [file.subarray(0, 60), 'header'],
      [Buffer.from('-----BEGIN AGE ENCRYPTED FILE-----\n'), 'armor'],
    ];
    for (const [damaged, stage] of cases) {
      const failure = await failureOf(() => openWithKeyring(damaged, [key], 'secrets/db.age'));
      expect(failure.message).toMatch(/^secrets\/db\.age cannot be opened/);
      expect(failure.details).toMatchObject({ stage, file: 'secrets/db.age' });
    }
  });

  it('refuses a file that can also be opened with a passphrase: the format forbids that mix', async () => {
    const key = await x25519();
    const encrypter = new Encrypter();
    encrypter.addRecipient(key.recipient);
    encrypter.addRecipient({
      wrapFileKey: () => [new Stanza(['scrypt', 'AAAAAAAAAAAAAAAAAAAAAA', '18'], new Uint8Array(32))],
    });
    const failure = await failureOf(async () => decrypt(await encrypter.encrypt('v'), [key]));
    expect(failure.message).toContain('mixes a passphrase');
  });

  it('opens post-quantum files', async () => {
    const [pq] = await parseIdentities(await generateHybridIdentity(), 'pq');
    if (pq === undefined) throw new Error('no identity');
    const file = await encrypt(Buffer.from('v'), [pq.recipient], { armor: false });
    expect((await decrypt(file, [await x25519(), pq])).text()).toBe('v');
    expect(describeStanzas(readHeader(file).stanzas)).toEqual({ tags: [], x25519: 0, postQuantum: 1 });
  });
});

describe('readHeader', () => {
  it('refuses what is no age file', async () => {
    for (const text of [
      '',
      'PASSWORD=x',
      'age-encryption.org/v1\n',
      'age-encryption.org/v2\n--- ',
      'age-encryption.org/v1\n--- x\n',
    ]) {
      expect((await failureOf(() => readHeader(Buffer.from(text)))).type).toBe('CannotOpen');
    }
  });
});

async function x25519(): Promise<AgeIdentity> {
  const secret = await generateX25519Identity();
  const [identity] = await parseIdentities(secret, 'key');
  if (identity === undefined) throw new Error('no identity');
  expect(identity.recipient).toBe(await identityToRecipient(secret));
  return identity;
}
