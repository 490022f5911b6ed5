/**
 * What a clone's files tell without git, which takes longer to start than all else that `rotate list` does. Only of a
 * clone of the plainest kind, whose files can be read in one way; of any other git has to be asked. Formats:
 * gitrepository-layout(5), git-config(1), git-pack-refs(1).
 */
import { readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

import { logBranch } from './ref-name.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** Undefined: there is no such branch. */
interface Tip {
  tip: string | undefined;
}

/**
 * The commit of the log branch in a clone that has no remote.
 * @param root where `.git` is
 * @param env HOME, XDG_CONFIG_HOME and GIT_CONFIG_GLOBAL name the person's configuration of git
 * @returns `tip` undefined: there is no log; undefined: ask git
 */
export function plainLogTip(root: string, env: Environment): Tip | undefined {
  try {
    return readTip(root, `refs/heads/${logBranch}`, env);
  } catch {
    // A file that cannot be read, or a folder in its place: git says it better.
    return undefined;
  }
}

function readTip(root: string, ref: string, env: Environment): Tip | undefined {
  const folder = join(root, '.git');
  if (![root, folder, join(folder, 'objects'), join(folder, 'refs')].every(isOwnFolder)) return undefined;
  const head = read(join(folder, 'HEAD'));
  if (head === undefined || !/^(?:ref: refs\/\S+|[0-9a-f]{40,64})\n$/.test(head)) return undefined;
  const config = read(join(folder, 'config'));
  if (config === undefined || !/^\s*repositoryformatversion = 0$/m.test(config)) return undefined;
  if (![config, ...configsOfPerson(env).map((file) => read(file) ?? '')].every(isPlainConfig))
    return undefined;
  // In this order: packing writes the one before it removes the other.
  const loose = read(join(folder, ref));
  if (loose !== undefined) return /^[0-9a-f]{40,64}\n$/.test(loose) ? { tip: loose.trimEnd() } : undefined;
  const line = read(join(folder, 'packed-refs'))
    ?.split('\n')
    .find((each) => each.endsWith(` ${ref}`));
  return { tip: line?.slice(0, line.indexOf(' ')) };
}

/** Git reads no repository that is somebody else's; in a worktree and a submodule `.git` is a file. */
function isOwnFolder(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  return found?.isDirectory() === true && found.uid === process.geteuid?.();
}

/** Of the system, and of the person. */
function configsOfPerson(env: Environment): string[] {
  const named = env['GIT_CONFIG_GLOBAL'];
  const home = env['HOME'] ?? homedir();
  const own =
    named === undefined
      ? [join(home, '.gitconfig'), join(env['XDG_CONFIG_HOME'] || join(home, '.config'), 'git', 'config')]
      : [named];
  return ['/etc/gitconfig', ...own];
}

/** Settings on a line each, and none that names a remote, other files, or another way to keep a repository. */
function isPlainConfig(text: string): boolean {
  return text.split('\n').every((line) => {
    const [, section] = /^\s*\[([A-Za-z][\w-]*)(?: "[^"\\]*")?\]\s*$/.exec(line) ?? [];
    if (section !== undefined) return !/^(?:branch|extensions|include|includeif|remote)$/i.test(section);
    return /^\s*(?:[#;].*|[A-Za-z][\w-]*(?:\s*=.*)?)?(?<!\\)$/.test(line);
  });
}

/** Undefined when there is no such file. */
function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
