/**
 * SSH public keys: the line in an `.pub` file and the wire encoding inside it (RFC 4253 section 6.6, RFC 8709).
 * Parsed here and strictly, because the tag in an age header is a hash of exactly these bytes.
 */
import { createHash } from 'node:crypto';
import { concat, toBase64 } from './bytes.js';

/** A public key; `wire` is the decoded base64 of its line. */
export type SshPublicKey =
  | { readonly type: 'ssh-ed25519'; readonly wire: Uint8Array; readonly point: Uint8Array }
  | {
      readonly type: 'ssh-rsa';
      readonly wire: Uint8Array;
      readonly exponent: Uint8Array;
      readonly modulus: Uint8Array;
      readonly bits: number;
    };

/** What a line says: the key, or why it is none. `problem` never contains the line. */
export type SshLine = { readonly key: SshPublicKey } | { readonly problem: string };

/** The tag by which an age header names an SSH key: unpadded base64 of the first 4 bytes of SHA-256 over the wire encoding. */
export function sshTag(wire: Uint8Array): string {
  return toBase64(createHash('sha256').update(wire).digest().subarray(0, 4));
}

/** The wire encoding of an Ed25519 public key of 32 bytes. */
export function ed25519Wire(point: Uint8Array): Uint8Array {
  return concat(sshString(Buffer.from('ssh-ed25519')), sshString(point));
}

/** The wire encoding of an RSA public key; both numbers big-endian and unsigned. */
export function rsaWire(exponent: Uint8Array, modulus: Uint8Array): Uint8Array {
  return concat(sshString(Buffer.from('ssh-rsa')), sshString(mpint(exponent)), sshString(mpint(modulus)));
}

/** The line of a key without options and comment: `ssh-ed25519 AAAA…`. */
export function sshKeyText(key: SshPublicKey): string {
  return `${key.type} ${Buffer.from(key.wire).toString('base64')}`;
}

/**
 * Reads a line as in authorized_keys: options (quoted text may hold spaces), type, base64, comment.
 * Leading options and the trailing comment are dropped, as `ssh.ParseAuthorizedKey` does for age.
 */
export function parseSshLine(line: string): SshLine {
  const match =
    /^(?:(?:[^\s"]|"(?:[^"\\]|\\.)*")+[ \t]+)?((?:ssh|ecdsa|sk)-[^\s"]+)[ \t]+([A-Za-z0-9+/]+=*)(?:[ \t].*)?$/.exec(
      line,
    );
  const [, type, base64] = match ?? [];
  if (type === undefined || base64 === undefined) return { problem: 'it is not an SSH public key line' };
  if (type !== 'ssh-ed25519' && type !== 'ssh-rsa') {
    return { problem: `age cannot encrypt to keys of type ${type}, only to ssh-ed25519 and ssh-rsa` };
  }
  const wire = Uint8Array.from(Buffer.from(base64, 'base64'));
  const fields = sshStrings(wire);
  if (fields === undefined || Buffer.from(wire).toString('base64') !== base64) {
    return { problem: 'its base64 text is damaged or cut off' };
  }
  const [name, ...numbers] = fields;
  if (name === undefined || Buffer.from(name).toString('latin1') !== type) {
    return { problem: `it says ${type}, but the key inside is of another type` };
  }
  return type === 'ssh-ed25519' ? ed25519Key(wire, numbers) : rsaKey(wire, numbers);
}

function ed25519Key(wire: Uint8Array, fields: readonly Uint8Array[]): SshLine {
  const [point] = fields;
  if (point?.length !== 32 || fields.length !== 1) return { problem: 'an Ed25519 key has 32 bytes' };
  return { key: { type: 'ssh-ed25519', wire, point } };
}

function rsaKey(wire: Uint8Array, fields: readonly Uint8Array[]): SshLine {
  const [exponent, modulus] = fields.map(unsigned);
  if (!exponent?.length || !modulus?.length || fields.length !== 2) {
    return { problem: 'an RSA key has an exponent and a modulus' };
  }
  // one key, one encoding: another one would have another tag
  if (!Buffer.from(rsaWire(exponent, modulus)).equals(wire))
    return { problem: 'its numbers are not canonical' };
  const bits = modulus.length * 8 - Math.clz32(modulus[0] ?? 0) + 24;
  return { key: { type: 'ssh-rsa', wire, exponent, modulus, bits } };
}

function sshString(bytes: Uint8Array): Uint8Array {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, bytes.length);
  return concat(length, bytes);
}

/** The length-prefixed strings that `wire` consists of; undefined when they do not fill it exactly. */
function sshStrings(wire: Uint8Array): Uint8Array[] | undefined {
  const view = new DataView(wire.buffer, wire.byteOffset, wire.byteLength);
  const fields: Uint8Array[] = [];
  for (let offset = 0; offset < wire.length;) {
    if (offset + 4 > wire.length) return undefined;
    const end = offset + 4 + view.getUint32(offset);
    if (end > wire.length) return undefined;
    fields.push(wire.slice(offset + 4, end));
    offset = end;
  }
  return fields;
}

function unsigned(bytes: Uint8Array): Uint8Array {
  const start = bytes.findIndex((byte) => byte !== 0);
  return start === -1 ? new Uint8Array(0) : bytes.slice(start);
}

/** An mpint is signed: a leading zero byte keeps a set top bit from meaning "negative". */
function mpint(bytes: Uint8Array): Uint8Array {
  return (bytes[0] ?? 0) >= 0x80 ? concat(new Uint8Array(1), bytes) : bytes;
}
