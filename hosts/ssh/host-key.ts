/** Decides which host keys are accepted from a host. Nothing is ever accepted because it is new. */
import { createHash } from 'node:crypto';
import type { ServerHostKeyAlgorithm } from 'ssh2';
import { RotateError } from '../../domain/failure.js';
import type { HostSpec } from '../../domain/spec.js';
import { lookUpKnownHosts, parseHostKey } from './known-hosts.js';
import type { HostKey } from './known-hosts.js';

export interface TrustedKeys {
  keys: readonly HostKey[];
  revoked: readonly HostKey[];
  /** What the server is asked for: only types that can be checked, so that it shows a key that is pinned. */
  algorithms: ServerHostKeyAlgorithm[];
  /** Where they come from, for messages. */
  source: string;
}

/** `SHA256:…`, as ssh-keygen -l prints it. */
export function fingerprint(blob: Buffer): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

/**
 * The keys that `host` may show.
 * @param knownHosts text of the known_hosts file, when the worker has one
 * @throws RotateError HostKeyMismatch when none is pinned or known; BadConfig when the pinned one cannot be read
 */
export function trustedKeys(
  host: HostSpec,
  knownHosts: { path: string; text: string } | undefined,
): TrustedKeys {
  if (host.hostKey !== undefined) {
    const key = parseHostKey(host.hostKey);
    if (key === undefined || algorithmsFor(key.type).length === 0)
      throw new RotateError('BadConfig', `hostKey of ${host.name} is not a public key that can be checked`, {
        host: host.name,
        hint: 'write it as in /etc/ssh/ssh_host_ed25519_key.pub, e.g. ssh-ed25519 AAAA…',
      });
    return {
      keys: [key],
      revoked: [],
      algorithms: algorithmsFor(key.type),
      source: 'hostKey in rotate.yaml',
    };
  }
  const known = lookUpKnownHosts(knownHosts?.text ?? '', host.address, host.port);
  const revoked = new Set(known.revoked.map((key) => key.blob.toString('base64')));
  const keys = known.trusted.filter(
    (key) => algorithmsFor(key.type).length > 0 && !revoked.has(key.blob.toString('base64')),
  );
  const where = knownHosts === undefined ? 'no known_hosts file is configured' : `not in ${knownHosts.path}`;
  if (keys.length === 0)
    throw new RotateError(
      'HostKeyMismatch',
      `the host key of ${host.name} (${host.address}) is unknown: ${where}`,
      {
        host: host.name,
        hint: known.authority
          ? 'host certificates are not supported; pin hostKey in rotate.yaml'
          : 'pin hostKey in rotate.yaml after checking it on the host: cat /etc/ssh/ssh_host_ed25519_key.pub',
      },
    );
  return {
    keys,
    revoked: known.revoked,
    algorithms: [...new Set(keys.flatMap((key) => algorithmsFor(key.type)))],
    source: knownHosts?.path ?? 'known_hosts',
  };
}

/** Whether `blob`, as shown by the server, is one of the trusted ones. */
export function isTrusted(blob: Buffer, trusted: TrustedKeys): boolean {
  return (
    !trusted.revoked.some((key) => key.blob.equals(blob)) && trusted.keys.some((key) => key.blob.equals(blob))
  );
}

/** The error for a server that shows `shown` (absent: none of the types that are pinned). */
export function mismatch(host: HostSpec, trusted: TrustedKeys, shown: Buffer | undefined): RotateError {
  const expected = trusted.keys.map((key) => `${key.type} ${fingerprint(key.blob)}`).join(' or ');
  const got = shown === undefined ? 'no key of that type' : fingerprint(shown);
  return new RotateError(
    'HostKeyMismatch',
    `${host.name} (${host.address}:${host.port}) shows host key ${got}, expected ${expected} (${trusted.source})`,
    {
      host: host.name,
      hint: 'someone may be in between; if the host was set up anew, check its key there and pin the new one',
    },
  );
}

/** SHA-1 signatures (`ssh-rsa`) and DSA are not asked for. */
function algorithmsFor(type: string): ServerHostKeyAlgorithm[] {
  switch (type) {
    case 'ssh-ed25519':
    case 'ecdsa-sha2-nistp256':
    case 'ecdsa-sha2-nistp384':
    case 'ecdsa-sha2-nistp521':
      return [type];
    case 'ssh-rsa':
      return ['rsa-sha2-512', 'rsa-sha2-256'];
    default:
      return [];
  }
}
