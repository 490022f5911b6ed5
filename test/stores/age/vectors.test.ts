/** The official vectors of the age format (C2SP CCTV), all of them. */
import { createHash } from 'node:crypto';
import { inflateSync } from 'node:zlib';
import * as vectors from 'cctv-age';
import { describe, expect, it } from 'vitest';
import { decrypt } from '../../../stores/age/file.js';
import { readHeader } from '../../../stores/age/header.js';
import { parseIdentities } from '../../../stores/age/identity.js';
import { failureOf } from '../support.js';

interface Vector {
  readonly name: string;
  readonly expect: string;
  readonly payload: string | undefined;
  readonly identities: string;
  readonly passphrase: boolean;
  readonly file: Uint8Array;
}

/**
 * Passphrases are out of scope: nobody is there to type one, and agenix has no such files. These two would open with
 * the passphrase; we must refuse them, and say why.
 */
const passphraseOnly = new Set(['scrypt', 'armor_scrypt']);

/** Where we find the same fault at another stage than the vectors' author; the file is refused all the same. */
const stageElsewhere: Readonly<Record<string, string>> = {
  // without the armor's first line at the very start it is not armor to us, so no age file
  armor_garbage_leading: 'header',
  armor_lowercase: 'header',
  armor_wrong_type: 'header',
  armor_whitespace_begin: 'header',
  // the nonce of the payload: the reference counts it to the header
  stream_no_nonce: 'payload',
  stream_short_nonce: 'payload',
};

const stages: Readonly<Record<string, string>> = {
  'armor failure': 'armor',
  'header failure': 'header',
  'HMAC failure': 'header',
  'payload failure': 'payload',
  'no match': 'no-match',
};

const all = Object.entries(vectors).map(([name, bytes]) => parseVector(name, bytes));

describe('the official age vectors', () => {
  it('are complete: 143', () => {
    expect(all).toHaveLength(143);
  });

  for (const vector of all.filter(({ passphrase }) => !passphrase)) {
    it(`${vector.name}: ${vector.expect}`, async () => {
      const identities = await parseIdentities(vector.identities || (await anyIdentity()), 'identities');
      if (vector.expect === 'success') {
        const plaintext = (await decrypt(vector.file, identities)).bytes();
        expect(createHash('sha256').update(plaintext).digest('hex')).toBe(vector.payload);
        return;
      }
      const failure = await failureOf(() => decrypt(vector.file, identities));
      expect(failure.type).toBe('CannotOpen');
      expect(failure.details?.['stage']).toBe(stageElsewhere[vector.name] ?? stages[vector.expect]);
    });
  }

  for (const vector of all.filter(({ passphrase }) => passphrase)) {
    it(`${vector.name}: refused, because it is encrypted with a passphrase or malformed`, async () => {
      const identities = await parseIdentities(vector.identities || (await anyIdentity()), 'identities');
      const failure = await failureOf(() => decrypt(vector.file, identities));
      expect(failure.type).toBe('CannotOpen');
      if (passphraseOnly.has(vector.name)) expect(failure.message).toContain('encrypted with a passphrase');
      expect(vector.expect === 'success').toBe(passphraseOnly.has(vector.name));
    });
  }

  it('have headers that audits read whenever the file opens', () => {
    const opened = all.filter((vector) => vector.expect === 'success');
    for (const { file } of opened) expect(readHeader(file).stanzas.length).toBeGreaterThan(0);
    const grease = opened.filter(({ name }) => name.includes('grease'));
    expect(grease).not.toHaveLength(0);
    for (const { file } of grease)
      expect(readHeader(file).stanzas.every(({ type }) => !type.includes('grease'))).toBe(true);
  });
});

async function anyIdentity(): Promise<string> {
  const { generateX25519Identity } = await import('age-encryption');
  return generateX25519Identity();
}

function parseVector(name: string, bytes: Uint8Array): Vector {
  const text = Buffer.from(bytes).toString('latin1');
  const split = text.indexOf('\n\n');
  const keys = text
    .slice(0, split)
    .split('\n')
    .map((line) => ({ key: line.slice(0, line.indexOf(': ')), value: line.slice(line.indexOf(': ') + 2) }));
  const values = (wanted: string) => keys.filter(({ key }) => key === wanted).map(({ value }) => value);
  const body = bytes.slice(split + 2);
  return {
    name,
    expect: values('expect').join(''),
    payload: values('payload')[0],
    identities: values('identity').join('\n'),
    passphrase: values('passphrase').length > 0,
    file: values('compressed').length > 0 ? Uint8Array.from(inflateSync(body)) : body,
  };
}
