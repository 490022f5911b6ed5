/**
 * Commits made from git's plumbing: no working tree, no index of anybody's, no
 * filter between the ciphertext and the blob. The same input gives the same commit,
 * so that an attempt that is made twice does not make two.
 */
import { createHash, randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { RotateError } from '../domain/failure.js';
import { formatSecretRef, type SecretRef } from '../domain/spec.js';
import type { Clone } from './clone.js';
import { gitText } from './git.js';
import { entriesAt } from './objects.js';
import { assertCommit, assertRepoPath } from './repo-path.js';

/** Author and committer alike. */
export interface Signature {
  name: string;
  email: string;
  /** Fixed by the caller for all attempts (whole seconds count). */
  date: Date;
}

export interface CommitOptions {
  /** The parent; absent: a commit without history. */
  base?: string;
  /** Bytes by path, relative to the root; undefined removes the file. A file keeps its mode. */
  files: Readonly<Record<string, Uint8Array | undefined>>;
  message: string;
  author: Signature;
  /** Only an object: never signed, never to be pushed. */
  trial?: boolean;
  signal?: AbortSignal;
}

/** Trailers by which a rotation recognises its own commits. */
export const trailers = { id: 'Rotate-Id', plan: 'Rotate-Plan', undo: 'Rotate-Undo', fence: 'Rotate-Fence' };

/** `rotate: prod/db-password` and the trailers of a rotation's commit. */
export function rotationMessage(
  rotationId: string,
  secrets: readonly SecretRef[],
  planDigest: string,
): string {
  const subject = `rotate: ${oneLine(secrets.map(formatSecretRef).join(', '))}`;
  return `${subject}\n\n${trailers.id}: ${oneLine(rotationId)}\n${trailers.plan}: ${oneLine(planDigest)}\n`;
}

/** The commit that takes a rotation back. */
export function undoMessage(rotationId: string, secrets: readonly SecretRef[]): string {
  const subject = `rotate: undo ${oneLine(secrets.map(formatSecretRef).join(', '))}`;
  return `${subject}\n\n${trailers.undo}: ${oneLine(rotationId)}\n`;
}

/** For messages: a name cannot smuggle in a trailer. */
export function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ');
}

/**
 * Makes a commit and keeps it from gc with a ref of the clone's own; pushes nothing.
 * @returns the id of the commit; of the one made before where the same was asked for (a signature may
 *   differ each time)
 * @throws RotateError BadConfig for a path that is or goes through a link or a submodule
 */
export async function commitFiles(clone: Clone, options: CommitOptions): Promise<string> {
  const { base, files, message, author } = options;
  const signal = options.signal === undefined ? {} : { signal: options.signal };
  const paths = Object.keys(files).sort();
  if (base !== undefined) assertCommit(base);
  paths.forEach(assertRepoPath);

  const keep = `refs/rotate-local/${options.trial === true ? 'trial' : 'commits'}/${digest(options)}`;
  const before = await clone.resolve(keep);
  if (before !== undefined) return before;

  const modes = base === undefined ? new Map<string, string>() : await modesAt(clone, base, paths);
  const index = join(clone.stateDir, 'tmp', `index-${randomUUID()}`);
  const variables = { GIT_INDEX_FILE: index };
  try {
    await clone.git({ args: ['read-tree', base ?? '--empty'], variables, ...signal });
    const lines: string[] = [];
    for (const path of paths) {
      const bytes = files[path];
      if (bytes === undefined) lines.push(`0 ${'0'.repeat(base?.length ?? 40)}\t${path}\0`);
      else lines.push(`${modes.get(path) ?? '100644'} ${await writeBlob(clone, bytes)}\t${path}\0`);
    }
    await clone.git({
      args: ['update-index', '-z', '--index-info'],
      input: lines.join(''),
      variables,
      ...signal,
    });
    const tree = await gitText(clone.git, { args: ['write-tree'], variables, ...signal });
    const sign = options.trial !== true && (await isSigning(clone));
    const commit = await commitTree(clone, tree, base, message, author, { sign, ...signal });
    await clone.git({ args: ['update-ref', keep, commit], ...signal });
    return commit;
  } finally {
    await rm(index, { force: true });
    await rm(`${index}.lock`, { force: true });
  }
}

/** The id that `bytes` have as a file in git, written to the clone. */
export async function writeBlob(clone: Clone, bytes: Uint8Array): Promise<string> {
  return gitText(clone.git, { args: ['hash-object', '-w', '--no-filters', '--stdin'], input: bytes });
}

/** A commit of `tree` on `parent`. */
export async function commitTree(
  clone: Clone,
  tree: string,
  parent: string | undefined,
  message: string,
  author: Signature,
  options: { sign: boolean; signal?: AbortSignal },
): Promise<string> {
  const date = `@${Math.floor(author.date.getTime() / 1000)} +0000`;
  return gitText(clone.git, {
    args: [
      'commit-tree',
      options.sign ? '--gpg-sign' : '--no-gpg-sign',
      ...(parent === undefined ? [] : ['-p', parent]),
      tree,
    ],
    input: message,
    variables: {
      GIT_AUTHOR_NAME: author.name,
      GIT_AUTHOR_EMAIL: author.email,
      GIT_AUTHOR_DATE: date,
      GIT_COMMITTER_NAME: author.name,
      GIT_COMMITTER_EMAIL: author.email,
      GIT_COMMITTER_DATE: date,
    },
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
}

/** Whether git is configured to sign commits (`commit.gpgSign`). */
export async function isSigning(clone: Clone): Promise<boolean> {
  const { stdout } = await clone.git({
    args: ['config', '--type=bool', '--get', 'commit.gpgSign'],
    accept: [0, 1],
  });
  return stdout.toString('utf8').trim() === 'true';
}

async function modesAt(clone: Clone, base: string, paths: readonly string[]): Promise<Map<string, string>> {
  const parents = paths.flatMap((path) => {
    const parts = path.split('/');
    return parts.slice(0, -1).map((_, i) => parts.slice(0, i + 1).join('/'));
  });
  const entries = await entriesAt(clone.git, base, [...new Set([...paths, ...parents])]);
  for (const { path, mode, type } of entries.values()) {
    const good = parents.includes(path) ? type === 'tree' : type === 'blob' && mode !== '120000';
    if (!good)
      throw new RotateError(
        'BadConfig',
        `${path} is a link, a submodule or of the wrong sort, and not written to`,
        {
          hint: 'name the file itself, under its real path',
        },
      );
  }
  return new Map([...entries.values()].map(({ path, mode }) => [path, mode]));
}

/** Of all that makes the commit what it is. */
function digest(options: CommitOptions): string {
  const hash = createHash('sha256');
  const add = (part: string | Uint8Array) => {
    hash.update(`${part.length} `);
    hash.update(part);
  };
  const { name, email, date } = options.author;
  for (const part of [
    options.base ?? '',
    options.message,
    name,
    email,
    String(Math.floor(date.getTime() / 1000)),
  ])
    add(Buffer.from(part));
  for (const path of Object.keys(options.files).sort()) {
    const bytes = options.files[path];
    add(Buffer.from(path));
    add(Buffer.from(bytes === undefined ? 'removed' : 'written'));
    add(bytes ?? '');
  }
  return hash.digest('hex');
}
