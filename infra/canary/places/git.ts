/** A git repository: all of its objects, and its other files (refs, configuration, reflogs, the index, messages). */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { join } from 'node:path';
import { Inspector } from '../inspector.js';
import type { Place } from '../place.js';
import { searchObjects } from '../git-objects.js';
import { searchTree } from '../walk.js';

/** The git folder of a bare repository, a checkout or a linked worktree. */
async function gitFolder(path: string): Promise<string> {
  const dot = join(path, '.git');
  if (!existsSync(dot)) return path;
  const link = await readFile(dot, 'utf8').catch(() => '');
  return /^gitdir: (.+)$/m.exec(link)?.[1] ?? dot;
}

async function hashObject(gitDir: string, type: string, content: string): Promise<string> {
  const git = spawn(
    'git',
    ['-c', 'safe.directory=*', `--git-dir=${gitDir}`, 'hash-object', '-w', '-t', type, '--stdin'],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const ended = once(git, 'close');
  git.stdin.end(content);
  const [id] = await git.stdout.setEncoding('utf8').toArray();
  const [code] = await ended;
  if (code !== 0 || typeof id !== 'string') throw new Error(`git cannot write to ${gitDir}`);
  return id.trim();
}

/**
 * The repository at `path`, bare or not; its checked out files are searched as well. The decoy becomes a blob and
 * the message of a commit that no ref leads to.
 */
export function gitPlace(name: string, path: string): Place {
  const loose: string[] = [];
  return {
    name,
    async search(needles, signal) {
      const inspector = new Inspector(needles, signal);
      const gitDir = await gitFolder(path);
      await searchObjects(inspector, gitDir);
      for (const tree of new Set([path, gitDir]))
        await searchTree(inspector, tree, { exclude: [join(gitDir, 'objects')] });
      return inspector.hits;
    },
    async plant(decoy) {
      const gitDir = await gitFolder(path);
      const blob = await hashObject(gitDir, 'blob', `password=${decoy}\n`);
      const tree = await hashObject(gitDir, 'tree', '');
      const commit = await hashObject(
        gitDir,
        'commit',
        `tree ${tree}\nauthor canary <canary@invalid> 0 +0000\ncommitter canary <canary@invalid> 0 +0000\n\nset ${decoy}\n`,
      );
      loose.push(...[blob, commit].map((id) => join(gitDir, 'objects', id.slice(0, 2), id.slice(2))));
      return [`blob ${blob}`, `commit ${commit}`];
    },
    async clean() {
      for (const file of loose.splice(0)) await rm(file, { force: true });
    },
  };
}
