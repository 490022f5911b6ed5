/** The version, from package.json. */
import { readFileSync } from 'node:fs';

import { packageFile } from './package-file.js';

export function version(): string {
  const found = packageFile('package.json');
  if (found === undefined) return 'unknown';
  const manifest: unknown = JSON.parse(readFileSync(found, 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : 'unknown';
}
