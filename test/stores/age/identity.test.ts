import { readFile } from 'node:fs/promises';
import { inspect } from 'node:util';
import { generateHybridIdentity, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { describe, expect, it } from 'vitest';
import type { RotateError } from '../../../domain/failure.js';
import { decrypt, encrypt } from '../../../stores/age/file.js';
import { parseIdentities } from '../../../stores/age/identity.js';
import { parseRecipient } from '../../../stores/age/recipient.js';
import { ageKey, failureOf, privateFolder, run, sshKey } from '../support.js';

describe('an identity file', () => {
  it.each([
    ['OpenSSH Ed25519', ['-t', 'ed25519'], 'ssh-ed25519'],
    ['OpenSSH RSA', ['-t', 'rsa', '-b', '2048'], 'ssh-rsa'],
    ['legacy PEM RSA', ['-t', 'rsa', '-b', '2048', '-m', 'PEM'], 'ssh-rsa'],
    ['PKCS#8 RSA', ['-t', 'rsa', '-b', '2048', '-m', 'PKCS8'], 'ssh-rsa'],
  ])('may be an SSH key: %s', async (_, args, type) => {
    const { publicLine, identities, privateFile } = await sshKey(await privateFolder(), ...args);
    const { tag, text } = parseRecipient(publicLine);
    expect(identities).toMatchObject([{ type, tag, recipient: text, source: privateFile }]);
  });

  it('may be a PKCS#8 Ed25519 key', async () => {
    const pem = (await run('openssl', ['genpkey', '-algorithm', 'ed25519'])).toString();
    const [identity] = await parseIdentities(pem, 'key.pem');
    expect(identity?.type).toBe('ssh-ed25519');
    const file = await encrypt(Buffer.from('x'), [identity?.recipient ?? ''], { armor: false });
    expect((await decrypt(file, identity === undefined ? [] : [identity])).text()).toBe('x');
  });

  it('may have Windows line ends', async () => {
    const { privateText, publicLine } = await sshKey(await privateFolder(), '-t', 'ed25519');
    const [identity] = await parseIdentities(privateText.replaceAll('\n', '\r\n'), 'key');
    expect(identity?.recipient).toBe(parseRecipient(publicLine).text);
  });

  it('may hold several identities of all kinds, with comments, and keeps their order', async () => {
    const folder = await privateFolder();
    const [first, ssh, pq] = [
      await ageKey(folder),
      await sshKey(folder, '-t', 'ed25519'),
      await generateHybridIdentity(),
    ];
    const text = `# newest\n\n${first.privateText}\n  # older\n${ssh.privateText}\n${pq}\r\n`;
    const identities = await parseIdentities(text, 'keyring');
    expect(identities.map(({ type }) => type)).toEqual(['X25519', 'ssh-ed25519', 'mlkem768x25519']);
    expect(identities[0]?.recipient).toBe(first.publicLine.trim());
    expect(identities[2]?.recipient).toBe(await identityToRecipient(pq));
  });

  it.each([
    ['', 'no private key'],
    ['# only a comment\n', 'no private key'],
    ['ssh-ed25519 AAAA alice', 'public key'],
    ['age1qqqq', 'public key'],
    ['AGE-PLUGIN-YUBIKEY-1QQQ', 'plugin'],
    ['-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n-----END AGE ENCRYPTED FILE-----\n', 'itself encrypted'],
    ['age-encryption.org/v1\n-> scrypt x 18\n', 'itself encrypted'],
    ['-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n', 'damaged'],
    ['-----BEGIN RSA PRIVATE KEY-----\nMIIE\n', 'damaged'],
    ['-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----\n', 'CERTIFICATE'],
  ])('that is none is refused: %j', async (text, says) => {
    const failure = await failureOf(() => parseIdentities(text, '/keys/id'));
    expect(failure.type).toBe('BadConfig');
    expect(failure.message).toContain('/keys/id');
    expect(failure.message).toContain(says);
  });

  it.each([
    ['OpenSSH', []],
    ['legacy PEM', ['-m', 'PEM']],
    ['PKCS#8', ['-m', 'PKCS8']],
  ])('protected by a passphrase is refused with that reason: %s', async (_, args) => {
    const folder = await privateFolder();
    // a throw-away passphrase of a throw-away key
    await run('ssh-keygen', [
      '-q',
      '-t',
      'rsa',
      '-b',
      '2048',
      '-N',
      'open sesame',
      '-f',
      `${folder}/k`,
      ...args,
    ]);
    const text = await readFile(`${folder}/k`, 'utf8');
    const failure = await failureOf(() => parseIdentities(text, 'k'));
    expect(failure).toMatchObject({ type: 'BadConfig' });
    expect(failure.message).toContain('passphrase');
  });

  it('of a type that age cannot use is refused by name', async () => {
    const folder = await privateFolder();
    await run('ssh-keygen', ['-q', '-t', 'ecdsa', '-N', '', '-f', `${folder}/k`]);
    const failure = await failureOf(async () => parseIdentities(await readFile(`${folder}/k`, 'utf8'), 'k'));
    expect(failure.message).toContain('ec keys');
  });

  it('of an RSA key of less than 2048 bits is refused', async () => {
    const folder = await privateFolder();
    await run('ssh-keygen', ['-q', '-t', 'rsa', '-b', '1024', '-N', '', '-f', `${folder}/k`]);
    const failure = await failureOf(async () => parseIdentities(await readFile(`${folder}/k`, 'utf8'), 'k'));
    expect(failure.message).toContain('1024 bits');
  });

  it('never shows in errors what it holds: the decoder of age keys quotes them, we do not', async () => {
    const key = await generateX25519Identity();
    const middle = key.slice(20, 50).toLowerCase();
    const damaged = [
      key.slice(0, -1),
      `${key}Q`,
      `${key}!`,
      key.toLowerCase(),
      key.replace('KEY-1', 'KEY-PQ-1'),
    ];
    for (const text of damaged) {
      const failure = await failureOf(() => parseIdentities(text, 'k'));
      expect(everything(failure).toLowerCase()).not.toContain(middle);
    }
  });

  it('gives identities that print nothing secret', async () => {
    const folder = await privateFolder();
    const { identities, privateText } = await ageKey(folder);
    const secret = /AGE-SECRET-KEY-1\w+/.exec(privateText)?.[0] ?? 'none';
    expect(inspect(identities, { depth: 9, showHidden: true })).not.toContain(secret);
    expect(JSON.stringify(identities)).not.toContain(secret);
  });
});

function everything(error: RotateError): string {
  return [inspect(error, { depth: 9, showHidden: true }), error.stack, JSON.stringify(error)].join('\n');
}
