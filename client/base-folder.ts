/** The folders of the XDG base directory specification. */
import { homedir } from 'node:os';
import { join } from 'node:path';

/** @param fallback below the home folder, where `variable` is not set or empty */
export function baseFolder(
  env: NodeJS.ProcessEnv,
  variable: 'XDG_CACHE_HOME' | 'XDG_STATE_HOME',
  fallback: string,
): string {
  const named = env[variable];
  return named === undefined || named === '' ? join(env['HOME'] ?? homedir(), fallback) : named;
}
