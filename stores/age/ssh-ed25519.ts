/**
 * age's `ssh-ed25519` recipient and identity, after package agessh of FiloSottile/age.
 *
 *     -> ssh-ed25519 TAG b64(E)          E = X25519(e, basepoint)
 *     b64(ChaCha20-Poly1305(wrap key, zero nonce, file key))
 *
 *     tweak    = HKDF-SHA256(ikm = "", salt = wire, info = label)
 *     shared   = X25519(tweak, X25519(e, mont))
 *     wrap key = HKDF-SHA256(ikm = shared, salt = E || mont, info = label)
 *
 * `mont` is the Montgomery form of the Ed25519 key, so that a signing key can be used for key agreement; the tweak
 * ties the result to the SSH key rather than to the X25519 key that it maps to.
 */
import type { KeyObject } from 'node:crypto';
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { ed25519 } from '@noble/curves/ed25519.js';
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { type Identity, type Recipient, Stanza } from 'age-encryption';
import { concat, fromBase64, toBase64 } from './bytes.js';
import { ed25519Wire, sshTag } from './ssh-wire.js';
import { agree, ephemeral, x25519Point, x25519Public, x25519Secret } from './x25519.js';

const label = new TextEncoder().encode('age-encryption.org/v1/ssh-ed25519');
const zeroNonce = new Uint8Array(12);
const fileKeySize = 16;
const bodySize = fileKeySize + 16;

/**
 * The Montgomery u-coordinate of an Ed25519 public key of 32 bytes.
 * @returns undefined when it is no point of the curve, or one of low order (everything sent to it would be readable by all).
 */
export function montgomery(point: Uint8Array): Uint8Array | undefined {
  try {
    if (ed25519.Point.fromBytes(point).isSmallOrder()) return undefined;
    return ed25519.utils.toMontgomery(point);
  } catch {
    return undefined;
  }
}

/** @param point an Ed25519 public key for which {@link montgomery} is defined. */
export function ed25519Recipient(point: Uint8Array, mont: Uint8Array): Recipient {
  const wire = ed25519Wire(point);
  const tag = sshTag(wire);
  // X25519(tweak, X25519(e, mont)) is X25519(e, X25519(tweak, mont)), of which the inner part is the same for all files.
  let tweaked: KeyObject | undefined;
  return {
    wrapFileKey(fileKey) {
      tweaked ??= x25519Point(agree(tweakOf(wire), x25519Point(mont)));
      const { secret, share } = ephemeral();
      const key = wrapKey(agree(secret, tweaked), share, mont);
      const body = chacha20poly1305(key, zeroNonce).encrypt(fileKey);
      return [new Stanza(['ssh-ed25519', tag, toBase64(share)], body)];
    },
  };
}

/**
 * @param seed the 32 bytes of the private key.
 *
 * As agessh does, it throws on any malformed `ssh-ed25519` stanza, and on one with our tag that does not open:
 * two keys with one tag are far less likely than a damaged file.
 */
export function ed25519Identity(seed: Uint8Array): Identity {
  const wire = ed25519Wire(ed25519.getPublicKey(seed));
  const hash = sha512(seed);
  const secret = x25519Secret(hash.subarray(0, 32));
  hash.fill(0);
  const mont = x25519Public(secret);
  const tweak = tweakOf(wire);
  const ourTag = sshTag(wire);
  return {
    unwrapFileKey(stanzas) {
      for (const { args, body } of stanzas) {
        const [type, tag, encodedShare, ...rest] = args;
        if (type !== 'ssh-ed25519') continue;
        if (tag === undefined || encodedShare === undefined || rest.length > 0) {
          throw new Error('invalid ssh-ed25519 stanza: it has two arguments');
        }
        const share = fromBase64(encodedShare);
        if (share?.length !== 32) throw new Error('invalid ssh-ed25519 stanza: the share is not 32 bytes');
        if (tag !== ourTag) continue;
        // checked before decrypting, so that a stanza cannot be opened by two keys at once (partitioning oracle)
        if (body.length !== bodySize) throw new Error('invalid ssh-ed25519 stanza: the body is not 32 bytes');
        const shared = x25519Point(agree(secret, x25519Point(share)));
        const key = wrapKey(agree(tweak, shared), share, mont);
        try {
          return chacha20poly1305(key, zeroNonce).decrypt(body);
        } catch {
          throw new Error(`what its header has for our ssh-ed25519 key (tag ${ourTag}) does not open`);
        }
      }
      return null;
    },
  };
}

function tweakOf(wire: Uint8Array): KeyObject {
  return x25519Secret(hkdf(sha256, new Uint8Array(0), wire, label, 32));
}

function wrapKey(shared: Uint8Array, share: Uint8Array, mont: Uint8Array): Uint8Array {
  return hkdf(sha256, shared, concat(share, mont), label, 32);
}
