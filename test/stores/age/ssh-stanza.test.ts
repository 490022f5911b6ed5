/** What SSH identities do with stanzas that are not as they should be: the behaviour of age's agessh. */
import { createPrivateKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { type Identity, Stanza } from 'age-encryption';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toBase64 } from '../../../stores/age/bytes.js';
import { decrypt, encrypt } from '../../../stores/age/file.js';
import { readHeader } from '../../../stores/age/header.js';
import { type AgeIdentity, parseIdentities } from '../../../stores/age/identity.js';
import { parseRecipient } from '../../../stores/age/recipient.js';
import { failureOf } from '../support.js';

const fileKey = randomBytes(16);

// Montgomery u-coordinates of order 1, 2, 4 and 8 (RFC 7748 section 7, cr.yp.to/ecdh.html#validate)
const lowOrder = [
  0n,
  1n,
  325606250916557431795983626356110631294008115727848805560023387167927233504n,
  39382357235489614581723060781553021112529911719440698176882885853963445705823n,
  2n ** 255n - 20n,
  2n ** 255n - 19n,
  2n ** 255n - 18n,
].map((u) => Uint8Array.from(Buffer.from(u.toString(16).padStart(64, '0'), 'hex')).toReversed());

describe('an ssh-ed25519 identity', () => {
  it('opens what its recipient has wrapped, for any file key', async () => {
    const [key] = await pair('ed25519');
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 16, maxLength: 16 }), async (bytes) => {
        const stanzas = await wrap(key, bytes);
        expect(await open(key, stanzas)).toEqual(bytes);
      }),
      { numRuns: 20 },
    );
  });

  it('passes over stanzas of other keys and of other types', async () => {
    const [ours, theirs] = await pair('ed25519');
    const foreign = [new Stanza(['X25519', 'whatever'], new Uint8Array(3)), ...(await wrap(theirs, fileKey))];
    expect(await open(ours, foreign)).toBeNull();
    expect(await open(ours, [...foreign, ...(await wrap(ours, fileKey))])).toEqual(Uint8Array.from(fileKey));
  });

  it('refuses a share of low order, whoever it is from: the shared secret would be all zeros', async () => {
    const [key] = await pair('ed25519');
    for (const share of lowOrder) {
      const stanza = new Stanza(['ssh-ed25519', key.tag ?? '', toBase64(share)], new Uint8Array(32));
      await expect(open(key, [stanza])).rejects.toThrow(/low-order point/);
    }
  });

  it('refuses malformed stanzas', async () => {
    const [key] = await pair('ed25519');
    const [{ args, body } = new Stanza([], new Uint8Array())] = await wrap(key, fileKey);
    const [type = '', tag = '', share = ''] = args;
    const bad: [string[], Uint8Array, RegExp][] = [
      [[type], body, /two arguments/],
      [[type, tag], body, /two arguments/],
      [[type, tag, share, 'more'], body, /two arguments/],
      [[type, tag, `${share}=`], body, /share is not 32 bytes/],
      [[type, tag, share.slice(4)], body, /share is not 32 bytes/],
      [[type, tag, `${share.slice(0, -1)}_`], body, /share is not 32 bytes/],
      [[type, tag, share], body.subarray(1), /body is not 32 bytes/],
      [[type, tag, share], new Uint8Array([...body, 0]), /body is not 32 bytes/],
      [[type, 'AAAAAA', share.slice(4)], body, /share is not 32 bytes/], // even when it is not for us, as agessh
    ];
    for (const [badArgs, badBody, message] of bad) {
      await expect(open(key, [new Stanza(badArgs, badBody)])).rejects.toThrow(message);
    }
  });

  it('fails, and does not go on, when the stanza with its tag does not open', async () => {
    const [ours, theirs] = await pair('ed25519');
    const [stolen = new Stanza([], new Uint8Array())] = await wrap(theirs, fileKey);
    const renamed = new Stanza(['ssh-ed25519', ours.tag ?? '', stolen.args[2] ?? ''], stolen.body);
    await expect(open(ours, [renamed, ...(await wrap(ours, fileKey))])).rejects.toThrow(/does not open/);
  });
});

describe('an ssh-rsa identity', () => {
  it('passes over stanzas of other keys', async () => {
    const [ours, theirs] = await pair('rsa');
    expect(await open(ours, await wrap(theirs, fileKey))).toBeNull();
  });

  it('refuses malformed stanzas, and one with its tag that does not open', async () => {
    const [key] = await pair('rsa');
    const [{ body } = new Stanza([], new Uint8Array())] = await wrap(key, fileKey);
    const tag = key.tag ?? '';
    await expect(open(key, [new Stanza(['ssh-rsa'], body)])).rejects.toThrow(/one argument/);
    await expect(open(key, [new Stanza(['ssh-rsa', tag, 'more'], body)])).rejects.toThrow(/one argument/);
    await expect(open(key, [new Stanza(['ssh-rsa', tag], body.subarray(1))])).rejects.toThrow(
      /does not open/,
    );
    await expect(open(key, [new Stanza(['ssh-rsa', tag], new Uint8Array(256))])).rejects.toThrow(
      /does not open/,
    );
    const long = await wrap(key, randomBytes(17));
    await expect(open(key, long)).rejects.toThrow(/does not open/);
  });
});

describe('a whole file', () => {
  it('in which any bit of the header is flipped does not open', async () => {
    const [key] = await pair('ed25519');
    const file = await encrypt(Buffer.from('value'), [key.recipient], { armor: false });
    const { length } = readHeader(file);
    await fc.assert(
      fc.asyncProperty(fc.nat(length * 8 - 1), async (bit) => {
        const damaged = Uint8Array.from(file);
        damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect((await failureOf(() => decrypt(damaged, [key]))).type).toBe('CannotOpen');
      }),
      { numRuns: 200 },
    );
  });

  it('round-trips any content, armored or not, and differs each time', async () => {
    const [key] = await pair('ed25519');
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.boolean(), async (content, armor) => {
        const [a, b] = [
          await encrypt(content, [key.recipient], { armor }),
          await encrypt(content, [key.recipient], { armor }),
        ];
        expect(Buffer.from(a).equals(b)).toBe(false);
        expect((await decrypt(a, [key])).bytes()).toEqual(content);
      }),
      { numRuns: 30 },
    );
  });
});

async function pair(type: 'ed25519' | 'rsa'): Promise<[AgeIdentity, AgeIdentity]> {
  const make = async () => {
    const { privateKey } =
      type === 'rsa' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ed25519');
    const pem = createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' })).export({
      type: 'pkcs8',
      format: 'pem',
    });
    const [identity] = await parseIdentities(String(pem), 'key');
    if (identity === undefined) throw new Error('no identity');
    return identity;
  };
  return [await make(), await make()];
}

async function wrap(key: AgeIdentity, bytes: Uint8Array): Promise<Stanza[]> {
  const { recipient } = parseRecipient(key.recipient);
  if (typeof recipient === 'string') throw new Error('not an SSH key');
  return recipient.wrapFileKey(bytes);
}

async function open(key: AgeIdentity, stanzas: Stanza[]): Promise<Uint8Array | null> {
  const identity: Identity | string = key.identity();
  if (typeof identity === 'string') throw new Error('not an SSH key');
  return identity.unwrapFileKey(stanzas);
}
