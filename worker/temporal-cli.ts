/** Finds the Temporal CLI, whose `server start-dev` is the embedded server. */
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';

import { baseFolder } from '../client/base-folder.js';
import { RotateError } from '../domain/failure.js';

/**
 * In this order: `configured`, $ROTATE_TEMPORAL_CLI, `temporal` on PATH, the wheel that `npm run setup` puts into
 * rotate's cache (tools/bin). The first two are binding: if they name nothing that runs, that is an error.
 * @throws RotateError BadConfig
 */
export async function findTemporalCli(
  configured?: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  const named = configured ?? env['ROTATE_TEMPORAL_CLI'];
  if (named !== undefined && named !== '') {
    if (await executable(named)) return named;
    throw new RotateError('BadConfig', `${named} is not an executable Temporal CLI`, {
      hint: 'correct or unset ROTATE_TEMPORAL_CLI',
    });
  }
  const candidates = [
    ...(env['PATH'] ?? '')
      .split(delimiter)
      .filter((folder) => isAbsolute(folder))
      .map((folder) => join(folder, 'temporal')),
    join(cacheFolder(env), 'tools', 'bin', 'temporal'),
  ];
  for (const candidate of candidates) if (await executable(candidate)) return candidate;
  throw new RotateError('BadConfig', 'the Temporal CLI, which has the embedded server, is not installed', {
    hint: 'run `npm run setup`, or install it (https://docs.temporal.io/cli), or set TEMPORAL_ADDRESS to a server that runs',
  });
}

/** `${ROTATE_CACHE:-${XDG_CACHE_HOME:-~/.cache}/rotate}`, as infra/setup.sh has it. */
function cacheFolder(env: NodeJS.ProcessEnv): string {
  const own = env['ROTATE_CACHE'];
  if (own !== undefined && own !== '') return own;
  return join(baseFolder(env, 'XDG_CACHE_HOME', '.cache'), 'rotate');
}

async function executable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
