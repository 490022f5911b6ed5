/** Connects a command to Temporal, with the codec key and the address that belong to where the person stands. */
import { existsSync } from 'node:fs';

import { codecKeyFiles, devState, type DevState } from '../client/dev-state.js';
import type { OpenOptions } from '../client/open.js';
import type { Session } from '../client/session.js';
import { findWorkerYaml, workerFileDefault } from '../config/find-file.js';
import { RotateError } from '../domain/failure.js';
import type { Invocation } from './command.js';
import { findWorkspace, type Workspace } from './workspace.js';

export interface OpenSession extends Session {
  workspace: Workspace | undefined;
}

/**
 * Connects, runs `work` and disconnects.
 * @throws RotateError BadConfig (no key, wrong temporal.toml), TemporalUnreachable, NotAllowed
 */
export async function withSession<T>(
  invocation: Invocation,
  work: (session: OpenSession) => Promise<T>,
): Promise<T> {
  const workspace = findWorkspace(invocation.context, invocation.options);
  return inSession(workspace, await sessionOptions(invocation, workspace), work);
}

/** As {@link withSession}, for who has found out already with what. */
export async function inSession<T>(
  workspace: Workspace | undefined,
  openOptions: OpenOptions,
  work: (session: OpenSession) => Promise<T>,
): Promise<T> {
  const { openSession } = await import('../client/open.js');
  const session = await openSession(openOptions);
  try {
    return await work({ ...session, workspace });
  } finally {
    await session.close();
  }
}

/** @throws RotateError BadConfig when nothing names a key */
export async function sessionOptions(
  { context, options }: Pick<Invocation, 'context' | 'options'>,
  workspace = findWorkspace(context, options),
): Promise<OpenOptions> {
  const { env, signal } = context;
  const flag = options.list('codec-key');
  if (workspace === undefined) return { keyFiles: await keyFiles({ flag, env }), env, signal };
  const dev = devState(workspace.root, env);
  return { keyFiles: await keyFiles({ flag, env, dev }), env, signal, devConfig: dev.temporalConfig };
}

async function keyFiles(named: {
  flag: readonly string[];
  env: NodeJS.ProcessEnv;
  dev?: DevState;
}): Promise<readonly string[]> {
  const files = codecKeyFiles(named);
  if (files.length > 0) return files;
  // On the worker's own machine its configuration names the keys.
  if ((named.env['ROTATE_WORKER_CONFIG'] ?? '') !== '' || existsSync(workerFileDefault)) {
    const { loadWorkerYaml } = await import('../config/worker-yaml.js');
    const { codecKeys } = await loadWorkerYaml(findWorkerYaml(undefined, named.env));
    return codecKeyFiles({ ...named, configured: codecKeys });
  }
  throw new RotateError('BadConfig', 'no codec key: the worker would not believe this command line', {
    hint: 'name the key file with --codec-key or ROTATE_CODEC_KEY_FILE, or run `rotate dev` in the repo for a try',
  });
}
