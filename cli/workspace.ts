/** Where the person stands: the repo with its rotate.yaml. */
import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';

import { findRotateYaml } from '../config/find-file.js';
import { readText } from '../config/read-text.js';
import { RotateError } from '../domain/failure.js';
import type { ConfigSpec } from '../domain/spec.js';
import type { Options } from './command.js';
import type { Context } from './context.js';

export interface Workspace {
  /** Absolute path of rotate.yaml. */
  file: string;
  /** As messages name it: relative to where the person is. */
  name: string;
  /** Root of the repo. */
  root: string;
}

/** @throws RotateError BadConfig where there is no rotate.yaml */
export function requireWorkspace(context: Context, options: Options): Workspace {
  const named = options.text('config');
  if (named === undefined) return workspaceAt(context, findRotateYaml(context.cwd));
  const file = resolve(context.cwd, named);
  if (!existsSync(file))
    throw new RotateError('BadConfig', `there is no file ${named}, which --config names`, {
      hint: 'correct the path',
    });
  if (statSync(file).isDirectory())
    throw new RotateError('BadConfig', `${named}, which --config names, is a folder`, {
      hint: 'name the file in it',
    });
  return workspaceAt(context, { file, root: repoRoot(dirname(file)) });
}

/** Undefined where there is no rotate.yaml and none was named: many commands work without. */
export function findWorkspace(context: Context, options: Options): Workspace | undefined {
  try {
    return requireWorkspace(context, options);
  } catch (error) {
    if (options.text('config') === undefined && error instanceof RotateError && error.type === 'BadConfig')
      return undefined;
    throw error;
  }
}

/** @throws RotateError BadConfig with every mistake of the file */
export async function readConfig({ env }: Context, { file, name }: Workspace): Promise<ConfigSpec> {
  const [text, { openCache }] = await Promise.all([readText(file, name), import('./cache.js')]);
  const cache = openCache<ConfigSpec>('config', file, env);
  const kept = cache.read(text);
  if (kept !== undefined) return kept;
  const { parseRotateYaml } = await import('../config/rotate-yaml.js');
  const config = parseRotateYaml(text, name);
  cache.write(text, config);
  return config;
}

function workspaceAt(context: Context, { file, root }: { file: string; root: string }): Workspace {
  const near = relative(context.cwd, file);
  return {
    file,
    name: near.startsWith('..') ? file : near === '' ? basename(file) : near,
    root,
  };
}

function repoRoot(folder: string): string {
  for (let here = folder; ; here = dirname(here)) {
    if (existsSync(join(here, '.git'))) return here;
    if (dirname(here) === here) return folder;
  }
}
