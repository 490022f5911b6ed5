/** Searches every object of a git repository, reachable or not, packed or loose, unpacked by git itself. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Inspector, Sink } from './inspector.js';

/**
 * Searches the objects of `gitDir` (a bare repository or a `.git`).
 * @throws Error when git cannot read all of them
 */
export async function searchObjects(inspector: Inspector, gitDir: string, label = gitDir): Promise<void> {
  const git = spawn(
    'git',
    // Repositories of other users are read, too, and nothing of them is run.
    [
      '-c',
      'safe.directory=*',
      `--git-dir=${gitDir}`,
      'cat-file',
      '--batch-all-objects',
      '--batch',
      '--unordered',
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, GIT_NO_LAZY_FETCH: '1' } },
  );
  const ended = once(git, 'close');
  let complaint = '';
  git.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(0, 2000);
  });
  await searchBatch(inspector, git.stdout, label);
  const [code] = await ended;
  if (code !== 0) throw new Error(`git cannot read the objects of ${gitDir}: ${complaint.trim()}`);
}

/** Parses `cat-file --batch`: `<id> <type> <size>`, a line end, the content, a line end. */
async function searchBatch(
  inspector: Inspector,
  output: AsyncIterable<Buffer>,
  label: string,
): Promise<void> {
  let header = Buffer.alloc(0);
  let sink: Sink | undefined;
  let left = 0;
  for await (const chunk of output) {
    let at = 0;
    while (at < chunk.length) {
      if (sink === undefined) {
        const end = chunk.indexOf(10, at);
        header = Buffer.concat([header, chunk.subarray(at, end === -1 ? undefined : end)]);
        if (end === -1) break;
        at = end + 1;
        const match = /^([0-9a-f]+) (\w+) (\d+)$/.exec(header.toString('latin1'));
        if (match === null) throw new Error(`git lists an object of ${label} that it cannot read`);
        header = Buffer.alloc(0);
        sink = inspector.open(`${label}, ${match[2] ?? ''} ${match[1] ?? ''}`);
        left = Number(match[3]);
      }
      if (left > 0) {
        const part = chunk.subarray(at, at + left);
        await sink.push(part);
        at += part.length;
        left -= part.length;
        if (left > 0) continue;
      }
      if (at >= chunk.length) break;
      at += 1; // the line end after the content
      await sink.end();
      sink = undefined;
    }
  }
  if (sink !== undefined) await sink.end();
}
