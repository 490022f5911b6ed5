/** SSH private keys in the forms in which they lie on disks: OpenSSH's own, legacy PEM and PKCS#8. */
import { createPrivateKey, type KeyObject } from 'node:crypto';

/** The key, or why it cannot be read. `problem` never contains key material. */
export type PrivateKeyResult =
  | { readonly key: KeyObject }
  | { readonly problem: string; readonly hint?: string };

const locked: PrivateKeyResult = {
  problem: 'it is protected by a passphrase, and nobody is there to type it',
  hint: 'make an unprotected key for the worker (ssh-keygen or age-keygen), readable by its user alone',
};

/**
 * Reads one PEM block, from its BEGIN line to its END line.
 *
 * Errors of the parsers are not passed on: some quote what they could not read.
 */
export async function readPrivateKey(pem: string): Promise<PrivateKeyResult> {
  const label = /^-----BEGIN ([A-Z0-9 ]+)-----/.exec(pem)?.[1] ?? '';
  if (label === 'ENCRYPTED PRIVATE KEY' || /^Proc-Type:.*ENCRYPTED/m.test(pem)) return locked;
  if (!label.endsWith('PRIVATE KEY')) return { problem: `a ${label} block is no private key` };
  if (label !== 'OPENSSH PRIVATE KEY') return toKeyObject(pem);
  if (isLockedOpenSsh(pem)) return locked;
  // It takes longer to load than to read a key.
  const { default: ssh2 } = await import('ssh2');
  // types and behaviour differ: a container of several keys comes back as an array
  const parsed: unknown = ssh2.utils.parseKey(pem);
  const [first] = Array.isArray(parsed) ? parsed : [parsed];
  return isParsedKey(first) ? toKeyObject(first.getPrivatePEM()) : { problem: 'its contents are damaged' };
}

function toKeyObject(pem: string): PrivateKeyResult {
  try {
    return { key: createPrivateKey(pem) };
  } catch {
    return { problem: 'its contents are damaged' };
  }
}

/** OpenSSH's container names its cipher right after the magic: `openssh-key-v1\0`, then a string. */
function isLockedOpenSsh(pem: string): boolean {
  const body = Buffer.from(pem.replaceAll(/-----[^-]*-----/g, ''), 'base64');
  return body.length > 19 && body.subarray(19, 19 + body.readUInt32BE(15)).toString('latin1') !== 'none';
}

function isParsedKey(value: unknown): value is { getPrivatePEM(): string } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'getPrivatePEM' in value &&
    typeof value.getPrivatePEM === 'function'
  );
}
