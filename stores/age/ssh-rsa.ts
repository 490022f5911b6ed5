/**
 * age's `ssh-rsa` recipient and identity, after package agessh of FiloSottile/age.
 *
 *     -> ssh-rsa TAG
 *     b64(RSA-OAEP-SHA256(key, file key, label))
 */
import { constants, createPublicKey, type KeyObject, privateDecrypt, publicEncrypt } from 'node:crypto';
import { type Identity, type Recipient, Stanza } from 'age-encryption';
import { rsaWire, sshTag } from './ssh-wire.js';

const oaepLabel = Buffer.from('age-encryption.org/v1/ssh-rsa');
const fileKeySize = 16;

/** Smaller keys are refused, as age does since 1.1. */
export const minimumRsaBits = 2048;

/**
 * @param wire the wire encoding that the tag is taken from.
 * @throws Error when the numbers make no RSA key.
 */
export function rsaRecipient(wire: Uint8Array, exponent: Uint8Array, modulus: Uint8Array): Recipient {
  const key = createPublicKey({
    format: 'jwk',
    key: {
      kty: 'RSA',
      e: Buffer.from(exponent).toString('base64url'),
      n: Buffer.from(modulus).toString('base64url'),
    },
  });
  return {
    wrapFileKey(fileKey) {
      return [new Stanza(['ssh-rsa', sshTag(wire)], Uint8Array.from(publicEncrypt(oaep(key), fileKey)))];
    },
  };
}

/** The wire encoding of the public half of an RSA private key. */
export function rsaPublicWire(privateKey: KeyObject): Uint8Array {
  const { e, n } = privateKey.export({ format: 'jwk' });
  if (e === undefined || n === undefined) throw new Error('not an RSA key');
  return rsaWire(Buffer.from(e, 'base64url'), Buffer.from(n, 'base64url'));
}

/**
 * As agessh does, it throws on any malformed `ssh-rsa` stanza, and on one with our tag that does not open.
 * @param privateKey an RSA private key.
 */
export function rsaIdentity(privateKey: KeyObject): Identity {
  const ourTag = sshTag(rsaPublicWire(privateKey));
  return {
    unwrapFileKey(stanzas) {
      for (const { args, body } of stanzas) {
        const [type, tag, ...rest] = args;
        if (type !== 'ssh-rsa') continue;
        if (tag === undefined || rest.length > 0)
          throw new Error('invalid ssh-rsa stanza: it has one argument');
        if (tag !== ourTag) continue;
        const fileKey = open(privateKey, body);
        if (fileKey?.length !== fileKeySize) {
          throw new Error(`what its header has for our ssh-rsa key (tag ${ourTag}) does not open`);
        }
        return fileKey;
      }
      return null;
    },
  };
}

function open(key: KeyObject, body: Uint8Array): Uint8Array | undefined {
  try {
    return Uint8Array.from(privateDecrypt(oaep(key), body));
  } catch {
    // OpenSSL says why in words that change with its version; the caller's sentence says what it means
    return undefined;
  }
}

function oaep(key: KeyObject) {
  return { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256', oaepLabel };
}
