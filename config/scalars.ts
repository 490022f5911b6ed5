/** Values that both configuration files have: names, durations, paths. Each says what it wants and what to do. */
import { posix } from 'node:path';
import { z } from 'zod';
import { durationPattern, parseDuration } from '../domain/duration.js';

/** Names of secrets, hosts, environments, policies and tags: they stand in ids, refs and file names. */
export const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
export const nameHint = 'use letters, digits, `.`, `_` and `-`, beginning with a letter or a digit';

export const nameSchema = z
  .string()
  .refine((name) => namePattern.test(name), {
    error: (issue) => `\`${String(issue.input)}\` is not a name`,
    params: { hint: nameHint },
  })
  .meta({ pattern: namePattern.source });

/** One line of text; what goes to other programs must hold no control characters. */
export const lineSchema = z.string().refine((text) => text !== '' && !hasControl(text), {
  error: 'must be one line of text',
  params: { hint: 'remove line breaks and control characters' },
});

export function hasControl(text: string): boolean {
  return /\p{Cc}/u.test(text);
}

const durationError = { error: 'must be a duration such as `5s`, `10m`, `1h30m` or `90d`' };
const durationText = z.union([z.literal(0), z.string().regex(durationPattern, durationError)], durationError);

/** Milliseconds. `min` in milliseconds too; `minText` is how messages write it. */
export function durationSchema(min: number = 0, minText: string = '0') {
  return durationText
    .transform((value) => parseDuration(String(value)) ?? 0)
    .refine((ms) => ms >= min, { error: `must be at least ${minText}` });
}

/** Why `path` cannot be a path inside the repo; undefined when it can. */
function repoPathProblem(path: string): string | undefined {
  if (path === '') return 'must not be empty';
  if (hasControl(path)) return 'must not contain control characters';
  if (posix.isAbsolute(path) || path.startsWith('~')) return 'must be relative to the root of the repo';
  const normal = posix.normalize(path);
  if (normal === '..' || normal.startsWith('../')) return 'leads out of the repo';
  if (normal.split('/').includes('.git')) return 'leads into .git';
  return undefined;
}

const pathHint = { hint: 'give it as seen from the root of the repo, e.g. `secrets/prod/db-password.age`' };

/** A file in the repo, without `./` and doubled slashes; never outside it. */
export const repoFileSchema = z
  .string()
  .superRefine((path, context) => {
    const message =
      repoPathProblem(path) ?? (/(^|\/)\.?\/?$/.test(path) ? 'must be a file, not a folder' : undefined);
    if (message !== undefined) context.addIssue({ code: 'custom', message, params: pathHint });
  })
  .transform((path) => posix.normalize(path));

/** A folder in the repo; `.` is its root. */
export const repoFolderSchema = z
  .string()
  .superRefine((path, context) => {
    const message = repoPathProblem(path);
    if (message !== undefined) {
      context.addIssue({ code: 'custom', message, params: { hint: '`.` is the root of the repo' } });
    }
  })
  .transform((path) => posix.normalize(path).replace(/(?<=.)\/$/, ''));
