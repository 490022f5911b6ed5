/**
 * age's own recipient and identity (`age1…`, `AGE-SECRET-KEY-1…`), as in the specification (age-encryption.org/v1).
 * age-encryption has them too, on WebCrypto, which takes several times as long.
 *
 *     -> X25519 b64(E)                   E = X25519(e, basepoint)
 *     b64(ChaCha20-Poly1305(wrap key, zero nonce, file key))
 *
 *     wrap key = HKDF-SHA256(ikm = X25519(e, recipient), salt = E || recipient, info = label)
 */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { type Identity, type Recipient, Stanza } from 'age-encryption';
import { concat, fromBase64, toBase64 } from './bytes.js';
import { agree, ephemeral, x25519Point, x25519Public, x25519Secret } from './x25519.js';

const label = new TextEncoder().encode('age-encryption.org/v1/X25519');
const zeroNonce = new Uint8Array(12);
const bodySize = 16 + 16;

/** @param recipient the 32 bytes that `age1…` encodes. */
export function ageX25519Recipient(recipient: Uint8Array): Recipient {
  const point = x25519Point(recipient);
  return {
    wrapFileKey(fileKey) {
      const { secret, share } = ephemeral();
      const key = wrapKey(agree(secret, point), share, recipient);
      return [new Stanza(['X25519', toBase64(share)], chacha20poly1305(key, zeroNonce).encrypt(fileKey))];
    },
  };
}

/**
 * @param scalar the 32 bytes that `AGE-SECRET-KEY-1…` encodes.
 *
 * As age does, it throws on any malformed `X25519` stanza, and passes over one that it does not open: they are
 * anonymous.
 */
export function ageX25519Identity(scalar: Uint8Array): Identity {
  const secret = x25519Secret(scalar);
  const recipient = x25519Public(secret);
  return {
    unwrapFileKey(stanzas) {
      for (const { args, body } of stanzas) {
        const [type, encodedShare, ...rest] = args;
        if (type !== 'X25519') continue;
        if (encodedShare === undefined || rest.length > 0)
          throw new Error('invalid X25519 stanza: it has one argument');
        const share = fromBase64(encodedShare);
        if (share?.length !== 32) throw new Error('invalid X25519 stanza: the share is not 32 bytes');
        // checked before decrypting, so that a stanza cannot be opened by two keys at once (partitioning oracle)
        if (body.length !== bodySize) throw new Error('invalid X25519 stanza: the body is not 32 bytes');
        const key = wrapKey(agree(secret, x25519Point(share)), share, recipient);
        try {
          return chacha20poly1305(key, zeroNonce).decrypt(body);
        } catch {
          // Another reader's.
        }
      }
      return null;
    },
  };
}

function wrapKey(shared: Uint8Array, share: Uint8Array, recipient: Uint8Array): Uint8Array {
  return hkdf(sha256, shared, concat(share, recipient), label, 32);
}
