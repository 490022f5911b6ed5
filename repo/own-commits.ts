/** Finds in the main branch's history what a rotation did there. */
import type { Clone } from './clone.js';
import { trailers } from './commit.js';
import { gitText } from './git.js';
import { assertCommit, assertRepoPath } from './repo-path.js';

export interface OwnCommit {
  sha: string;
  sort: 'rotation' | 'undo';
}

/**
 * Commits after `since` whose message names the rotation, newest first. A squash merge keeps the lines
 * somewhere in its message, a plain one at the end.
 */
export async function ownCommits(
  clone: Clone,
  rotationId: string,
  since: string,
  tip: string,
): Promise<OwnCommit[]> {
  assertCommit(since);
  assertCommit(tip);
  const text = await gitText(clone.git, {
    args: ['log', '-z', '--no-show-signature', '--topo-order', '--format=%H%n%B', '--fixed-strings'].concat([
      `--grep=: ${rotationId}`,
      tip,
      `^${since}`,
      '--',
    ]),
  });
  const found: OwnCommit[] = [];
  for (const message of text.split('\0')) {
    const [sha = '', ...lines] = message.split('\n').map((line) => line.trim());
    if (lines.includes(`${trailers.undo}: ${rotationId}`)) found.push({ sha, sort: 'undo' });
    else if (lines.includes(`${trailers.id}: ${rotationId}`)) found.push({ sha, sort: 'rotation' });
  }
  return found;
}

/** Ids of every blob that `path` has been changed to after `since`, merges included. */
export async function blobsSince(
  clone: Clone,
  path: string,
  since: string,
  tip: string,
): Promise<Set<string>> {
  assertRepoPath(path);
  assertCommit(since);
  assertCommit(tip);
  const text = await gitText(clone.git, {
    args: ['log', '-m', '--format=', '--raw', '--no-abbrev', '--no-renames', tip, `^${since}`, '--', path],
  });
  return new Set([...text.matchAll(/^:\d+ \d+ [0-9a-f]+ ([0-9a-f]+) /gm)].map((match) => match[1] ?? ''));
}
