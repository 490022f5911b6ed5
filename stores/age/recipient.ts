/** Recipients: the public keys that a file is encrypted to, as they are written in rules and `.pub` files. */
import { Encrypter, type Recipient } from 'age-encryption';
import { RotateError } from '../../domain/failure.js';
import { ageX25519Recipient } from './age-x25519.js';
import { bech32Bytes, bech32Encode } from './bech32.js';
import { ed25519Recipient, montgomery } from './ssh-ed25519.js';
import { minimumRsaBits, rsaRecipient } from './ssh-rsa.js';
import { parseSshLine, sshKeyText, sshTag } from './ssh-wire.js';

/** The type of the stanza that a recipient leaves in a header. */
export type RecipientType = 'ssh-ed25519' | 'ssh-rsa' | 'X25519' | 'mlkem768x25519';

/** A public key that files are encrypted to. */
export interface AgeRecipient {
  /** The key in its one canonical form, without options and comment. */
  readonly text: string;
  readonly type: RecipientType;
  /** How a header names it; only SSH keys are named, the others are anonymous. */
  readonly tag?: string;
  readonly recipient: Recipient | string;
}

/**
 * Reads one recipient. Blanks around it, authorized_keys options and a comment are allowed.
 *
 * @throws RotateError `BadRecipient` when it is no key, or none that age can encrypt to. The message shows the line
 * (cut short, and never one that looks like a private key).
 */
export function parseRecipient(text: string): AgeRecipient {
  const line = text.trim();
  // before anything quotes it: the most dangerous slip is the private key in the place of the public one
  if (/PRIVATE KEY|AGE-SECRET-KEY-|AGE-PLUGIN-/i.test(line)) {
    throw new RotateError('BadRecipient', 'a private key stands where a public key is expected', {
      hint: 'put the public key there; treat the private key as leaked when it was committed',
    });
  }
  if (line === '') throw bad(line, 'it is empty');
  if (line.includes('\n')) throw bad(line, 'it has more than one line');
  const before = known.get(line);
  if (before !== undefined) return before;
  const recipient = line.startsWith('age1') ? ageRecipient(line) : sshRecipient(line);
  if (known.size >= keptRecipients) known.clear();
  known.set(line, recipient);
  return recipient;
}

/** By their lines: the files of a repo have the same readers, and to check a key takes as long as to encrypt to it. */
const known = new Map<string, AgeRecipient>();
const keptRecipients = 1_000;

/**
 * Reads all recipients of one file.
 *
 * @throws RotateError `BadRecipient` when one is no key, when there is none, or when post-quantum and classic ones are
 * mixed (a classic one would undo what the post-quantum one is for; age refuses it, age-encryption does not check).
 */
export function parseRecipients(texts: readonly string[]): AgeRecipient[] {
  const recipients = texts.map(parseRecipient);
  if (recipients.length === 0) throw new RotateError('BadRecipient', 'there is no recipient to encrypt to');
  const postQuantum = recipients.filter(({ type }) => type === 'mlkem768x25519').length;
  if (postQuantum !== 0 && postQuantum !== recipients.length) {
    throw new RotateError('BadRecipient', 'post-quantum recipients (age1pq1…) are mixed with classic ones', {
      hint: 'give every reader of the file an age1pq1… key, or none',
    });
  }
  return recipients;
}

/**
 * The X25519 recipient (`age1…`) of an `ssh-ed25519` public key line, as the tool ssh-to-age computes it: the
 * Montgomery form of the key.
 *
 * @throws RotateError `BadRecipient` when the line is no Ed25519 key.
 */
export function sshToAge(publicKey: string): string {
  const line = publicKey.trim();
  const parsed = parseSshLine(line);
  if ('problem' in parsed) throw bad(line, parsed.problem);
  const mont = parsed.key.type === 'ssh-ed25519' ? montgomery(parsed.key.point) : undefined;
  if (mont === undefined) throw bad(line, 'only a valid ssh-ed25519 key has an age1… form');
  return bech32Encode('age', mont);
}

function ageRecipient(line: string): AgeRecipient {
  const plugin = /^age1([a-z0-9-]+)1/.exec(line)?.[1];
  if (plugin !== undefined && plugin !== 'pq') {
    throw new RotateError(
      'BadRecipient',
      `${quote(line)} needs the age plugin ${plugin}, which is not supported`,
      {
        hint: 'use an age1…, age1pq1… or SSH key for this reader',
      },
    );
  }
  try {
    new Encrypter().addRecipient(line);
  } catch {
    throw bad(line, 'it is damaged or cut off');
  }
  if (plugin === 'pq') return { text: line, type: 'mlkem768x25519', recipient: line };
  return { text: line, type: 'X25519', recipient: ageX25519Recipient(bech32Bytes(line)) };
}

function sshRecipient(line: string): AgeRecipient {
  const parsed = parseSshLine(line);
  if ('problem' in parsed) throw bad(line, parsed.problem);
  const { key } = parsed;
  const common = { text: sshKeyText(key), type: key.type, tag: sshTag(key.wire) };
  if (key.type === 'ssh-ed25519') {
    const mont = montgomery(key.point);
    if (mont === undefined) throw bad(line, 'it is not a usable point of the curve');
    return { ...common, recipient: ed25519Recipient(key.point, mont) };
  }
  if (key.bits < minimumRsaBits) {
    throw bad(line, `it has ${key.bits} bits, and RSA keys need ${minimumRsaBits} or more`);
  }
  try {
    return { ...common, recipient: rsaRecipient(key.wire, key.exponent, key.modulus) };
  } catch {
    throw bad(line, 'its numbers make no RSA key');
  }
}

function bad(line: string, why: string): RotateError {
  return new RotateError('BadRecipient', `${quote(line)} is no recipient: ${why}`, {
    hint: 'a recipient is the whole line of a .pub file (ssh-ed25519 or ssh-rsa), or an age1… key',
  });
}

/** Enough of the line to find it. What does not even look like a key may be anything, so less of it is shown. */
function quote(line: string): string {
  const shown = line.replaceAll(/[^\x20-\x7e]+/g, ' ');
  if (!/^(ssh-|ecdsa-|sk-|age1)/.test(shown)) return `"${shown.slice(0, 16)}${shown.length > 16 ? '…' : ''}"`;
  return shown.length > 60 ? `"${shown.slice(0, 28)}…${shown.slice(-28)}"` : `"${shown}"`;
}
