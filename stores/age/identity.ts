/** Identities: the private keys that open files, as they lie in SSH key files and age identity files. */
import type { KeyObject } from 'node:crypto';
import { identityToRecipient, type Identity } from 'age-encryption';
import { RotateError } from '../../domain/failure.js';
import { ageX25519Identity } from './age-x25519.js';
import { bech32Bytes } from './bech32.js';
import { readPrivateKey } from './private-key.js';
import type { RecipientType } from './recipient.js';
import { ed25519Identity } from './ssh-ed25519.js';
import { minimumRsaBits, rsaIdentity, rsaPublicWire } from './ssh-rsa.js';
import { ed25519Wire, sshTag } from './ssh-wire.js';

/** A private key that opens files. Only `identity` is secret, and it prints nothing of itself. */
export interface AgeIdentity {
  readonly type: RecipientType;
  /** The public key that it belongs to: `ssh-ed25519 AAAA…`, `ssh-rsa AAAA…`, `age1…` or `age1pq1…`. */
  readonly recipient: string;
  /** How a header names it; only SSH keys are named. */
  readonly tag?: string;
  /** The file that it was read from. */
  readonly source: string;
  readonly identity: () => Identity | string;
}

/**
 * Reads an identity file: SSH private keys (OpenSSH, PEM, PKCS#8) and age's own identities (`AGE-SECRET-KEY-1…`,
 * `AGE-SECRET-KEY-PQ-1…`, with `#` comments and blank lines), one or several, in the order in which they stand.
 *
 * @param fileName is named in errors.
 * @throws RotateError `BadConfig` when the file holds no identity, or one that cannot be used. No message, cause or
 * hint contains anything of the file.
 */
export async function parseIdentities(fileText: string, fileName: string): Promise<AgeIdentity[]> {
  const identities: AgeIdentity[] = [];
  for (const { line, text } of entries(fileText)) {
    identities.push(
      text.startsWith('-----BEGIN ')
        ? await sshIdentity(text, fileName)
        : await ageIdentity(text, line, fileName),
    );
  }
  if (identities.length === 0) throw unusable(fileName, 'it holds no private key');
  return identities;
}

/** The lines that matter; a PEM block is one entry. */
function* entries(fileText: string): Generator<{ line: number; text: string }> {
  let block: { line: number; text: string } | undefined;
  for (const [index, raw] of fileText.split(/\r?\n/).entries()) {
    const text = raw.trim();
    if (block !== undefined) {
      block.text += `${text}\n`;
      if (text.startsWith('-----END ')) {
        yield block;
        block = undefined;
      }
    } else if (text.startsWith('-----BEGIN ')) {
      block = { line: index + 1, text: `${text}\n` };
    } else if (text !== '' && !text.startsWith('#')) {
      yield { line: index + 1, text };
    }
  }
  // a block that is cut off: let the reader of keys say so
  if (block !== undefined) yield block;
}

async function ageIdentity(text: string, line: number, fileName: string): Promise<AgeIdentity> {
  if (text.startsWith('age-encryption.org/')) throw unusable(fileName, 'it is itself encrypted');
  if (text.startsWith('AGE-PLUGIN-'))
    throw unusable(fileName, `line ${line} needs an age plugin, which is not supported`);
  const type: RecipientType = text.startsWith('AGE-SECRET-KEY-PQ-1') ? 'mlkem768x25519' : 'X25519';
  let recipient: string;
  try {
    recipient = await identityToRecipient(text);
  } catch {
    // no cause: the decoder's error quotes the key
    const isPublic = /^(age1|ssh-)/.test(text);
    throw unusable(fileName, `line ${line} is ${isPublic ? 'a public key' : 'no age identity'}`);
  }
  if (type !== 'X25519') return { type, recipient, source: fileName, identity: () => text };
  const scalar = bech32Bytes(text.toLowerCase());
  const identity = ageX25519Identity(scalar);
  scalar.fill(0);
  return { type, recipient, source: fileName, identity: () => identity };
}

async function sshIdentity(pem: string, fileName: string): Promise<AgeIdentity> {
  if (pem.startsWith('-----BEGIN AGE ENCRYPTED FILE')) throw unusable(fileName, 'it is itself encrypted');
  const read = await readPrivateKey(pem);
  if ('problem' in read) throw unusable(fileName, read.problem, read.hint);
  switch (read.key.asymmetricKeyType) {
    case 'ed25519':
      return ed25519FromKey(read.key, fileName);
    case 'rsa':
      return rsaFromKey(read.key, fileName);
    default:
      throw unusable(
        fileName,
        `age cannot use ${read.key.asymmetricKeyType ?? 'such'} keys, only Ed25519 and RSA`,
      );
  }
}

function ed25519FromKey(key: KeyObject, fileName: string): AgeIdentity {
  const { d, x } = key.export({ format: 'jwk' });
  if (d === undefined || x === undefined) throw unusable(fileName, 'its contents are damaged');
  const identity = ed25519Identity(Uint8Array.from(Buffer.from(d, 'base64url')));
  const wire = ed25519Wire(Buffer.from(x, 'base64url'));
  return named('ssh-ed25519', wire, identity, fileName);
}

function rsaFromKey(key: KeyObject, fileName: string): AgeIdentity {
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (bits < minimumRsaBits) {
    throw unusable(fileName, `the key has ${bits} bits, and RSA keys need ${minimumRsaBits} or more`);
  }
  return named('ssh-rsa', rsaPublicWire(key), rsaIdentity(key), fileName);
}

function named(type: RecipientType, wire: Uint8Array, identity: Identity, source: string): AgeIdentity {
  const recipient = `${type} ${Buffer.from(wire).toString('base64')}`;
  return { type, recipient, tag: sshTag(wire), source, identity: () => identity };
}

function unusable(fileName: string, why: string, hint?: string): RotateError {
  return new RotateError('BadConfig', `cannot use the identity file ${fileName}: ${why}`, {
    hint: hint ?? 'an identity file is an SSH private key (Ed25519 or RSA) or the output of age-keygen',
  });
}
