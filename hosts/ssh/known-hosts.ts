/** Reads OpenSSH's known_hosts (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"): which keys a host is known by. */
import { createHmac } from 'node:crypto';

export interface KnownKeys {
  /** Keys that the host may show. */
  trusted: HostKey[];
  /** Keys that must not be accepted from anyone (`@revoked`). */
  revoked: HostKey[];
  /** Whether a certificate authority is named for it, which this program cannot check. */
  authority: boolean;
}

export interface HostKey {
  /** e.g. `ssh-ed25519`. */
  type: string;
  /** The public key in SSH's wire format. */
  blob: Buffer;
}

/**
 * Reads `ssh-ed25519 AAAA… [comment]`; undefined when it is not a public key. The type inside the blob has to be
 * the one that is written before it.
 */
export function parseHostKey(text: string): HostKey | undefined {
  const [type, base64] = text.trim().split(/\s+/);
  if (type === undefined || base64 === undefined || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return undefined;
  const blob = Buffer.from(base64, 'base64');
  if (blob.length < 4 || blob.readUInt32BE(0) + 4 > blob.length) return undefined;
  const inside = blob.subarray(4, 4 + blob.readUInt32BE(0)).toString('latin1');
  return inside === type ? { type, blob } : undefined;
}

/**
 * Keys for `address:port` in the text of a known_hosts file. As ssh does, an entry without a port counts for
 * another port when there is none for `[address]:port`.
 */
export function lookUpKnownHosts(text: string, address: string, port: number): KnownKeys {
  const exact = lookUp(text, port === 22 ? address : `[${address}]:${port}`);
  if (port === 22 || exact.trusted.length > 0) return exact;
  const bare = lookUp(text, address);
  return { ...bare, revoked: [...exact.revoked, ...bare.revoked] };
}

function lookUp(text: string, name: string): KnownKeys {
  const found: KnownKeys = { trusted: [], revoked: [], authority: false };
  for (const line of text.split('\n')) {
    const fields = line.trim().split(/\s+/);
    if (fields[0] === undefined || fields[0] === '' || fields[0].startsWith('#')) continue;
    const marker = fields[0].startsWith('@') ? fields.shift() : undefined;
    const [names, ...rest] = fields;
    if (names === undefined || !matchesHost(names, name.toLowerCase())) continue;
    if (marker === '@cert-authority') {
      found.authority = true;
      continue;
    }
    const key = parseHostKey(rest.join(' '));
    if (key === undefined) continue;
    if (marker === undefined) found.trusted.push(key);
    else if (marker === '@revoked') found.revoked.push(key);
  }
  return found;
}

/** Whether the first field of an entry (a list of patterns, or one hashed name) names `host`. */
function matchesHost(field: string, host: string): boolean {
  if (field.startsWith('|')) {
    const [, version, salt, hash] = field.split('|');
    if (version !== '1' || salt === undefined || hash === undefined) return false;
    return createHmac('sha1', Buffer.from(salt, 'base64')).update(host).digest('base64') === hash;
  }
  let matched = false;
  for (const pattern of field.split(',')) {
    const negated = pattern.startsWith('!');
    if (!wildcard(negated ? pattern.slice(1) : pattern).test(host)) continue;
    if (negated) return false;
    matched = true;
  }
  return matched;
}

function wildcard(pattern: string): RegExp {
  const source = pattern
    .toLowerCase()
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replace(/\?/g, '.');
  return new RegExp(`^${source}$`);
}
