import { createHash, generateKeyPairSync } from 'node:crypto';
import { generateHybridIdentity, generateX25519Identity, identityToRecipient } from 'age-encryption';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bech32Encode } from '../../../stores/age/bech32.js';
import { encrypt } from '../../../stores/age/file.js';
import { parseRecipient, parseRecipients, sshToAge } from '../../../stores/age/recipient.js';
import { ed25519Wire, parseSshLine, rsaWire } from '../../../stores/age/ssh-wire.js';
import { failureOf, privateFolder, run, sshKey } from '../support.js';

const ed25519Line = line('ssh-ed25519', ed25519Wire(publicPoint()));

describe('a recipient line', () => {
  it('may have a comment, blanks, a newline and authorized_keys options', () => {
    const bare = parseRecipient(ed25519Line);
    for (const text of [
      `${ed25519Line} alice@laptop\n`,
      `  ${ed25519Line}\t\r\n`,
      `no-pty,command="echo \\"ssh-rsa AAAA\\" done" ${ed25519Line} two words`,
    ]) {
      expect(parseRecipient(text)).toMatchObject({ text: bare.text, tag: bare.tag, type: 'ssh-ed25519' });
    }
  });

  it('of an SSH key has a tag, which is the start of the SHA-256 of the wire encoding', () => {
    const wire = Buffer.from(ed25519Line.split(' ')[1] ?? '', 'base64');
    const hash = createHash('sha256').update(wire).digest();
    expect(parseRecipient(ed25519Line).tag).toBe(hash.subarray(0, 4).toString('base64').replace('==', ''));
  });

  it('of an age key has none', async () => {
    const text = await identityToRecipient(await generateX25519Identity());
    const recipient = parseRecipient(`${text}\n`);
    expect(recipient).toMatchObject({ text, type: 'X25519' });
    expect(recipient).not.toHaveProperty('tag');
  });

  it.each([
    ['', 'empty'],
    ['alice', 'alice'],
    ['ssh-ed25519', 'not an SSH public key line'],
    ['ssh-ed25519 AAAA', 'damaged'],
    [ed25519Line.slice(0, -8), 'damaged'],
    [`${ed25519Line}\n${ed25519Line}`, 'more than one line'],
    [ed25519Line.replace('ssh-ed25519', 'ssh-rsa'), 'another type'],
    [line('ssh-ed25519', ed25519Wire(new Uint8Array(31))), '32 bytes'],
    [line('ecdsa-sha2-nistp256', Buffer.from('x')), 'ecdsa-sha2-nistp256'],
    ['sk-ssh-ed25519@openssh.com AAAAGnNr', 'sk-ssh-ed25519@openssh.com'],
    ['age1qqqq', 'damaged'],
    ['age1yubikey1qwe', 'plugin yubikey'],
    ['age1tag1qwe', 'plugin tag'],
    ['age1pq1qwe', 'damaged'],
  ])('%j is refused', async (text, says) => {
    const failure = await failureOf(() => parseRecipient(text));
    expect(failure.type).toBe('BadRecipient');
    expect(failure.message).toContain(says);
    expect(failure.hint).toBeDefined();
  });

  it('is named in the error, but not in full, and hardly at all where it is no key', async () => {
    const broken = `${ed25519Line.slice(0, -4)}!!!! alice@laptop`;
    const { message } = await failureOf(() => parseRecipient(broken));
    expect(message).toContain('ssh-ed25519 AAAA');
    expect(message).toContain('alice@laptop');
    const stray = await failureOf(() => parseRecipient('token = ghp_abcdefghijklmnopqrstuvwxyz'));
    expect(stray.message).not.toContain('abcdefgh');
  });

  it('is never quoted when a private key stands in its place', async () => {
    const secret = await generateX25519Identity();
    const failure = await failureOf(() => parseRecipient(secret));
    expect(failure.type).toBe('BadRecipient');
    expect(JSON.stringify([failure.message, failure.hint, String(failure.cause)])).not.toContain(
      secret.slice(20, 40),
    );
  });

  it('of an RSA key of less than 2048 bits is refused', async () => {
    const folder = await privateFolder();
    await run('ssh-keygen', ['-q', '-t', 'rsa', '-b', '1024', '-N', '', '-f', `${folder}/k`]);
    const text = (await run('cat', [`${folder}/k.pub`])).toString();
    const failure = await failureOf(() => parseRecipient(text));
    expect(failure).toMatchObject({ type: 'BadRecipient' });
    expect(failure.message).toContain('1024 bits');
  });

  it.each([
    ['the identity', 1n],
    ['y = -1, of order 2', 2n ** 255n - 20n],
    ['y = 0, of order 4', 0n],
    ['no point of the curve (y = 2)', 2n],
  ])('of a low-order or invalid Ed25519 key is refused: %s', async (_, y) => {
    const failure = await failureOf(() => parseRecipient(line('ssh-ed25519', ed25519Wire(littleEndian(y)))));
    expect(failure.type).toBe('BadRecipient');
  });

  it('of a low-order X25519 key is refused when it would be encrypted to', async () => {
    const zero = bech32Encode('age', new Uint8Array(32));
    expect((await failureOf(() => encrypt(Buffer.from('x'), [zero], { armor: false }))).type).toBe(
      'BadRecipient',
    );
  });

  it('never crashes the parser, whatever it is', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        parseSshLine(text);
        parseSshLine(`ssh-rsa ${Buffer.from(text).toString('base64')}`);
        parseSshLine(`ssh-ed25519 ${Buffer.from(text).toString('base64')} ${text}`);
      }),
    );
  });

  it('round-trips RSA numbers through the wire encoding', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (modulus) => {
        const number = Uint8Array.from([0x7f | (modulus[0] ?? 0), ...modulus]);
        const parsed = parseSshLine(line('ssh-rsa', rsaWire(Uint8Array.of(1, 0, 1), number)));
        expect(parsed).toMatchObject({
          key: { modulus: number, bits: BigInt(`0x${hex(number)}`).toString(2).length },
        });
      }),
    );
  });

  it('with a number that is not canonical is refused, because its tag would differ from the key it stands for', () => {
    const wire = rsaWire(Uint8Array.of(0, 1, 0, 1), new Uint8Array(256).fill(0x7f));
    expect(parseSshLine(line('ssh-rsa', wire))).toHaveProperty('problem');
  });
});

describe('recipients of one file', () => {
  it('are refused when there is none', async () => {
    expect((await failureOf(() => parseRecipients([]))).type).toBe('BadRecipient');
  });

  it('are all post-quantum or none', async () => {
    const pq = await identityToRecipient(await generateHybridIdentity());
    const classic = await identityToRecipient(await generateX25519Identity());
    expect(parseRecipients([pq, pq]).map(({ type }) => type)).toEqual(['mlkem768x25519', 'mlkem768x25519']);
    for (const mix of [
      [pq, classic],
      [ed25519Line, pq],
    ]) {
      const failure = await failureOf(() => parseRecipients(mix));
      expect(failure.type).toBe('BadRecipient');
      expect(failure.message).toContain('post-quantum');
    }
  });
});

describe('sshToAge', () => {
  it('is the public half of the X25519 key that the seed hashes to', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const seed = Buffer.from(privateKey.export({ format: 'jwk' }).d ?? '', 'base64url');
    const scalar = createHash('sha512').update(seed).digest().subarray(0, 32);
    const point = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
    const identity = bech32Encode('age-secret-key-', scalar).toUpperCase();
    expect(sshToAge(line('ssh-ed25519', ed25519Wire(point)))).toBe(await identityToRecipient(identity));
  });

  it('refuses what has no such form', async () => {
    const { publicLine } = await sshKey(await privateFolder(), '-t', 'rsa', '-b', '2048');
    for (const text of [publicLine, 'age1xyz', '']) {
      expect((await failureOf(() => sshToAge(text))).type).toBe('BadRecipient');
    }
  });
});

describe('bech32', () => {
  it('gives the vectors of BIP 173', () => {
    expect(bech32Encode('a', new Uint8Array(0))).toBe('a12uel5l');
  });
});

function publicPoint(): Uint8Array {
  const { publicKey } = generateKeyPairSync('ed25519');
  return Uint8Array.from(Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url'));
}

function line(type: string, wire: Uint8Array): string {
  return `${type} ${Buffer.from(wire).toString('base64')}`;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function littleEndian(value: bigint): Uint8Array {
  return Uint8Array.from(Buffer.from(value.toString(16).padStart(64, '0'), 'hex')).toReversed();
}
