import { createHash, createHmac } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SecretValue } from '../../../domain/secret-value.js';
import { newPassword, passwordBits } from '../../../kinds/postgres/password.js';
import { fingerprint, scramVerifier } from '../../../kinds/postgres/scram.js';

function parts(verifier: string): { iterations: number; salt: Buffer; stored: Buffer; server: Buffer } {
  const match = /^SCRAM-SHA-256\$(\d+):([^$]+)\$([^:]+):(.+)$/.exec(verifier);
  const [, iterations, salt = '', stored = '', server = ''] = match ?? [];
  return {
    iterations: Number(iterations),
    salt: Buffer.from(salt, 'base64'),
    stored: Buffer.from(stored, 'base64'),
    server: Buffer.from(server, 'base64'),
  };
}

describe('a SCRAM-SHA-256 verifier', () => {
  it('agrees with the exchange of RFC 7677', async () => {
    const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
    const verifier = await scramVerifier(SecretValue.fromText('pencil'), salt, 4096);
    const { stored, server } = parts(verifier.text());
    const nonce = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';
    const message = [
      'n=user,r=rOprNGfwEbeRWgbNEkqO',
      `r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`,
      `c=biws,r=${nonce}`,
    ].join(',');
    const proof = Buffer.from('dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=', 'base64');
    const signature = createHmac('sha256', stored).update(message).digest();
    const clientKey = proof.map((byte, i) => byte ^ (signature[i] ?? 0));
    expect(createHash('sha256').update(clientKey).digest()).toEqual(stored);
    expect(createHmac('sha256', server).update(message).digest('base64')).toBe(
      '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
    );
  });

  it('has the form that PostgreSQL stores, with a salt of 16 bytes of its own', async () => {
    const password = newPassword();
    const first = parts((await scramVerifier(password)).text());
    const second = parts((await scramVerifier(password)).text());
    expect(first.iterations).toBe(4096);
    expect(first.salt).toHaveLength(16);
    expect(first.stored).toHaveLength(32);
    expect(first.server).toHaveLength(32);
    expect(first.salt).not.toEqual(second.salt);
  });

  it('is the same for the same password and salt, and another for any other', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ minLength: 1, unit: 'grapheme-ascii' }),
        fc.string({ minLength: 1, unit: 'grapheme-ascii' }),
        fc.uint8Array({ minLength: 8, maxLength: 32 }),
        async (one, other, salt) => {
          const a = await scramVerifier(SecretValue.fromText(one), salt, 2);
          const again = await scramVerifier(SecretValue.fromText(one), salt, 2);
          const b = await scramVerifier(SecretValue.fromText(other), salt, 2);
          expect(a.equals(again)).toBe(true);
          expect(fingerprint(a) === fingerprint(b)).toBe(one === other);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('normalises what is not ASCII, and takes bytes that are not UTF-8 as they are', async () => {
    const salt = new Uint8Array(16);
    const of = async (value: SecretValue) => (await scramVerifier(value, salt, 2)).text();
    expect(await of(SecretValue.fromText('pa\u00AD\u00A0\u2168'))).toBe(
      await of(SecretValue.fromText('pa IX')),
    );
    const raw = new SecretValue(Uint8Array.of(0xff, 0xfe));
    expect(await of(raw)).not.toBe(await of(SecretValue.fromText('\ufffd\ufffd')));
  });
});

describe('a new password', () => {
  it('has at least 190 bits and needs no escaping anywhere', () => {
    expect(passwordBits).toBeGreaterThanOrEqual(190);
    for (let i = 0; i < 200; i++) expect(newPassword().text()).toMatch(/^[A-Za-z0-9]{32,}$/);
  });

  it('uses every character of its alphabet about as often as any other', () => {
    const counts = new Map<string, number>();
    const runs = 2000;
    for (let i = 0; i < runs; i++)
      for (const character of newPassword().text()) counts.set(character, (counts.get(character) ?? 0) + 1);
    expect(counts.size).toBe(62);
    const expected = (runs * 40) / 62;
    for (const count of counts.values()) expect(Math.abs(count - expected)).toBeLessThan(expected * 0.2);
  });
});
