/** The version: what the build found in package.json, or what stands there now. */
import { readFileSync } from 'node:fs';

import { isObject } from '../domain/is-object.js';
import { packageFile } from './package-file.js';

/** Replaced by the build. */
declare const ROTATE_VERSION: string | undefined;

export function version(): string {
  if (typeof ROTATE_VERSION === 'string') return ROTATE_VERSION;
  const found = packageFile('package.json');
  if (found === undefined) return 'unknown';
  const manifest: unknown = JSON.parse(readFileSync(found, 'utf8'));
  return isObject(manifest) && typeof manifest['version'] === 'string' ? manifest['version'] : 'unknown';
}
