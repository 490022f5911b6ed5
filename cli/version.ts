/** The version, from package.json: beside the sources, or above dist/. */
import { existsSync, readFileSync } from 'node:fs';

export function version(): string {
  const found = ['../package.json', '../../package.json']
    .map((path) => new URL(path, import.meta.url))
    .find((url) => existsSync(url));
  if (found === undefined) return 'unknown';
  const manifest: unknown = JSON.parse(readFileSync(found, 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : 'unknown';
}
