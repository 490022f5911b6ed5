/**
 * Where `rotate dev` keeps what it makes, so that the command line finds it without
 * being told: keys, worker.yaml, temporal.toml (the address of the embedded server).
 */
import { createHash } from 'node:crypto';
import { existsSync, realpathSync } from 'node:fs';
import { basename, join } from 'node:path';

import { baseFolder } from './base-folder.js';

export interface DevState {
  /** `$XDG_STATE_HOME/rotate/<repo>-<8 hex of its path's SHA-256>`, so that two clones do not share it. */
  folder: string;
  identityFile: string;
  codecKeyFile: string;
  workerConfig: string;
  /** Written when the embedded server serves; read as `temporal.toml`. */
  temporalConfig: string;
  databaseFile: string;
}

/** @param repo the root of the repo that holds rotate.yaml */
export function devState(repo: string, env: NodeJS.ProcessEnv = process.env): DevState {
  const root = realpathSync(repo);
  const tag = createHash('sha256').update(root).digest('hex').slice(0, 8);
  const base = baseFolder(env, 'XDG_STATE_HOME', '.local/state');
  const folder = join(base, 'rotate', `${basename(root)}-${tag}`);
  return {
    folder,
    identityFile: join(folder, 'identity.txt'),
    codecKeyFile: join(folder, 'codec.key'),
    workerConfig: join(folder, 'worker.yaml'),
    temporalConfig: join(folder, 'temporal.toml'),
    databaseFile: join(folder, 'temporal.db'),
  };
}

/**
 * The codec key files to use, newest first: the flag, $ROTATE_CODEC_KEY_FILE (several with `:`), what the worker's
 * configuration names, or what `rotate dev` made.
 */
export function codecKeyFiles(options: {
  flag?: readonly string[];
  configured?: readonly string[];
  dev?: DevState;
  env?: NodeJS.ProcessEnv;
}): readonly string[] {
  const { flag = [], configured = [], dev, env = process.env } = options;
  if (flag.length > 0) return flag;
  const named = (env['ROTATE_CODEC_KEY_FILE'] ?? '').split(':').filter((path) => path !== '');
  if (named.length > 0) return named;
  if (configured.length > 0) return configured;
  return dev !== undefined && existsSync(dev.codecKeyFile) ? [dev.codecKeyFile] : [];
}
