/** Where rotate keeps what it must remember on a host, and how names become file names there. */
import { RotateError } from '../domain/failure.js';

/** Private to root; survives reboots. */
export const stateDirectory = '/var/lib/rotate';

/** The profile that NixOS boots and `nixos-rebuild` sets. */
export const systemProfile = '/nix/var/nix/profiles/system';

/** A store path of a system, and nothing else. @throws RotateError Internal */
export function assertStorePath(path: string): string {
  if (!/^\/nix\/store\/[0-9a-df-np-sv-z]{32}-[A-Za-z0-9+._?=-]+$/.test(path))
    throw new RotateError('Internal', `${JSON.stringify(path)} is not a store path`);
  return path;
}

/** An id that may stand in a unit's name and in a path. @throws RotateError Internal */
export function assertId(id: string): string {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/.test(id) || id.includes('..'))
    throw new RotateError('Internal', `${JSON.stringify(id)} cannot be the id of a job`);
  return id;
}

/** `name` as a file name: percent-encoded, so that it holds no slash and does not start with a dot. */
export function encodeName(name: string): string {
  return encodeURIComponent(name).replace(
    /[!'()*~]|^\./g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Takes {@link encodeName} back; undefined for what it would not have made. */
export function decodeName(encoded: string): string | undefined {
  try {
    const name = decodeURIComponent(encoded);
    return encodeName(name) === encoded ? name : undefined;
  } catch {
    return undefined; // a stray file: not percent-encoded
  }
}

/** Lines `key=value` as a map; the last one of a key counts. */
export function keyValues(text: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const at = line.indexOf('=');
    if (at > 0) values.set(line.slice(0, at), line.slice(at + 1));
  }
  return values;
}

/** Words of a list that a script printed. */
export function words(text: string | undefined): string[] {
  return (text ?? '').split(/\s+/).filter((word) => word !== '');
}
